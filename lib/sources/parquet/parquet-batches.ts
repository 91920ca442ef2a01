import { Readable } from 'node:stream'
import type { Block } from '../../columnar/block.ts'
import { SourceError } from '../source-error.ts'
import { damaged } from './page-reader.ts'
import { closeThen, type ParquetStreamOptions } from './parquet-rows.ts'

/**
 * The rows of a Parquet file in batches: arrays of blocks that together have a given number of rows. Closes
 * the file at its end, and when destroyed.
 */
export class ParquetBatches extends Readable {
  readonly #options: ParquetStreamOptions
  readonly #batchRows: number

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
    for (let left = this.#batchRows; left > 0; ) {
      const block = await this.#options.reader.next(left)
      if (!block) break
      batch.push(block)
      left -= block.length
    }
    return batch
  }
}
