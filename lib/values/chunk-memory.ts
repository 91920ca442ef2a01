/** A chunk, or a view of a part of it. */
type Memory = Pick<ArrayBufferView, 'buffer'>

interface Lease {
  readonly chunk: Buffer
  readonly free: ArrayBufferLike[]
  /** How many hold the chunk. */
  holders: number
}

/** The chunks whose memory may be used again, by their memory. */
const leases = new WeakMap<ArrayBufferLike, Lease>()

/**
 * Memory for the chunks of a file, or for what is known of them. New memory for each would cost page faults,
 * and every 64 MiB of it would make the garbage collector mark the whole heap. The memory of a chunk is used
 * again when all that held the chunk have released it. That of a chunk which is kept, or which nothing has
 * ever held, is not, and belongs to the garbage collector.
 */
export class ChunkMemory {
  readonly #free: ArrayBufferLike[] = []

  /** Returns memory for a chunk of at most so many bytes. Memory that is shorter is not used again. */
  take(bytes: number): Buffer {
    const used = this.#free.pop()
    // "Slow" allocates outside of Node's shared pool
    return used && used.byteLength >= bytes ? Buffer.from(used) : Buffer.allocUnsafeSlow(bytes)
  }

  /** Takes memory back that was taken, and that no chunk was made of. */
  giveBack({ buffer }: Buffer): void {
    this.#free.push(buffer)
  }

  /** Returns the bytes that were read into such memory as a chunk, which is another object each time. */
  chunkOf(memory: Buffer, length: number): Buffer {
    const chunk = memory.subarray(0, length)
    leases.set(chunk.buffer, { chunk, free: this.#free, holders: 0 })
    return chunk
  }
}

/** Holds a chunk, or a part of it, until it is released. */
export function holdChunk({ buffer }: Memory): void {
  const lease = leases.get(buffer)
  if (lease) lease.holders++
}

/** Releases a chunk that was held. After this its bytes must not be read. */
export function releaseChunk({ buffer }: Memory): void {
  const lease = leases.get(buffer)
  if (!lease || --lease.holders > 0) return
  leases.delete(buffer)
  lease.free.push(buffer)
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
