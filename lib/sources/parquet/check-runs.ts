import type { ParquetType } from 'hyparquet'
import type { Leaf } from './columns.ts'
import { bitWidth } from './pages/hybrid.ts'
import type { UnpackedPage } from './unpack-page.ts'

/** The position in the bytes of a page. */
interface Walk {
  readonly view: DataView
  offset: number
}

/**
 * Throws for a data page with a run of more values than the page has. hyparquet writes as many values as a
 * run has, and a run of a damaged file may have two thousand million: they would fill the memory and end the
 * process.
 * @see https://parquet.apache.org/docs/file-format/data-pages/encodings/ "Run Length Encoding"
 */
export function checkRuns({ header, bytes }: UnpackedPage, leaf: Leaf, type: ParquetType): void {
  const { data_page_header: v1, data_page_header_v2: v2 } = header
  const { num_values: count, encoding } = (v1 ?? v2)!
  const walk = { view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), offset: 0 }
  checkLevels(walk, leaf.maxRepetition, count, v2?.repetition_levels_byte_length)
  checkLevels(walk, leaf.maxDefinition, count, v2?.definition_levels_byte_length)
  if (type === 'BOOLEAN' && encoding === 'RLE') checkSection(walk, 1, count, length(walk))
  else if (encoding === 'RLE_DICTIONARY' || encoding === 'PLAIN_DICTIONARY') {
    const width = walk.view.getUint8(walk.offset++)
    if (width > 0) checkSection(walk, width, count, bytes.length - walk.offset)
  }
}

function checkLevels(walk: Walk, most: number, count: number, byteLength: number | undefined): void {
  if (most > 0) checkSection(walk, bitWidth(most), count, byteLength ?? length(walk))
  else walk.offset += byteLength ?? 0
}

/** Checks the runs of a section, and moves to its end. */
function checkSection(walk: Walk, width: number, count: number, byteLength: number): void {
  const end = walk.offset + byteLength
  for (let seen = 0; seen < count && walk.offset < end; ) {
    const head = varInt(walk)
    const isPacked = (head & 1) === 1
    const values = isPacked ? (head >>> 1) * 8 : head >>> 1
    if (!isPacked && values > count) throw new Error(`A run of ${values} values in a page of ${count}`)
    walk.offset += isPacked ? (head >>> 1) * width : (width + 7) >> 3
    seen += values
  }
  walk.offset = end
}

/** Reads the length in bytes that precedes a section. */
function length(walk: Walk): number {
  walk.offset += 4
  return walk.view.getUint32(walk.offset - 4, true)
}

function varInt(walk: Walk): number {
  let result = 0
  for (let shift = 0; shift < 35; shift += 7) {
    const byte = walk.view.getUint8(walk.offset++)
    result |= (byte & 0x7f) << shift
    if (byte < 0x80) break
  }
  return result
}
