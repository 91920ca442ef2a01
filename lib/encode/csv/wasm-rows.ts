import type { Column } from '../../types.ts'
import { codecFor } from '../codecs/codec-for.ts'
import type { CsvColumns, EncodeRows, Staging } from '../row-contract.ts'
import { WASM_KIND } from '../wasm/wasm-kind.ts'
import { whileCommon } from '../while-common.ts'
import { tupleFieldsOf } from '../wire/binary-format.ts'
import type { WasmPlan } from './wasm/wasm-encoder.ts'

/**
 * Returns a function that encodes common records in WebAssembly. Returns undefined for a table or a dialect
 * that the module does not know.
 */
export function makeWasmRows(
  csv: CsvColumns,
  columns: readonly Column[],
  staging: Staging | undefined,
): EncodeRows | undefined {
  const { wasm } = csv
  const plan = wasm && planOf(csv, columns, staging)
  if (!plan || plan.kinds.length > wasm.maxFields) return undefined
  return whileCommon((out, rows, from, firstOrdinal, limit) =>
    wasm.encode(plan, out, rows, from, firstOrdinal, limit),
  )
}

function planOf(
  { format, fields }: CsvColumns,
  columns: readonly Column[],
  staging: Staging | undefined,
): WasmPlan | undefined {
  const { delimiter, quote, escape: escapeBy, nulls, forceNull } = format
  if (forceNull || nulls.some(text => text !== '')) return undefined
  if (quote !== undefined && escapeBy !== quote) return undefined
  const kinds: number[] = []
  for (const name of fields) {
    const column = columns.find(one => one.name === name)
    const kind = column ? codecFor(column.type).wasm : 'skipped'
    if (!kind) return undefined
    kinds.push(WASM_KIND[kind])
  }
  return {
    delimiter: delimiter.charCodeAt(0),
    quote: quote === undefined ? -1 : quote.charCodeAt(0),
    emptyIsNull: nulls.includes(''),
    kinds: Uint8Array.from(kinds),
    tupleFields: tupleFieldsOf(columns.length, staging),
    shape: staging?.shape,
  }
}
