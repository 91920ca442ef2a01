/** Up to this width, a value and the bits before it in its first byte fit into 32 bits. */
const MAX_WIDTH = 24

/**
 * Reads integers of `width` bits: runs of one value, and packed bits. A run may promise more values than the
 * page has; no more than `count` are written.
 * @param most the highest value; -1 if there can be none
 * @throws Error for a value above it
 * @see https://parquet.apache.org/docs/file-format/data-pages/encodings/ "Run Length Encoding"
 */
export function readHybrid(
  bytes: Uint8Array,
  from: number,
  end: number,
  width: number,
  count: number,
  most: number,
): Int32Array {
  const values = new Int32Array(count)
  if (width === 0 && most >= 0) return values
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  // below 0 after a value above `most`: to ask for each value would take as long as reading it
  let rest = 0
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
      rest |=
        width > MAX_WIDTH
          ? unpackWide(bytes, at, width, values.subarray(done, done + packed), most)
          : unpackBits(bytes, view, at, width, values, done, done + packed, most)
      at += (head >>> 1) * width
      done += packed
      if (packed === 0) throw new Error('A run of no values')
    } else {
      let value = 0
      for (let shift = 0; shift < width; shift += 8) value |= byteAt(bytes, at++, end) << shift
      const run = Math.min(head >>> 1, count - done)
      // a negative one is above as well
      if (run > 0 && value >>> 0 > most) rest = -1
      values.fill(value, done, done + run)
      done += run
    }
  }
  if (rest < 0) throw new Error('A value is too high')
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
 * Returns a number below 0 if any is above `most`.
 */
function unpackBits(
  bytes: Uint8Array,
  view: DataView,
  from: number,
  width: number,
  values: Int32Array,
  first: number,
  next: number,
  most: number,
): number {
  const mask = (1 << width) - 1
  const last = bytes.length - width - 4 // the last word begins before `at + width`
  let rest = 0
  let at = from
  let i = first
  for (; i + 8 <= next && at <= last; i += 8, at += width) {
    const a = valueAt(view, at, 0, mask)
    const b = valueAt(view, at, width, mask)
    const c = valueAt(view, at, 2 * width, mask)
    const d = valueAt(view, at, 3 * width, mask)
    const e = valueAt(view, at, 4 * width, mask)
    const f = valueAt(view, at, 5 * width, mask)
    const g = valueAt(view, at, 6 * width, mask)
    const h = valueAt(view, at, 7 * width, mask)
    values[i] = a
    values[i + 1] = b
    values[i + 2] = c
    values[i + 3] = d
    values[i + 4] = e
    values[i + 5] = f
    values[i + 6] = g
    values[i + 7] = h
    rest |=
      (most - a) | (most - b) | (most - c) | (most - d) | (most - e) | (most - f) | (most - g) | (most - h)
  }
  let bits = 0
  let held = 0
  for (; i < next; i++) {
    while (held < width) {
      bits |= bytes[at++]! << held
      held += 8
    }
    values[i] = bits & mask
    rest |= most - values[i]!
    bits >>>= width
    held -= width
  }
  return rest
}

function valueAt(view: DataView, at: number, bit: number, mask: number): number {
  return (view.getInt32(at + (bit >>> 3), true) >>> (bit & 7)) & mask
}

function byteAt(bytes: Uint8Array, at: number, end: number): number {
  if (at >= end) throw new Error('A run ends after its page')
  return bytes[at]!
}

/** The same in doubles, for a dictionary of more than 16 million values. */
function unpackWide(
  bytes: Uint8Array,
  from: number,
  width: number,
  values: Int32Array,
  most: number,
): number {
  const beyond = 2 ** width
  let at = from
  let rest = 0
  let bits = 0
  let held = 0
  for (let i = 0; i < values.length; i++) {
    for (; held < width; held += 8) bits += bytes[at++]! * 2 ** held
    const value = bits % beyond
    values[i] = value
    if (value > most) rest = -1
    bits = Math.floor(bits / beyond)
    held -= width
  }
  return rest
}

/** Returns the width of integers from 0 to `most`. */
export function bitWidth(most: number): number {
  return 32 - Math.clz32(most)
}
