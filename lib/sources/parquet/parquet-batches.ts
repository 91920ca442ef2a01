import { Readable } from 'node:stream'
import type { Block } from '../../columnar/block.ts'
import { sizeOfBlock, splitBlock } from '../../columnar/block-size.ts'
import { BATCH_BYTES } from '../rows.ts'
import { SourceError } from '../source-error.ts'
import { damaged } from './page-reader.ts'
import { closeThen, type ParquetStreamOptions } from './parquet-rows.ts'

/**
 * The rows of a Parquet file in batches: arrays of blocks that together have a given number of rows, or fewer
 * if the rows are large. Closes the file at its end, and when destroyed.
 */
export class ParquetBatches extends Readable {
  readonly #options: ParquetStreamOptions
  readonly #batchRows: number
  /** The rows of a page that were too large for one batch. */
  #rest: Block | undefined

  constructor(options: ParquetStreamOptions, batchRows: number) {
    super({ objectMode: true, highWaterMark: 1 })
    this.#options = options
    this.#batchRows = batchRows
  }

  override _read(): void {
    this.#nextBatch().then(
      batch => this.push(batch.length > 0 ? batch : null),
      error => this.destroy(error instanceof SourceError ? error : damaged(this.#options.name, error)),
    )
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    closeThen(this.#options.reader, error, done)
  }

  async #nextBatch(): Promise<Block[]> {
    const batch: Block[] = []
    let bytes = 0
    for (let left = this.#batchRows; left > 0 && bytes < BATCH_BYTES; ) {
      const block = await this.#nextBlock(left)
      if (!block) break
      batch.push(block)
      left -= block.length
      bytes += sizeOfBlock(block)
    }
    return batch
  }

  /** Returns a block of about `BATCH_BYTES` at most, or of one row. */
  async #nextBlock(maxRows: number): Promise<Block | undefined> {
    const block = this.#rest ?? (await this.#options.reader.next(maxRows))
    this.#rest = undefined
    if (!block) return undefined
    const fitting = Math.ceil((block.length * BATCH_BYTES) / sizeOfBlock(block))
    const rows = Math.min(maxRows, fitting)
    if (rows >= block.length) return block
    const [first, rest] = splitBlock(block, rows)
    this.#rest = rest
    return first
  }
}
