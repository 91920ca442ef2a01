/** Up to this width, a value and the bits before it in its first byte fit into 32 bits. */
const MAX_WIDTH = 24

/**
 * Reads integers of `width` bits: runs of one value, and packed bits. A run may promise more values than the
 * page has; no more than `count` are written.
 * @see https://parquet.apache.org/docs/file-format/data-pages/encodings/ "Run Length Encoding"
 */
export function readHybrid(
  bytes: Uint8Array,
  from: number,
  end: number,
  width: number,
  count: number,
): Int32Array {
  const values = new Int32Array(count)
  if (width === 0) return values
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let at = from
  for (let done = 0; done < count; ) {
    let head = 0
    for (let shift = 0; ; shift += 7) {
      const byte = byteAt(bytes, at++, end)
      head |= (byte & 0x7f) << shift
      if (byte < 0x80 || shift === 28) break
    }
    if ((head & 1) === 1) {
      const packed = Math.min((head >>> 1) * 8, count - done)
      if (at + Math.ceil((packed * width) / 8) > end) throw new Error('A run ends after its page')
      if (width > MAX_WIDTH) unpackWide(bytes, at, width, values.subarray(done, done + packed))
      else unpackBits(bytes, view, at, width, values, done, done + packed)
      at += (head >>> 1) * width
      done += packed
      if (packed === 0) throw new Error('A run of no values')
    } else {
      let value = 0
      for (let shift = 0; shift < width; shift += 8) value |= byteAt(bytes, at++, end) << shift
      const run = Math.min(head >>> 1, count - done)
      values.fill(value, done, done + run)
      done += run
    }
  }
  return values
}

/** Returns true for a single run of so many values. It is for values of up to eight bits. */
export function isOneRun(
  bytes: Uint8Array,
  from: number,
  end: number,
  width: number,
  { value, count }: { readonly value: number; readonly count: number },
): boolean {
  if (width > 8) return false
  let at = from
  let head = 0
  for (let shift = 0; at < end && shift <= 28; shift += 7) {
    const byte = bytes[at++]!
    head |= (byte & 0x7f) << shift
    if (byte < 0x80) break
  }
  const isRun = (head & 1) === 0
  return isRun && head >>> 1 >= count && at < end && bytes[at] === value
}

/**
 * Reads values from the one with index `first` on. Eight of them are `width` bytes. To read each one as a
 * word takes a fourth of the time of byte by byte, which is left for the last ones.
 */
function unpackBits(
  bytes: Uint8Array,
  view: DataView,
  from: number,
  width: number,
  values: Int32Array,
  first: number,
  next: number,
): void {
  const mask = (1 << width) - 1
  const last = bytes.length - width - 4 // the last word begins before `at + width`
  let at = from
  let i = first
  for (; i + 8 <= next && at <= last; i += 8, at += width) {
    values[i] = valueAt(view, at, 0, mask)
    values[i + 1] = valueAt(view, at, width, mask)
    values[i + 2] = valueAt(view, at, 2 * width, mask)
    values[i + 3] = valueAt(view, at, 3 * width, mask)
    values[i + 4] = valueAt(view, at, 4 * width, mask)
    values[i + 5] = valueAt(view, at, 5 * width, mask)
    values[i + 6] = valueAt(view, at, 6 * width, mask)
    values[i + 7] = valueAt(view, at, 7 * width, mask)
  }
  let bits = 0
  let held = 0
  for (; i < next; i++) {
    while (held < width) {
      bits |= bytes[at++]! << held
      held += 8
    }
    values[i] = bits & mask
    bits >>>= width
    held -= width
  }
}

function valueAt(view: DataView, at: number, bit: number, mask: number): number {
  return (view.getInt32(at + (bit >>> 3), true) >>> (bit & 7)) & mask
}

function byteAt(bytes: Uint8Array, at: number, end: number): number {
  if (at >= end) throw new Error('A run ends after its page')
  return bytes[at]!
}

/** The same in doubles, for a dictionary of more than 16 million values. */
function unpackWide(bytes: Uint8Array, from: number, width: number, values: Int32Array): void {
  const beyond = 2 ** width
  let at = from
  let bits = 0
  let held = 0
  for (let i = 0; i < values.length; i++) {
    for (; held < width; held += 8) bits += bytes[at++]! * 2 ** held
    values[i] = bits % beyond
    bits = Math.floor(bits / beyond)
    held -= width
  }
}

/** Returns the width of integers from 0 to `most`. */
export function bitWidth(most: number): number {
  return 32 - Math.clz32(most)
}
