import { Readable } from 'node:stream'
import type { ColumnMetaData, FileMetaData, RowGroup } from 'hyparquet'
import { type SourceRow, setOwn } from '../rows.ts'
import { SourceError } from '../source-error.ts'
import { type ColumnReader, columnReader } from './column-reader.ts'
import type { ParquetColumn } from './columns.ts'
import type { Compressors } from './decompress.ts'
import type { FileBytes } from './file-bytes.ts'
import { damaged, PageReader } from './page-reader.ts'

export interface ParquetFile {
  /** The name for messages. */
  readonly name: string
  readonly bytes: FileBytes
  readonly metadata: FileMetaData
  readonly columns: readonly ParquetColumn[]
  readonly decompressors: Compressors
}

/** Rows that are made at a time, without waiting in between. */
const BLOCK_ROWS = 1000

/** The bytes that all columns together read ahead, and the limits for each column. */
const READ_AHEAD_BYTES = 32 << 20
const MIN_READ_AHEAD_BYTES = 16 << 10
const MAX_READ_AHEAD_BYTES = 256 << 10

/**
 * Reads the rows of a Parquet file, one row group after the other. Closes the file at its end, and when
 * destroyed.
 */
export class ParquetRows extends Readable {
  readonly #file: ParquetFile
  readonly #blocks: AsyncGenerator<SourceRow[]>
  #block: SourceRow[] = []
  #at = 0
  #bytesRead = 0
  #pushing = false
  #wanted = false

  constructor(file: ParquetFile) {
    super({ objectMode: true, highWaterMark: 64 })
    this.#file = file
    this.#blocks = this.#readBlocks()
  }

  /** The bytes of the pages that were read; at the end the size of the file. */
  get bytesRead(): number {
    return this.#bytesRead
  }

  /** May be called while a block is awaited. Only one loop pushes, so that no row is pushed twice. */
  override _read(): void {
    this.#wanted = true
    if (this.#pushing) return
    this.#pushing = true
    this.#push().catch((error: Error) => {
      this.destroy(error instanceof SourceError ? error : damaged(this.#file.name, error))
    })
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#file.bytes.close().then(
      () => done(error),
      failure => done(error ?? failure),
    )
  }

  async #push(): Promise<void> {
    while (!this.destroyed) {
      if (this.#at === this.#block.length) {
        const { value, done } = await this.#blocks.next()
        if (done) {
          this.push(null)
          return
        }
        this.#block = value
        this.#at = 0
      } else {
        this.#wanted = false
        if (this.push(this.#block[this.#at++]) || this.#wanted) continue
        this.#pushing = false
        return
      }
    }
  }

  async *#readBlocks(): AsyncGenerator<SourceRow[]> {
    const { bytes, metadata, columns } = this.#file
    for (const [index, group] of metadata.row_groups.entries()) {
      const readers = this.#openGroup(group, index)
      for (let left = Number(group.num_rows); left > 0; ) {
        for (const [at, reader] of readers.entries()) {
          if (reader.available > 0) continue
          await this.#reading(index, at, () => reader.fill())
          if (reader.available === 0) throw damaged(this.#place(index, at), new Error('It has fewer rows'))
        }
        const count = Math.min(left, BLOCK_ROWS, ...readers.map(({ available }) => available))
        yield await this.#makeRows(readers, columns, count, index)
        left -= count
      }
      const rest = readers.findIndex(({ available }) => available > 0)
      if (rest >= 0) throw damaged(this.#place(index, rest), new Error('It has more rows'))
    }
    this.#bytesRead = bytes.byteLength
  }

  async #makeRows(
    readers: readonly ColumnReader[],
    columns: readonly ParquetColumn[],
    count: number,
    group: number,
  ): Promise<SourceRow[]> {
    const rows: SourceRow[] = Array.from({ length: count }, () => ({}))
    for (const [at, reader] of readers.entries()) {
      const { name } = columns[at]!
      await this.#reading(group, at, () => {
        for (const row of rows) setOwn(row, name, reader.take())
      })
    }
    return rows
  }

  #openGroup(group: RowGroup, index: number): ColumnReader[] {
    const { bytes, columns, decompressors } = this.#file
    const share = READ_AHEAD_BYTES / group.columns.length
    const readAheadBytes = Math.max(MIN_READ_AHEAD_BYTES, Math.min(MAX_READ_AHEAD_BYTES, share))
    const onRead = (read: number) => {
      this.#bytesRead += read
    }
    let next = 0
    return columns.map((column, at) => {
      let hasDictionary = false
      const pages = column.leaves.map(leaf => {
        const chunk = this.#chunkOf(group, next++, this.#place(index, at))
        const path = leaf.path.at(-1)!.path.join('.')
        if (chunk.path_in_schema.join('.') !== path) {
          throw damaged(this.#place(index, at), new Error(`Found ${chunk.path_in_schema.join('.')}`))
        }
        hasDictionary = chunk.encodings.some(encoding => encoding.endsWith('_DICTIONARY'))
        return new PageReader({ file: bytes, leaf, chunk, decompressors, readAheadBytes, onRead })
      })
      return columnReader(column, pages, hasDictionary)
    })
  }

  #chunkOf(group: RowGroup, index: number, place: string): ColumnMetaData {
    const chunk = group.columns[index]
    if (chunk?.file_path) throw new SourceError(`${place}: its data are in another file, ${chunk.file_path}`)
    if (chunk?.crypto_metadata) throw new SourceError(`${place}: it is encrypted`)
    if (!chunk?.meta_data) throw damaged(place, new Error('The footer does not say where it is'))
    return chunk.meta_data
  }

  async #reading<T>(group: number, column: number, work: () => T | Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (error) {
      throw damaged(this.#place(group, column), error)
    }
  }

  #place(group: number, column: number): string {
    return `${this.#file.name}: row group ${group + 1}, column "${this.#file.columns[column]!.name}"`
  }
}
