import { Readable } from 'node:stream'
import { type Block, holdBlock } from '../../columnar/block.ts'
import { sizeOfBlock, splitBlock } from '../../columnar/block-size.ts'
import { BATCH_BYTES } from '../rows.ts'
import { SourceError } from '../source-error.ts'
import { damaged } from './page-reader.ts'
import { closeThen, type ParquetStreamOptions } from './parquet-rows.ts'

/** The most batches that are read before the writer wants them, and about the most bytes that they have. */
const MAX_AHEAD = 16
const AHEAD_BYTES = 4 << 20

/**
 * The rows of a Parquet file in batches: arrays of blocks that together have a given number of rows, or fewer
 * if the rows are large. The blocks are held for the reader of this stream, who may release them. Closes the
 * file at its end, and when destroyed.
 */
export class ParquetBatches extends Readable {
  readonly #options: ParquetStreamOptions
  readonly #batchRows: number
  /** The rows of a page that were too large for one batch. */
  #rest: Block | undefined
  #failure: Error | undefined

  constructor(options: ParquetStreamOptions, batchRows: number) {
    super({ objectMode: true, highWaterMark: batchesAhead(options, batchRows) })
    this.#options = options
    this.#batchRows = batchRows
  }

  /** A batch that the writer does not wait for yet is read after what the server has sent is handled. */
  override _read(): void {
    if (this.readableLength === 0) this.#readBatch()
    else setImmediate(() => this.destroyed || this.#readBatch())
  }

  #readBatch(): void {
    this.#nextBatch().then(
      batch => this.push(batch.length > 0 ? batch : null),
      error => this.#failAtEnd(error instanceof SourceError ? error : damaged(this.#options.name, error)),
    )
  }

  override read(size?: number): unknown {
    const batch = super.read(size)
    if (this.#failure) this.#failAtEnd(this.#failure)
    return batch
  }

  /** Fails once the batches before the damage are taken, a turn after the last one. */
  #failAtEnd(error: Error): void {
    this.#failure = error
    if (this.readableLength === 0) setImmediate(() => this.destroy(error))
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    closeThen(this.#options.reader, error, done)
  }

  async #nextBatch(): Promise<Block[]> {
    const batch: Block[] = []
    let bytes = 0
    for (let left = this.#batchRows; left > 0 && bytes < BATCH_BYTES; ) {
      const block = this.#rest ?? (await this.#options.reader.next(left))
      this.#rest = undefined
      if (!block) break
      const bytesPerRow = sizeOfBlock(block) / block.length
      const rows = Math.min(left, block.length, Math.ceil(BATCH_BYTES / bytesPerRow))
      batch.push(rows < block.length ? this.#firstOf(block, rows) : block)
      left -= rows
      bytes += rows * bytesPerRow
    }
    return batch
  }

  /** Returns the first rows of a block, and keeps the others. */
  #firstOf(block: Block, rows: number): Block {
    const [first, rest] = splitBlock(block, rows)
    holdBlock(rest)
    this.#rest = rest
    return first
  }
}

/**
 * Returns how many batches are read before they are wanted. A row group begins with the pages of all columns:
 * where these are unpacked while the server still has rows, its sessions need not wait for them. A list or
 * struct takes far more memory than in its page, so a file with one is read ahead by one batch.
 */
function batchesAhead({ columns, reader }: ParquetStreamOptions, batchRows: number): number {
  if (columns.some(({ flat }) => !flat)) return 1
  const bytesPerBatch = batchRows * reader.bytesPerRow
  return Math.max(1, Math.min(MAX_AHEAD, Math.floor(AHEAD_BYTES / bytesPerBatch)))
}
