import type { ColumnMetaData, FileMetaData, RowGroup } from 'hyparquet'
import { type Block, holdBlock } from '../../columnar/block.ts'
import { ChunkMemory } from '../../values/chunk-memory.ts'
import { SourceError } from '../source-error.ts'
import type { ColumnReader } from './column-reader.ts'
import type { ParquetColumn } from './columns.ts'
import type { Decompressors } from './decompress.ts'
import type { FileBytes } from './file-bytes.ts'
import { FlatReader } from './flat-reader.ts'
import { NestedReader } from './nested/nested-reader.ts'
import { damaged, PageReader } from './page-reader.ts'
import type { WasmHybrid } from './pages/wasm/wasm-hybrid.ts'

export interface ParquetFile {
  /** The name for messages. */
  readonly name: string
  readonly bytes: FileBytes
  readonly metadata: FileMetaData
  readonly columns: readonly ParquetColumn[]
  /** They are loaded while the caller connects to its server. */
  readonly decompressors: Promise<Decompressors>
  /** Undefined: JavaScript reads the integers of pages. */
  readonly hybrid: WasmHybrid | undefined
}

/** The bytes that all columns together read ahead, and the limits for each column. */
const READ_AHEAD_BYTES = 32 << 20
const MIN_READ_AHEAD_BYTES = 16 << 10
const MAX_READ_AHEAD_BYTES = 256 << 10

/** Reads the rows of a Parquet file in blocks, one row group after the other. */
export class BlockReader {
  readonly #file: ParquetFile
  /** For what is read of pages. */
  readonly #memory = new ChunkMemory()
  #bytesRead = 0
  /** The index of the current row group. */
  #group = -1
  #readers: readonly ColumnReader[] = []
  /** Rows of the group that were not read. */
  #left = 0

  constructor(file: ParquetFile) {
    this.#file = file
  }

  /** The bytes of the pages that were read; at the end the size of the file. */
  get bytesRead(): number {
    return this.#bytesRead
  }

  /** The bytes of a row in the pages when they are unpacked, on average. */
  get bytesPerRow(): number {
    const { row_groups: groups, num_rows: rows } = this.#file.metadata
    const bytes = groups.reduce((sum, group) => sum + Number(group.total_byte_size), 0)
    return bytes / Math.max(1, Number(rows))
  }

  close(): Promise<void> {
    return this.#file.bytes.close()
  }

  /**
   * Returns the next rows; undefined after the last ones. A block ends where a page of one of its columns
   * ends. The block is held for the caller, who may release it.
   * @param maxRows the most rows of the block
   */
  async next(maxRows: number): Promise<Block | undefined> {
    while (this.#left === 0) if (!(await this.#nextGroup())) return undefined
    await this.#fillAll()
    const length = Math.min(maxRows, this.#left, ...this.#readers.map(({ available }) => available))
    this.#left -= length
    const block = { length, columns: this.#readers.map(reader => reader.take(length)) }
    holdBlock(block)
    return block
  }

  /** Returns false after the last group. */
  async #nextGroup(): Promise<boolean> {
    const { bytes, metadata } = this.#file
    const rest = this.#readers.findIndex(({ available }) => available > 0)
    if (rest >= 0) throw damaged(this.#place(rest), new Error('It has more rows'))
    for (const reader of this.#readers) reader.close()
    const group = metadata.row_groups[++this.#group]
    if (!group) {
      this.#bytesRead = bytes.byteLength
      return false
    }
    this.#readers = this.#openGroup(group, await this.#file.decompressors)
    this.#left = Number(group.num_rows)
    return true
  }

  #openGroup(group: RowGroup, decompressors: Decompressors): ColumnReader[] {
    const { bytes, columns, hybrid } = this.#file
    const { allocate } = this.#memory
    const share = READ_AHEAD_BYTES / group.columns.length
    const readAheadBytes = Math.max(MIN_READ_AHEAD_BYTES, Math.min(MAX_READ_AHEAD_BYTES, share))
    const onRead = (read: number) => {
      this.#bytesRead += read
    }
    let next = 0
    return columns.map((column, at) => {
      const pages = column.leaves.map(leaf => {
        const chunk = chunkOf(group, next++, this.#place(at))
        const { path, element } = leaf.path.at(-1)!
        const found = chunk.path_in_schema.join('.')
        if (found !== path.join('.') || chunk.type !== element.type) {
          throw damaged(this.#place(at), new Error(`Found ${found} of ${chunk.type}`))
        }
        return new PageReader({ file: bytes, leaf, chunk, decompressors, readAheadBytes, onRead, allocate })
      })
      return column.flat
        ? new FlatReader(pages[0]!, allocate, hybrid)
        : new NestedReader(column, pages, allocate, hybrid)
    })
  }

  /** Makes rows of all columns available. Their pages are read at the same time. */
  async #fillAll(): Promise<void> {
    const fills = this.#readers.map((reader, at) => reader.available === 0 && this.#fill(reader, at))
    const [failed] = (await Promise.allSettled(fills)).filter(({ status }) => status === 'rejected')
    if (failed) throw (failed as PromiseRejectedResult).reason
  }

  async #fill(reader: ColumnReader, column: number): Promise<void> {
    try {
      await reader.fill()
      if (reader.available === 0) throw new Error('It has fewer rows')
    } catch (error) {
      throw damaged(this.#place(column), error)
    }
  }

  #place(column: number): string {
    return `${this.#file.name}: row group ${this.#group + 1}, column "${this.#file.columns[column]!.name}"`
  }
}

function chunkOf(group: RowGroup, index: number, place: string): ColumnMetaData {
  const chunk = group.columns[index]
  if (chunk?.file_path) throw new SourceError(`${place}: its data are in another file, ${chunk.file_path}`)
  if (chunk?.crypto_metadata) throw new SourceError(`${place}: it is encrypted`)
  if (!chunk?.meta_data) throw damaged(place, new Error('The footer does not say where it is'))
  return chunk.meta_data
}
