import { crc32 } from 'node:zlib'
import type { ColumnMetaData, PageHeader } from 'hyparquet'
import { parquetHeader } from 'hyparquet/src/column.js'
import { type Allocate, holdChunk, releaseChunk } from '../../values/chunk-memory.ts'
import { formatCount } from '../../values/format-count.ts'
import { isOutOfAddressSpace, OUT_OF_ADDRESS_SPACE } from '../../wasm/out-of-address-space.ts'
import { SourceError } from '../source-error.ts'
import { checkRuns } from './check-runs.ts'
import type { Leaf } from './columns.ts'
import type { Decompressors } from './decompress.ts'
import type { FileBytes } from './file-bytes.ts'
import { checkStruct } from './pages/check-thrift.ts'
import { type PageDecoder, type UnpackedPage, unpackPage } from './unpack-page.ts'

const NOTHING = Buffer.from(new ArrayBuffer(0))

export interface PageReaderOptions {
  readonly file: FileBytes
  readonly leaf: Leaf
  /** The leaf's values in one row group. */
  readonly chunk: ColumnMetaData
  readonly decompressors: Decompressors
  /** Bytes to read at a time, unless a page is larger. */
  readonly readAheadBytes: number
  /** For what is read, and for the pages that are unpacked. */
  readonly allocate: Allocate
  /** Called with the number of bytes of each page that is read. */
  readonly onRead: (bytes: number) => void
}

/**
 * Reads the pages of one leaf of a row group, and unpacks and checks them. Memory holds one page, however
 * large the row group is. hyparquet's documented functions read a row group's column as a whole. This uses
 * its internal functions that read pages; the version range in package.json makes sure that they do not
 * change.
 */
export class PageReader {
  /** Decodes pages that are unpacked. */
  readonly decoder: PageDecoder
  readonly #options: PageReaderOptions
  readonly #packed: PageDecoder
  readonly #end: number
  #position: number
  #window = NOTHING
  #windowStart = 0
  #valuesLeft: number

  constructor(options: PageReaderOptions) {
    const { leaf, chunk } = options
    this.#options = options
    this.#packed = {
      pathInSchema: chunk.path_in_schema,
      type: chunk.type,
      element: leaf.path.at(-1)!.element,
      schemaPath: [...leaf.path],
      codec: chunk.codec,
      compressors: options.decompressors(options.allocate),
      parsers: RAW_PARSERS,
      utf8: false,
    }
    this.decoder = { ...this.#packed, codec: 'UNCOMPRESSED' }
    const first = Number(chunk.data_page_offset)
    const dictionary = Number(chunk.dictionary_page_offset ?? 0)
    this.#position = dictionary > 0 && dictionary < first ? dictionary : first
    this.#end = this.#position + Number(chunk.total_compressed_size)
    this.#valuesLeft = Number(chunk.num_values)
  }

  get leaf(): Leaf {
    return this.#options.leaf
  }

