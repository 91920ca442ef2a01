/** Returns memory for so many bytes, whatever it holds. */
export type Allocate = (length: number) => Buffer<ArrayBuffer>

/** Memory that is not used again. "Slow" allocates outside of Node's shared pool. */
export const allocateNew: Allocate = length => Buffer.allocUnsafeSlow(length)

export function allocateWords(allocate: Allocate, count: number): Int32Array {
  return new Int32Array(allocate(count * Int32Array.BYTES_PER_ELEMENT).buffer, 0, count)
}

/** A chunk, or a view of a part of it. */
type Memory = Pick<ArrayBufferView, 'buffer'>

interface Lease {
  readonly chunk: Buffer
  readonly owner: ChunkMemory
  /** How many hold the chunk. */
  holders: number
}

/** The chunks whose memory may be used again, by their memory. */
const leases = new WeakMap<ArrayBufferLike, Lease>()

/** The most memory that waits to be used again. */
const MAX_FREE_BYTES = 32 << 20

/**
 * Memory for the chunks of a file, or for what is known of them. New memory for each would cost page faults,
 * and every 64 MiB of it would make the garbage collector mark the whole heap. The memory of a chunk is used
 * again when all that held the chunk have released it. That of a chunk which is kept, or which nothing has
 * ever held, is not, and belongs to the garbage collector. The functions below do nothing for other memory.
 */
export class ChunkMemory {
  /** Memory to use again, by its length. */
  readonly #free = new Map<number, ArrayBuffer[]>()
  #freeBytes = 0

  /** Returns memory for a chunk of at most so many bytes. */
  take(bytes: number): Buffer<ArrayBuffer> {
    const length = roomFor(bytes)
    const used = this.#free.get(length)?.pop()
    if (!used) return allocateNew(length).subarray(0, bytes)
    this.#freeBytes -= length
    return Buffer.from(used, 0, bytes)
  }

  /** Takes memory back that was taken, and that nothing uses any more. */
  giveBack(buffer: ArrayBuffer): void {
    const { byteLength } = buffer
    if (this.#freeBytes + byteLength > MAX_FREE_BYTES) return
    this.#freeBytes += byteLength
    const free = this.#free.get(byteLength)
    if (free) free.push(buffer)
    else this.#free.set(byteLength, [buffer])
  }

  /** Returns the bytes that were read into such memory as a chunk, which is another object each time. */
  chunkOf(memory: Buffer<ArrayBuffer>, length: number): Buffer<ArrayBuffer> {
    const chunk = memory.subarray(0, length)
    leases.set(chunk.buffer, { chunk, owner: this, holders: 0 })
    return chunk
  }

  /** Returns a chunk that is yet to be written. */
  readonly allocate: Allocate = length => this.chunkOf(this.take(length), length)
}

const MIN_STEP = 1024

/** Returns a length that memory for other lengths has, too, and that is at most a fourth more. */
function roomFor(bytes: number): number {
  const step = Math.max(MIN_STEP, 2 ** (29 - Math.clz32(bytes)))
  return Math.ceil(bytes / step) * step
}

/** Holds a chunk, or a part of it, until it is released. */
export function holdChunk({ buffer }: Memory): void {
  const lease = leases.get(buffer)
  if (lease) lease.holders++
}

/** Releases a chunk that was held. After this its bytes must not be read. */
export function releaseChunk({ buffer }: Memory): void {
  const lease = leases.get(buffer)
  if (!lease) return
  lease.holders--
  giveBackUnlessHeld({ buffer })
}

/** Gives the memory of a chunk back that nothing holds, or no longer. */
export function giveBackUnlessHeld({ buffer }: Memory): void {
  const lease = leases.get(buffer)
  if (!lease || lease.holders > 0) return
  leases.delete(buffer)
  lease.owner.giveBack(buffer as ArrayBuffer)
}

/** Keeps a chunk, or a part of it: its memory is not used again. */
export function keepChunk({ buffer }: Memory): void {
  leases.delete(buffer)
}

/**
 * Keeps a chunk if these bytes are not the chunk itself, but a part of it: something may have the other part.
 */
export function keepUnlessWhole(bytes: Buffer): void {
  if (leases.get(bytes.buffer)?.chunk !== bytes) keepChunk(bytes)
}
