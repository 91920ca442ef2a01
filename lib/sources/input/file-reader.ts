import type { Stats } from 'node:fs'
import type { FileHandle } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { ChunkMemory } from '../../values/chunk-memory.ts'
import { formatCount } from '../../values/format-count.ts'
import { SourceError } from '../source-error.ts'

export interface FileToRead {
  readonly name: string
  /** Closed at the end. */
  readonly handle: FileHandle
  /** The file's size and time before the first byte was read. */
  readonly status: Pick<Stats, 'size' | 'mtimeMs'>
}

/**
 * Reads a file to its end, in chunks whose memory is used again. Fails with a SourceError where another
 * process has cut the file short meanwhile: its rows would be missing in silence.
 */
export class FileReader extends Readable {
  /** How many bytes were read so far. */
  bytesRead = 0
  /** Another process has written to the file before its end was read. */
  wasWrittenTo = false
  readonly name: string
  readonly #handle: FileHandle
  readonly #status: FileToRead['status']
  readonly #chunkBytes: number
  readonly #memory = new ChunkMemory()

  constructor({ name, handle, status }: FileToRead, chunkBytes: number) {
    super({ highWaterMark: chunkBytes })
    this.name = name
    this.#handle = handle
    this.#status = status
    this.#chunkBytes = chunkBytes
  }

  override _read(): void {
    const memory = this.#memory.take(this.#chunkBytes)
    const read = async (): Promise<void> => {
      const { bytesRead } = await this.#handle.read(memory, 0, memory.length, null)
      if (bytesRead === 0) await this.#checkEnd()
      if (this.destroyed) return
      this.bytesRead += bytesRead
      this.push(bytesRead === 0 ? null : this.#chunkOf(memory, bytesRead))
    }
    read().catch(error => this.destroy(error))
  }

  /** A file whose size is only an estimate, as in /sys, has not changed. @throws SourceError */
  async #checkEnd(): Promise<void> {
    const { size, mtimeMs } = this.#status
    const now = await this.#handle.stat()
    this.wasWrittenTo = now.size !== size || now.mtimeMs !== mtimeMs
    if (this.bytesRead >= size || !this.wasWrittenTo) return
    const ended = `it had ${formatCount(size)} bytes, and has ended after ${formatCount(this.bytesRead)}`
    throw new SourceError(`${this.name}: it was cut short while it was read: ${ended}`)
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
