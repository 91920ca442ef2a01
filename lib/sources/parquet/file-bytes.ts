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
  /** What is read, or was read last, of a few bytes and those that follow. */
  #ahead: { readonly start: number; readonly bytes: Promise<Buffer<ArrayBuffer>> } | undefined

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
    let ahead = this.#ahead
    if (!ahead || start < ahead.start || end > ahead.start + AHEAD_BYTES) {
      ahead = { start, bytes: this.#readInto(allocateNew, start, start + AHEAD_BYTES) }
      this.#ahead = ahead
    }
    const { buffer, length } = await ahead.bytes
    // copied: a column that keeps a part of what was read ahead would keep all of it
    return Buffer.from(buffer.slice(start - ahead.start, Math.min(end - ahead.start, length)))
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
