import type { PageHeader } from 'hyparquet'
import type { readPage } from 'hyparquet/src/column.js'
import { decompressPage } from 'hyparquet/src/datapage.js'
import { type Allocate, giveBackUnlessHeld } from '../../values/chunk-memory.ts'
import { SourceError } from '../source-error.ts'

export type PageDecoder = Parameters<typeof readPage>[2]

/** A page as in a file of uncompressed pages. */
export interface UnpackedPage {
  readonly header: PageHeader
  readonly bytes: Uint8Array
}

/** The limit of a value in PostgreSQL, and so of a page with one value. */
const MAX_PAGE_BYTES = 1024 * 1024 * 1024

/**
 * Unpacks a page. In version 2 the levels at its start are never packed.
 * @param allocate for levels and values together
 */
export function unpackPage(
  header: PageHeader,
  packed: Uint8Array,
  decoder: PageDecoder,
  allocate: Allocate,
): UnpackedPage {
  const { uncompressed_page_size: size, data_page_header_v2: v2 } = header
  const { codec } = decoder
  if (Number(size) > MAX_PAGE_BYTES) {
    throw new SourceError('a page is larger than 1 GiB: write the file with smaller pages')
  }
  if (codec === 'UNCOMPRESSED' || v2?.is_compressed === false) return { header, bytes: packed }
  if (!v2) {
    const bytes = unpack(packed, Number(size), decoder)
    return { header: { ...header, compressed_page_size: bytes.length }, bytes }
  }
  const levels = v2.repetition_levels_byte_length + v2.definition_levels_byte_length
  const values = unpack(packed.subarray(levels), Number(size) - levels, decoder)
  const bytes = allocate(levels + values.length)
  bytes.set(packed.subarray(0, levels))
  bytes.set(values, levels)
  giveBackUnlessHeld(values)
  return {
    header: {
      ...header,
      compressed_page_size: bytes.length,
      data_page_header_v2: { ...v2, is_compressed: false },
    },
    bytes,
  }
}

/** Unpacks bytes. LZ4 packs no bytes into one byte, which hyparquet-compressors refuses. */
function unpack(packed: Uint8Array, size: number, { codec, compressors }: PageDecoder): Uint8Array {
  return size === 0 ? new Uint8Array() : decompressPage(packed, size, codec, compressors)
}