  /**
   * Returns the next page of data or of the dictionary; undefined after the last one. The next call may write
   * to the memory of a page that nothing holds.
   */
  async next(): Promise<UnpackedPage | undefined> {
    while (this.#valuesLeft > 0) {
      const { header, bytes } = await this.#readPage()
      if (header.type === 'DICTIONARY_PAGE') {
        checkPageValues(dictionaryValues(header))
        return unpackPage(header, bytes, this.#packed, this.#options.allocate)
      }
      if (header.type === 'DATA_PAGE' || header.type === 'DATA_PAGE_V2') {
        this.#valuesLeft -= checkedValues(header, this.#valuesLeft)
        const page = unpackPage(header, bytes, this.#packed, this.#options.allocate)
        checkRuns(page, this.leaf, this.decoder.type)
        return page
      }
    }
    return undefined
  }

  /** Releases what was read of the file. */
  close(): void {
    releaseChunk(this.#window)
    this.#window = NOTHING
  }

  async #readPage(): Promise<{ header: PageHeader; bytes: Uint8Array }> {
    if (this.#position >= this.#end) throw new Error('The pages have fewer values than the column')
    const { header, start } = await this.#readHeader()
    const size = header.compressed_page_size
    if (!(size >= 0)) throw new Error(`A page of ${size} bytes`)
    await this.#need(start, size)
    const offset = start - this.#windowStart
    const bytes = this.#window.subarray(offset, offset + size)
    if (bytes.length < size) throw new Error('The file ends within a page')
    if (header.crc !== undefined && (crc32(bytes) | 0) !== (header.crc | 0)) {
      throw new Error('A page has another checksum')
    }
    this.#options.onRead(start + size - this.#position)
    this.#position = start + size
    return { header, bytes }
  }

  /**
   * Reads a header. Its length is not known before, so it is read again with more bytes if these were too
   * few.
   */
  async #readHeader(): Promise<{ header: PageHeader; start: number }> {
    for (let bytes = FIRST_HEADER_BYTES; ; bytes *= 4) {
      await this.#need(this.#position, bytes)
      const reader = { view: viewOf(this.#window), offset: this.#position - this.#windowStart }
      try {
        checkStruct(reader.view, reader.offset)
        return { header: parquetHeader(reader), start: this.#windowStart + reader.offset }
      } catch (error) {
        const windowEnd = this.#windowStart + this.#window.length
        if (windowEnd >= this.#end || bytes >= this.#options.file.byteLength) throw error
      }
    }
  }

  /** Reads these bytes into the window, and some that follow, unless the window has them. */
  async #need(start: number, bytes: number): Promise<void> {
    const { file, readAheadBytes, allocate } = this.#options
    const windowEnd = this.#windowStart + this.#window.length
    if (start >= this.#windowStart && Math.min(start + bytes, file.byteLength) <= windowEnd) return
    const end = Math.max(start + bytes, Math.min(start + readAheadBytes, this.#end))
    this.close() // the next bytes may be read into the same memory
    this.#window = await file.read(start, end, allocate)
    holdChunk(this.#window)
    this.#windowStart = start
  }
}

function dictionaryValues({ dictionary_page_header: dictionary }: PageHeader): number {
  if (!(dictionary && dictionary.num_values >= 0)) throw new Error('A dictionary without a number of values')
  return dictionary.num_values
}

/**
 * Returns the number of a page's values. Checks its lengths: without them hyparquet reads the first byte
 * forever.
 */
function checkedValues(header: PageHeader, most: number): number {
  const { data_page_header: v1, data_page_header_v2: v2, compressed_page_size: size } = header
  const values = (v1 ?? v2)?.num_values ?? -1
  checkPageValues(values)
  if (values < 0 || values > most) throw new Error(`A page of ${values} values, where ${most} are left`)
  if (v1) return values
  const lengths = [v2?.repetition_levels_byte_length, v2?.definition_levels_byte_length]
  if (lengths.some(length => !(length !== undefined && length >= 0 && length <= size))) {
    throw new Error(`A page with levels of ${lengths.join(' and ')} bytes`)
  }
  return values
}

/** The limit of a page's values, which are in memory together. A few bytes may encode any number of NULLs. */
const MAX_PAGE_VALUES = 8 * 1024 * 1024

function checkPageValues(count: number): void {
  if (count <= MAX_PAGE_VALUES) return
  throw new SourceError(
    `a page holds ${formatCount(count)} values, and no more than ${formatCount(MAX_PAGE_VALUES)} are read ` +
      'at a time: write the file with smaller pages or row groups',
  )
}

/** Most headers are shorter. Statistics of long texts make them longer. */
const FIRST_HEADER_BYTES = 256

/**
 * Parsers that change nothing. Without logical types hyparquet only parses INT96, which it makes nanoseconds.
 */
const RAW_PARSERS = new Proxy({} as PageDecoder['parsers'], {
  get: () => (value: unknown) => value,
})

function viewOf({ buffer, byteOffset, byteLength }: Uint8Array): DataView<ArrayBuffer> {
  return new DataView(buffer as ArrayBuffer, byteOffset, byteLength)
}

/** Returns the error for data that cannot be decoded, whatever hyparquet threw. */
export function damaged(where: string, error: unknown): Error {
  if (error instanceof SourceError) return new SourceError(`${where}: ${error.message}`, { cause: error })
  if ((error as NodeJS.ErrnoException).syscall !== undefined) return error as Error
  const codec = /unsupported compression codec: (?!undefined)(\w+)/.exec((error as Error).message)?.[1]
  if (codec)
    return new SourceError(`${where}: is packed with ${codec}, which cannot be read`, { cause: error })
  const what = isOutOfAddressSpace(error) ? OUT_OF_ADDRESS_SPACE : 'are damaged or cut off'
  return new SourceError(`${where}: the data ${what}`, { cause: error })
}
