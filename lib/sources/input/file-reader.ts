import type { FileHandle } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { ChunkMemory } from '../../values/chunk-memory.ts'

/** Reads a file to its end, in chunks whose memory is used again. */
export class FileReader extends Readable {
  /** How many bytes were read so far. */
  bytesRead = 0
  readonly #handle: FileHandle
  readonly #chunkBytes: number
  readonly #memory = new ChunkMemory()

  /** @param handle closed at the end */
  constructor(handle: FileHandle, chunkBytes: number) {
    super({ highWaterMark: chunkBytes })
    this.#handle = handle
    this.#chunkBytes = chunkBytes
  }

  override _read(): void {
    const memory = this.#memory.take(this.#chunkBytes)
    this.#handle.read(memory, 0, memory.length, null).then(
      ({ bytesRead }) => {
        if (this.destroyed) return
        this.bytesRead += bytesRead
        this.push(bytesRead === 0 ? null : this.#chunkOf(memory, bytesRead))
      },
      error => this.destroy(error),
    )
  }

  /** Some file systems give 4 kB at a time: a copy of that holds no more memory than it needs. */
  #chunkOf(memory: Buffer<ArrayBuffer>, length: number): Buffer {
    if (length >= memory.length / 2) return this.#memory.chunkOf(memory, length)
    const copy = Buffer.from(memory.subarray(0, length))
    this.#memory.giveBack(memory.buffer)
    return copy
  }

  override _destroy(error: Error | null, callback: (error: Error | null) => void): void {
    // waits for a read that is under way
    this.#handle.close().then(
      () => callback(error),
      failure => callback(error ?? failure),
    )
  }
}
