import { type FileHandle, mkdtemp, open, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { SourceError } from '../source-error.ts'
import { CHUNK_BYTES } from './raw-input.ts'

/**
 * Keeps inputs that can be read only once, such as a pipe, so that they can be read again. Each input becomes
 * a temporary file whose name is removed at once, so that nothing stays on the disk, however the process
 * ends.
 */
export class Spool {
  readonly #handles = new Map<string, FileHandle>()
  readonly #folders: string[] = []

  has(file: string): boolean {
    return this.#handles.has(file)
  }

  /** Returns the temporary file of an input, if it is kept here. */
  handleOf(file: string): FileHandle | undefined {
    return this.#handles.get(file)
  }

  /** Copies an input to its end. Destroying `raw` stops the copy. */
  async keep(file: string, raw: Readable): Promise<void> {
    const full = (error: NodeJS.ErrnoException) => {
      const where = `it cannot be kept in a temporary file in ${tmpdir()}`
      const options = { hint: 'name another directory with TMPDIR', cause: error }
      return new SourceError(`${file}: ${where} (${error.code})`, options)
    }
    const handle = await this.#temporaryFile().catch(error => {
      raw.destroy()
      throw full(error)
    })
    this.#handles.set(file, handle)
    for await (const chunk of raw) {
      await handle.appendFile(chunk as Buffer).catch(error => {
        throw full(error)
      })
    }
  }

  /** Returns the bytes of an input that is kept here, from the first one. */
  open(file: string): Readable | undefined {
    const handle = this.#handles.get(file)
    return handle && bytesOf(handle)
  }

  async close(): Promise<void> {
    for (const handle of this.#handles.values()) await handle.close().catch(() => {})
    for (const folder of this.#folders) await rm(folder, { recursive: true, force: true }).catch(() => {})
  }

  async #temporaryFile(): Promise<FileHandle> {
    const folder = await mkdtemp(join(tmpdir(), 'pg-batch-')) // readable by the user alone
    try {
      return await open(join(folder, 'input'), 'wx+', 0o600)
    } finally {
      // Windows cannot remove an open file; there it is removed when the spool is closed
      await rm(folder, { recursive: true }).catch(() => this.#folders.push(folder))
    }
  }
}

/**
 * Returns the bytes of an open file, from the first one. Unlike the file's own stream, it does not close the
 * file.
 */
export function bytesOf(handle: FileHandle): Readable {
  let position = 0
  return new Readable({
    highWaterMark: CHUNK_BYTES,
    read(size) {
      handle.read(Buffer.allocUnsafe(size), 0, size, position).then(
        ({ buffer, bytesRead }) => {
          position += bytesRead
          this.push(bytesRead === 0 ? null : buffer.subarray(0, bytesRead))
        },
        (error: Error) => this.destroy(error),
      )
    },
  })
}
