import type { Block } from '../../columnar/block.ts'
import { BLOCK, BlockRow, INDEX } from '../../columnar/block-row.ts'
import { BlockTable } from '../../columnar/block-table.ts'
import { codecFor } from '../codecs/codec-for.ts'
import type { BlockColumns, EncodeRows, RowEncoderOptions } from '../row-contract.ts'
import type { RowList } from '../row-list.ts'
import type { ByteBuffer } from '../wire/byte-buffer.ts'
import { ColumnEncoder } from './column-encoder.ts'
import { MAX_RUN } from './field-run.ts'
import { putColumn } from './put-column.ts'

/** The bytes of the number of a tuple's fields, and of the two fields that a staging table has besides. */
const COUNT_BYTES = 2
const STAGING_BYTES = 16

/** A longer row is left to the encoder of single rows, which knows the limits of a message. */
const MAX_ROW_BYTES = 64 << 20

/** Before the first rows are encoded, so many are tried. */
const FIRST_RUN = 64

/** A few more than fit on average: too few would need another call, for a row or two. */
const SPARE = 1.02

/**
 * Returns a function that encodes rows of blocks, by WebAssembly where it takes the values of all columns.
 * Elsewhere it goes column by column: it finds the bytes of each column's values, adds up where each row
 * begins, and then copies one column after the other to its places. A row with a value that a codec refuses
 * ends the rows that are encoded. Returns undefined where a column is not one of the layout's.
 */
export function makeColumnarRows(
  { layout, wasm }: BlockColumns,
  { columns, own, staging }: Pick<RowEncoderOptions, 'columns' | 'own' | 'staging'>,
): EncodeRows | undefined {
  const encoders: ColumnEncoder[] = []
  for (const { name, type } of columns) {
    const field = layout.fields.find(one => one.name === name)
    if (!field) return undefined
    encoders.push(new ColumnEncoder(field, codecFor(type, own), type))
  }
  const tupleFields = encoders.length + (staging ? 2 : 0)
  const extra = COUNT_BYTES + (staging ? STAGING_BYTES : 0)
  const encodesInWasm = wasm && encoders.length <= wasm.maxColumns
  const sizes = new Int32Array(MAX_RUN)
  const places = new Int32Array(MAX_RUN)
  let usual = 0

  return (out, rows, from, firstOrdinal, limit) => {
    const room = limit - out.length
    const wanted = usual === 0 ? FIRST_RUN : Math.min(MAX_RUN, Math.max(1, Math.ceil((room / usual) * SPARE)))
    const run = runFrom(rows, from, wanted)
    if (!run) return from
    let { count } = run
    if (encodesInWasm) {
      const length = out.length
      const columns = encoders.map(encoder => {
        const { chunk, start } = run.block.columns[encoder.source]!
        return encoder.wasmColumnOf(chunk, start + run.index, count)
      })
      const ordinalOf = (row: number) => firstOrdinal + rows.itemAt(from + row)
      const ofStaging = staging && { shape: staging.shape, ordinalOf }
      const encoded = wasm.encode({ columns, staging: ofStaging }, out, limit)
      if (encoded > 0) {
        usual = (out.length - length) / encoded
        return from + encoded
      }
    }
    sizes.fill(extra, 0, count)
    for (const encoder of encoders) {
      const { chunk, start } = run.block.columns[encoder.source]!
      count = encoder.locate(chunk, start + run.index, count)
      addSizes(sizes, encoder, count)
    }
    let total = 0
    let i = 0
    for (; i < count && total < room && sizes[i]! <= MAX_ROW_BYTES; i++) {
      places[i] = out.length + total
      total += sizes[i]!
    }
    count = i
    if (count === 0) return from
    usual = total / count
    out.reserve(total)
    beginTuples(out, places, count, tupleFields)
    for (const encoder of encoders) putColumn(out, places, encoder, count)
    if (staging) putStaging(out, places, count, i => firstOrdinal + rows.itemAt(from + i), staging.shape)
    out.length += total
    return from + count
  }
}

/** Rows that follow each other in one block: from the one with this index in it on. */
interface Run {
  readonly block: Block
  readonly index: number
  readonly count: number
}

/** Returns the rows from one on, up to so many; undefined if it is not the row of a block. */
function runFrom(rows: RowList, from: number, most: number): Run | undefined {
  const end = Math.min(rows.length, from + most)
  if (from >= end) return undefined
  if (rows.table instanceof BlockTable) {
    const { block, start, first, next } = rows.table.runOf(from)
    return { block, index: start + from - first, count: Math.min(next, end) - from }
  }
  const row = rows.at(from)
  if (!(row instanceof BlockRow)) return undefined
  const { [BLOCK]: block, [INDEX]: index } = row
  let at = from + 1
  for (; at < end; at++) {
    const other = rows.at(at)
    if (!(other instanceof BlockRow) || other[BLOCK] !== block || other[INDEX] !== index + at - from) break
  }
  return { block, index, count: at - from }
}

function addSizes(sizes: Int32Array, { fields: { lengths }, head }: ColumnEncoder, count: number): void {
  const more = 4 + head.length
  for (let i = 0; i < count; i++) {
    const length = lengths[i]!
    sizes[i] = sizes[i]! + (length < 0 ? 4 : more + length)
  }
}

function beginTuples({ view }: ByteBuffer, places: Int32Array, count: number, fields: number): void {
  for (let i = 0; i < count; i++) {
    view.setInt16(places[i]!, fields)
    places[i] = places[i]! + COUNT_BYTES
  }
}

function putStaging(
  { view }: ByteBuffer,
  places: Int32Array,
  count: number,
  ordinalOf: (index: number) => number,
  shape: number,
): void {
  for (let i = 0; i < count; i++) {
    const at = places[i]!
    view.setInt32(at, 4)
    view.setInt32(at + 4, ordinalOf(i))
    view.setInt32(at + 8, 4)
    view.setInt32(at + 12, shape)
  }
}
