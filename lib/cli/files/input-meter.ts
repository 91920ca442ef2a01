import { fstatSync } from 'node:fs'
import { stat } from 'node:fs/promises'
import type { Readable } from 'node:stream'
import { FileReader } from '../../sources/input/file-reader.ts'

/** Counts the bytes of the input that were read, as they are on the disk. */
export class InputMeter {
  /** Undefined for a pipe, whose size is not known. */
  readonly bytesTotal: number | undefined
  #streams: Readable[] = []

  constructor(bytesTotal: number | undefined) {
    this.bytesTotal = bytesTotal
  }

  static async of(files: readonly string[]): Promise<InputMeter> {
    const sizes = await Promise.all(files.map(sizeOf))
    const known = sizes.every(size => size !== undefined)
    return new InputMeter(known ? sizes.reduce((sum, size) => sum + size!, 0) : undefined)
  }

  readonly add = (raw: Readable): void => {
    this.#streams.push(raw)
  }

  /** To be called when the input is read again from its start. */
  restart(): void {
    this.#streams = []
  }

  /** The names of the files that other processes wrote to before their ends were read. */
  get changedFiles(): string[] {
    return this.#streams.flatMap(stream =>
      stream instanceof FileReader && stream.wasWrittenTo ? [stream.name] : [],
    )
  }

  get bytesRead(): number {
    return this.#streams.reduce((sum, stream) => sum + bytesReadBy(stream), 0)
  }
}

/** Sockets and file streams count their own bytes. */
function bytesReadBy(stream: Readable & { bytesRead?: number }): number {
  return stream.bytesRead ?? 0
}

async function sizeOf(file: string): Promise<number | undefined> {
  try {
    const status = file === '-' ? fstatSync(0) : await stat(file)
    return status.isFile() ? status.size : undefined
  } catch {
    return undefined // the code that opens the file reports why
  }
}
