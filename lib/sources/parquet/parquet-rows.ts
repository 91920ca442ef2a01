import { Readable } from 'node:stream'
import { type Block, valueAt } from '../../columnar/block.ts'
import { type SourceRow, setOwn } from '../rows.ts'
import { SourceError } from '../source-error.ts'
import type { BlockReader } from './block-reader.ts'
import type { ParquetColumn } from './columns.ts'
import { damaged } from './page-reader.ts'

/** Rows that are made at a time, without waiting in between. */
const BLOCK_ROWS = 1000

/** What a stream of a Parquet file needs. */
export interface ParquetStreamOptions {
  /** The name for messages. */
  readonly name: string
  readonly columns: readonly ParquetColumn[]
  readonly reader: BlockReader
}

/** The rows of a Parquet file as objects. Closes the file at its end, and when destroyed. */
export class ParquetRows extends Readable {
  readonly #options: ParquetStreamOptions
  #block: SourceRow[] = []
  #at = 0
  #pushing = false
  #wanted = false

  constructor(options: ParquetStreamOptions) {
    super({ objectMode: true, highWaterMark: 64 })
    this.#options = options
  }

  /** The bytes of the pages that were read, also by `ParquetBatches`; at the end the size of the file. */
  get bytesRead(): number {
    return this.#options.reader.bytesRead
  }

  /** May be called while a block is awaited. Only one loop pushes, so that no row is pushed twice. */
  override _read(): void {
    this.#wanted = true
    if (this.#pushing) return
    this.#pushing = true
    this.#push().catch((error: Error) => {
      const failure = error instanceof SourceError ? error : damaged(this.#options.name, error)
      // a turn later, so that the rows before the damage are taken first
      setImmediate(() => this.destroy(failure))
    })
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    closeThen(this.#options.reader, error, done)
  }

  async #push(): Promise<void> {
    while (!this.destroyed) {
      if (this.#at === this.#block.length) {
        const block = await this.#options.reader.next(BLOCK_ROWS)
        if (!block) {
          this.push(null)
          return
        }
        this.#block = this.#rowsOf(block)
        this.#at = 0
      } else {
        this.#wanted = false
        if (this.push(this.#block[this.#at++]) || this.#wanted) continue
        this.#pushing = false
        return
      }
    }
  }

  #rowsOf(block: Block): SourceRow[] {
    const rows: SourceRow[] = Array.from({ length: block.length }, () => ({}))
    for (const [column, { name }] of this.#options.columns.entries()) {
      for (const [index, row] of rows.entries()) setOwn(row, name, valueAt(block, column, index))
    }
    return rows
  }
}

/** Closes the file of a stream that is destroyed. */
export function closeThen(
  reader: BlockReader,
  error: Error | null,
  done: (error: Error | null) => void,
): void {
  reader.close().then(
    () => done(error),
    failure => done(error ?? failure),
  )
}
