import { brotliCompressSync, gzipSync } from 'node:zlib'
import type { CompressionCodec, SchemaElement } from 'hyparquet'
import { ByteWriter, parquetWrite } from 'hyparquet-writer'

export type Element = Omit<SchemaElement, 'name'> & { name?: string }

/** A column of a file that a test makes. */
export interface MadeColumn {
  readonly name: string
  /** Its element, and those below it. */
  readonly schema: readonly Element[]
  readonly data: readonly unknown[]
  readonly encoding?: string
}

export interface MadeFile {
  readonly codec?: CompressionCodec
  readonly rowGroupSize?: number
  readonly pageSize?: number
  /** The program that has written the file. */
  readonly createdBy?: string
}

/** The bytes of a Parquet file, as hyparquet-writer makes them. */
export function parquetOf(columns: readonly MadeColumn[], options: MadeFile = {}): Buffer {
  const writer = new ByteWriter()
  parquetWrite({
    writer,
    columnData: columns.map(({ name, data, encoding }) => ({ name, data, encoding }) as never),
    schema: [
      { name: 'root', num_children: columns.length },
      ...columns.flatMap(({ name, schema }) =>
        schema.map(
          (element, index) =>
            ({
              name,
              repetition_type: 'OPTIONAL',
              ...(index === 0 ? { name } : {}),
              ...element,
            }) as SchemaElement,
        ),
      ),
    ],
    compressors: COMPRESSORS,
    ...options,
  })
  return Buffer.from(writer.getBuffer())
}

/**
 * Calls every column of fixed length INT96. The writer has no such type, but stores it as it stores twelve
 * bytes.
 */
export function asInt96(file: Buffer): Buffer {
  const end = file.length - 8
  for (let at = end - file.readUInt32LE(end); at < end; at++) {
    if (file[at] === 0x15 && file[at + 1] === 14) file[at + 1] = 6
  }
  return file
}

/** A file of numbered rows: an id, and a text with it. */
export function numbered(count: number, options: MadeFile & { from?: number } = {}): Buffer {
  const { from = 1, ...file } = options
  const ids = Array.from({ length: count }, (_, i) => from + i)
  return parquetOf(
    [
      { name: 'id', schema: [{ type: 'INT32' }], data: ids },
      {
        name: 'note',
        schema: [{ type: 'BYTE_ARRAY', converted_type: 'UTF8' }],
        data: ids.map(id => `row ${id}`),
      },
    ],
    file,
  )
}

/** For the codecs that Node has no packer of, what a packer makes that finds nothing to shorten. */
const COMPRESSORS: Partial<Record<CompressionCodec, (input: Uint8Array) => Uint8Array>> = {
  GZIP: input => gzipSync(input),
  BROTLI: input => brotliCompressSync(input),
  ZSTD: input =>
    Buffer.concat([Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0xa0]), int32(input.length), rawBlocks(input)]),
  LZ4_RAW: literals,
  LZ4: input => {
    const packed = literals(input)
    return Buffer.concat([int32(input.length).reverse(), int32(packed.length).reverse(), packed])
  },
}

/** @see https://www.rfc-editor.org/rfc/rfc8878#name-blocks */
function rawBlocks(input: Uint8Array): Buffer {
  const blocks: Buffer[] = []
  for (let at = 0; at === 0 || at < input.length; at += ZSTD_BLOCK_BYTES) {
    const block = input.subarray(at, at + ZSTD_BLOCK_BYTES)
    const last = at + ZSTD_BLOCK_BYTES >= input.length ? 1 : 0
    blocks.push(int32((block.length << 3) | last).subarray(0, 3), Buffer.from(block))
  }
  return Buffer.concat(blocks)
}

const ZSTD_BLOCK_BYTES = 1 << 16

/** One sequence without a match. @see https://github.com/lz4/lz4/blob/dev/doc/lz4_Block_format.md */
function literals(input: Uint8Array): Buffer {
  if (input.length < 15) return Buffer.concat([Buffer.from([input.length << 4]), input])
  const rest = input.length - 15
  const length = [...Array<number>(Math.floor(rest / 255)).fill(255), rest % 255]
  return Buffer.concat([Buffer.from([0xf0, ...length]), input])
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32LE(value)
  return bytes
}
