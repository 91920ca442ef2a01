import type { ColumnMetaData, FileMetaData } from 'hyparquet'
import { parquetMetadata } from 'hyparquet'
import { detachABuffer } from '../../wasm/detach-a-buffer.ts'
import type { Source, SourceColumn } from '../source.ts'
import { SourceError } from '../source-error.ts'
import { isPacked } from '../unpack/unpack.ts'
import { BlockReader } from './block-reader.ts'
import { columnsOf, type ParquetColumn } from './columns.ts'
import { loadDecompressors } from './decompress.ts'
import { FileBytes } from './file-bytes.ts'
import { MAGIC, packedParquet } from './magic.ts'
import { checkStruct } from './pages/check-thrift.ts'
import { loadWasmHybrid } from './pages/wasm/wasm-hybrid.ts'
import { ParquetBatches } from './parquet-batches.ts'
import { ParquetRows } from './parquet-rows.ts'

const BATCH_ROWS = 1000

/**
 * Opens a Parquet file and reads its footer, which names its columns and their types.
 * @param batchRows the number of rows in an array of `Source.blocks`
 */
export async function openParquet(path: string, batchRows = BATCH_ROWS): Promise<Source> {
  const bytes = await FileBytes.open(path)
  detachABuffer()
  try {
    await checkMarks(bytes, path)
    const metadata = await readFooter(bytes, path)
    const columns = columnsOf(metadata, path)
    const decompressors = loadDecompressors(chunksOf(metadata))
    decompressors.catch(() => {}) // reported when a page is unpacked
    const reader = new BlockReader({
      ...{ name: path, bytes, metadata, columns, decompressors },
      hybrid: loadWasmHybrid(),
    })
    const streamed = { name: path, columns, reader }
    return {
      name: path,
      format: 'parquet',
      header: columns.map(column => column.name),
      columns: columns.map(column => describe(column, metadata)),
      rows: new ParquetRows(streamed),
      blocks: new ParquetBatches(streamed, batchRows),
      notes: [],
      description: 'parquet',
    }
  } catch (error) {
    await bytes.close()
    const known = error instanceof SourceError || (error as NodeJS.ErrnoException).syscall !== undefined
    throw known ? error : damagedFooter(path, error)
  }
}

/** The length of the two marks and of the footer's length. */
const MIN_BYTES = 12

async function checkMarks(bytes: FileBytes, name: string): Promise<void> {
  const { byteLength } = bytes
  const head = await bytes.read(0, MAGIC.length)
  const tail = await bytes.read(Math.max(0, byteLength - MAGIC.length), byteLength)
  if (isPacked(head, name)) throw packedParquet(name)
  if (head.toString('latin1') === 'PARE') throw new SourceError(`${name}: the Parquet file is encrypted`)
  if (head.toString('latin1') !== MAGIC) {
    throw new SourceError(`${name}: it does not begin as a Parquet file does; say what it is with --format`)
  }
  if (tail.toString('latin1') !== MAGIC || byteLength < MIN_BYTES) {
    throw new SourceError(`${name}: it does not end as a Parquet file does; is it cut off?`)
  }
}

async function readFooter(bytes: FileBytes, name: string): Promise<FileMetaData> {
  const metadata = parquetMetadata(await footerOf(bytes), { geoparquet: false })
  const rows = metadata.row_groups.reduce((sum, group) => sum + group.num_rows, 0n)
  if (rows !== metadata.num_rows)
    throw damagedFooter(name, `${metadata.num_rows} rows, ${rows} in row groups`)
  if (metadata.schema.some(element => element.name === undefined))
    throw damagedFooter(name, 'A column without a name')
  return metadata
}

/** The footer's length, and the mark at the end of the file. */
const END_BYTES = 8

/** Returns the footer to the end of the file, checked. */
async function footerOf(bytes: FileBytes): Promise<Buffer> {
  const { byteLength } = bytes
  const length = (await bytes.read(byteLength - END_BYTES, byteLength)).readUInt32LE(0)
  const start = byteLength - END_BYTES - length
  if (start < MAGIC.length) throw new Error(`A footer of ${length} bytes`)
  const footer = await bytes.read(start, byteLength)
  checkStruct(new DataView(footer.buffer, footer.byteOffset, length), 0)
  return footer
}

function chunksOf({ row_groups }: FileMetaData): ColumnMetaData[] {
  return row_groups.flatMap(({ columns }) => columns.flatMap(({ meta_data }) => meta_data ?? []))
}

function damagedFooter(name: string, cause: unknown): SourceError {
  return new SourceError(`${name}: the end of the Parquet file, which says what is in it, is damaged`, {
    cause,
  })
}

function describe(column: ParquetColumn, { row_groups }: FileMetaData): SourceColumn {
  const { name, sqlType, required, flat, leaves } = column
  const hasNoNull = () => row_groups.length > 0 && row_groups.every(group => nullsOf(group, name) === 0n)
  return {
    name,
    type: sqlType,
    always: required || (flat && hasNoNull()),
    hasJsonWithin: !flat && leaves.some(({ type }) => type.sqlType === 'jsonb'),
    nanoseconds: leaves.some(({ type }) => type.nanoseconds),
  }
}

/** Returns the number of NULLs in the statistics; undefined if there are none. */
function nullsOf(group: FileMetaData['row_groups'][number], column: string): bigint | undefined {
  const chunk = group.columns.find(({ meta_data }) => meta_data?.path_in_schema[0] === column)
  return chunk?.meta_data?.statistics?.null_count
}
