import { type SlabLease, SlabPool } from './slabs.ts'

/**
 * The longest message that a server reads. It closes the connection on a longer one.
 * @see https://github.com/postgres/postgres/blob/master/src/include/libpq/libpq.h PQ_LARGE_MESSAGE_LIMIT
 */
export const MAX_MESSAGE_BYTES = 0x3ffffffe

/** A row is longer than a message may be. */
export class TooLongError extends RangeError {
  override readonly name = 'TooLongError'

  constructor() {
    super('the row takes more than 1 GB, the most that PostgreSQL reads in one message')
  }
}

/**
 * A growing run of bytes. Encoders reserve room, write at `length` and then move `length`, so that nothing is
 * allocated per value.
 */
export class ByteBuffer {
  /**
   * Room for the bytes, of which the first `length` are written. Another object after it grows or is taken.
   */
  bytes: Buffer
  /** The same memory, for numbers in network byte order. */
  view: DataView
  /** How many bytes are written. Setting it to a lower value rewinds. */
  length = 0
  readonly #slabs: SlabLease
  /** The longest run that was taken from a slab: the next one may be as long. */
  #longest = 0
  /** The bytes are in a slab, and not in memory that grew for one huge row, which is not used again. */
  #isSlab = true

  /** @param slabs the source of memory; several takes share one slab */
  constructor(slabs: SlabLease = new SlabPool().lease()) {
    this.#slabs = slabs
    this.bytes = slabs.take()
    this.view = viewOf(this.bytes)
  }

  /** Makes room for `count` more bytes. */
  reserve(count: number): void {
    if (this.length + count > this.bytes.length) this.#grow(count)
  }

  #grow(count: number): void {
    const needed = this.length + count
    if (needed > MAX_MESSAGE_BYTES) throw new TooLongError()
    const roomy = Math.min(MAX_MESSAGE_BYTES, this.bytes.length * 2)
    const grown = Buffer.allocUnsafeSlow(Math.max(needed, this.#slabs.slabBytes, roomy))
    this.bytes.copy(grown, 0, 0, this.length)
    this.bytes = grown
    this.#isSlab = false
    this.view = viewOf(grown)
  }

  /**
   * Returns the bytes so far. They now belong to the caller, and are not overwritten while their slab is
   * leased: the next bytes go after them in the same slab if it has room for as many as were ever taken from
   * one, else into another slab.
   */
  take(): Buffer {
    const taken = this.bytes.subarray(0, this.length)
    const left = this.bytes.length - this.length
    if (this.#isSlab) this.#longest = Math.max(this.#longest, this.length)
    const isRoomy = this.#isSlab && left > this.#longest + this.#longest / 8
    this.bytes = isRoomy ? this.bytes.subarray(this.length) : this.#slabs.take()
    this.#isSlab = true
    this.view = viewOf(this.bytes)
    this.length = 0
    return taken
  }

  putInt16(value: number): void {
    this.reserve(2)
    this.view.setInt16(this.length, value)
    this.length += 2
  }

  putInt32(value: number): void {
    this.reserve(4)
    this.view.setInt32(this.length, value)
    this.length += 4
  }

  putBytes(value: Uint8Array): void {
    this.reserve(value.length)
    this.bytes.set(value, this.length)
    this.length += value.length
  }

  /** Appends the string in UTF-8; a lone surrogate becomes U+FFFD, as in every string that `pg` sends. */
  putUtf8(value: string): void {
    const count = value.length
    this.reserve(count <= LONG ? count * 3 : Buffer.byteLength(value))
    this.length = putUtf8At(this.bytes, this.length, value)
  }
}

/**
 * Writes the string in UTF-8 at an index, and returns the index after it. That is past the end of the bytes
 * where they have no room for it.
 */
export function putUtf8At(bytes: Buffer, at: number, text: string): number {
  const count = text.length
  if (count <= SHORT) {
    // for short ASCII, which most columns hold, this loop costs less than a call into the engine
    let i = 0
    for (; i < count; i++) {
      const code = text.charCodeAt(i)
      if (code > 0x7f) break
      bytes[at + i] = code
    }
    if (i === count) return at + count
  }
  const room = bytes.length - at
  if (count * 3 > room) {
    const needed = Buffer.byteLength(text)
    if (needed > room) return at + needed
  }
  return at + bytes.write(text, at, 'utf8')
}

const SHORT = 40

/** For longer strings, counting the bytes first costs less than room for the worst case. */
const LONG = 16 * 1024

function viewOf(bytes: Buffer): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
}
