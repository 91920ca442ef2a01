/**
 * Four pieces of 128 KiB, each a little longer, so that little of a slab is wasted while its pieces are held.
 */
export const SLAB_BYTES = 544 * 1024

/** Enough for two transactions of 6 MiB. */
const MAX_FREE = 24

/**
 * Memory that is used again: new memory costs page faults, and every 64 MiB of it make the garbage collector
 * mark the whole heap. A million rows of 110 bytes take 1.16 s of CPU with the pool, and 1.33 s without.
 */
export class SlabPool {
  readonly #slabBytes: number
  readonly #free: Buffer[]

  /** @param free slabs to be used first */
  constructor(slabBytes = SLAB_BYTES, free: Buffer[] = []) {
    this.#slabBytes = slabBytes
    this.#free = free
  }

  lease(): SlabLease {
    return new SlabLease(this.#slabBytes, this.#free)
  }
}

/** The memory that one transaction takes from a pool. */
export class SlabLease {
  readonly slabBytes: number
  readonly #free: Buffer[]
  readonly #taken: Buffer[] = []

  constructor(slabBytes: number, free: Buffer[]) {
    this.slabBytes = slabBytes
    this.#free = free
  }

  take(): Buffer {
    // "Slow" allocates outside of Node's shared pool, whose memory other buffers would keep alive
    const slab = this.#free.pop() ?? Buffer.allocUnsafeSlow(this.slabBytes)
    this.#taken.push(slab)
    return slab
  }

  /** Gives the slabs so far to the garbage collector: something may still read them. */
  forget(): void {
    this.#taken.length = 0
  }

  /**
   * Gives everything back, and others overwrite it: nothing may still read the bytes, nor a socket still send
   * them.
   */
  release(): void {
    for (const slab of this.#taken.splice(0)) {
      if (this.#free.length < MAX_FREE) this.#free.push(slab)
    }
  }
}
