import { BLOCK, BlockRow, INDEX } from '../../columnar/block-row.ts'
import { BlockTable } from '../../columnar/block-table.ts'
import { codecFor } from '../codecs/codec-for.ts'
import type { BlockColumns, EncodeRows, RowEncoderOptions } from '../row-contract.ts'
import type { RowList } from '../row-list.ts'
import { ColumnEncoder } from './column-encoder.ts'
import { type Run, runByColumn, runInWasm } from './encode-run.ts'
import { MAX_RUN } from './field-run.ts'

/** Before the first rows are encoded, so many are tried. */
const FIRST_RUN = 64

/** A few more than fit on average: too few would need another call, for a row or two. */
const SPARE = 1.02

/**
 * Returns a function that encodes rows of blocks, by WebAssembly where it takes the values of all columns,
 * and elsewhere column by column. A row with a value that a codec refuses ends the rows that are encoded.
 * Returns undefined where a column is not one of the layout's.
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
  const encodeInWasm = wasm && runInWasm(wasm, encoders, staging)
  const encodeByColumn = runByColumn(encoders, staging)
  /** The average size of the rows that were encoded last. */
  let rowBytes = 0

  return (out, rows, from, firstOrdinal, limit) => {
    const start = out.length
    const fitting = rowBytes === 0 ? FIRST_RUN : Math.ceil(((limit - start) / rowBytes) * SPARE)
    const found = runFrom(rows, from, Math.min(MAX_RUN, Math.max(1, fitting)))
    if (!found) return from
    const run = { ...found, ordinalOf: (row: number) => firstOrdinal + rows.itemAt(from + row) }
    const encoded = encodeInWasm?.(out, run, limit) || encodeByColumn(out, run, limit)
    if (encoded > 0) rowBytes = (out.length - start) / encoded
    return from + encoded
  }
}

/** Returns the rows from one on, up to so many; undefined if it is not the row of a block. */
function runFrom(rows: RowList, from: number, most: number): Omit<Run, 'ordinalOf'> | undefined {
  const end = Math.min(rows.length, from + most)
  if (from >= end) return undefined
  if (rows.table instanceof BlockTable) {
    const { block, shift, next } = rows.table.runOf(from)
    return { block, index: from + shift, count: Math.min(next, end) - from }
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
