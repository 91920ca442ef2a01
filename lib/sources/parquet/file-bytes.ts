import type { FileHandle } from 'node:fs/promises'
import type { AsyncBuffer } from 'hyparquet'
import { type Allocate, allocateNew } from '../../values/chunk-memory.ts'
import { openFile } from '../input/raw-input.ts'
import { parquetInPipe } from './magic.ts'

/** Fewer bytes are read together with those that follow: small row groups are side by side. */
const FEW_BYTES = 16 << 10
const AHEAD_BYTES = 256 << 10

/** Reads parts of a file, at any position. */
export class FileBytes implements AsyncBuffer {
  readonly byteLength: number
  readonly #handle: FileHandle
  /** What was read last of a few bytes and those that follow. */
  #ahead: Buffer<ArrayBuffer> = Buffer.from(new ArrayBuffer(0))
  #aheadStart = 0

  private constructor(handle: FileHandle, byteLength: number) {
    this.#handle = handle
    this.byteLength = byteLength
  }

  static async open(path: string): Promise<FileBytes> {
    const handle = await openFile(path)
    try {
      const status = await handle.stat()
      if (!status.isFile()) throw parquetInPipe(path)
      return new FileBytes(handle, status.size)
    } catch (error) {
      await handle.close()
      throw error
    }
  }

  /**
   * Returns bytes that nothing writes to; fewer than requested at the end of the file.
   * @param allocate for many bytes: a few are copied from those that were read ahead
   */
  async read(start: number, end: number, allocate = allocateNew): Promise<Buffer<ArrayBuffer>> {
    if (end - start > FEW_BYTES) return this.#readInto(allocate, start, end)
    if (start < this.#aheadStart || Math.min(end, this.byteLength) > this.#aheadStart + this.#ahead.length) {
      this.#ahead = await this.#readInto(allocateNew, start, start + AHEAD_BYTES)
      this.#aheadStart = start
    }
    // copied: a column that keeps a part of what was read ahead would keep all of it
    const [from, to] = [start - this.#aheadStart, Math.min(end - this.#aheadStart, this.#ahead.length)]
    return Buffer.from(this.#ahead.buffer.slice(from, to))
  }

  async #readInto(allocate: Allocate, start: number, end: number): Promise<Buffer<ArrayBuffer>> {
    const buffer = allocate(Math.max(0, Math.min(end, this.byteLength) - start))
    let length = 0
    while (length < buffer.length) {
      const { bytesRead } = await this.#handle.read(buffer, length, buffer.length - length, start + length)
      if (bytesRead === 0) break
      length += bytesRead
    }
    return buffer.subarray(0, length)
  }

  async slice(start: number, end = this.byteLength): Promise<ArrayBuffer> {
    const { buffer, byteOffset, byteLength } = await this.read(start, end)
    return buffer.slice(byteOffset, byteOffset + byteLength)
  }

  close(): Promise<void> {
    return this.#handle.close()
  }
}
