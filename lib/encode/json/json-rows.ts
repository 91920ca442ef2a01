import { LineTable } from '../../json/line-table.ts'
import { type BlockLines, type JsonBlock, JsonRecord } from '../../json/record.ts'
import type { Column } from '../../types.ts'
import { codecFor } from '../codecs/codec-for.ts'
import type { OwnCodecs } from '../codecs/own-codec.ts'
import type { EncodeRows, JsonColumns, RowEncoder, RowEncoderOptions, Staging } from '../row-contract.ts'
import type { RowList } from '../row-list.ts'
import { WASM_KIND } from '../wasm/wasm-kind.ts'
import { whileCommon } from '../while-common.ts'
import { tupleFieldsOf } from '../wire/binary-format.ts'
import { takesOf } from './json-types.ts'
import type { JsonPlan } from './wasm/json-encoder.ts'

/** About as many as fit into the memory of the module: the objects of lines are looked at one by one. */
const MAX_LINES = 512

/** Returns a row as an object: a record is parsed. */
export function objectOf(row: object, json: JsonColumns | undefined): object {
  return json && row instanceof JsonRecord ? json.rowOf(row) : row
}

/**
 * Returns an encoder of rows that are objects, or lines of an NDJSON file that stand for them. Lines are
 * encoded from their bytes if the format is binary, and parsed otherwise.
 * @param objects the encoder of objects
 */
export function makeJsonRowEncoder(
  objects: RowEncoder,
  json: JsonColumns,
  { columns, own, staging }: RowEncoderOptions,
): RowEncoder {
  return {
    ...objects,
    row: (out, row, ordinal) => objects.row(out, objectOf(row, json), ordinal),
    rows: objects.format === 'binary' ? makeWasmRows(json, columns, own, staging) : undefined,
  }
}

function makeWasmRows(
  { wasm, columnOf }: JsonColumns,
  columns: readonly Column[],
  own: OwnCodecs | undefined,
  staging: Staging | undefined,
): EncodeRows | undefined {
  if (!wasm || columns.length > wasm.maxColumns) return undefined
  // a type that the module does not know has no kind, and only NULLs are written
  const kinds = columns.map(({ type }) => WASM_KIND[codecFor(type, own).wasm ?? 'skipped'])
  const common = {
    kinds: Uint8Array.from(kinds),
    takes: Uint8Array.from(columns, ({ type }) => takesOf(type)),
    tupleFields: tupleFieldsOf(columns.length, staging),
    shape: staging?.shape,
  }
  let plan: JsonPlan | undefined
  let planned: Pick<JsonBlock, 'keys' | 'width'> | undefined
  const planFor = ({ keys, width }: JsonBlock): JsonPlan => {
    // a file has few new keys after its first lines
    if (plan && planned?.keys === keys && planned.width === width) return plan
    const columnOfKey = keys.slice(0, width).map(columnOf)
    planned = { keys, width }
    plan = { ...common, keys: Int32Array.from(columns, ({ name }) => columnOfKey.indexOf(name)) }
    return plan
  }
  return whileCommon((out, rows, from, firstOrdinal, limit) => {
    const lines = linesFrom(rows, from)
    if (!lines) return from
    return from + wasm.encode(planFor(lines.block), out, lines, firstOrdinal + rows.itemAt(from), limit)
  })
}

/** Returns the rows from one on as lines of a block that follow each other; undefined if it is no line. */
function linesFrom(rows: RowList, from: number): BlockLines | undefined {
  if (rows.table instanceof LineTable) return rows.table.blockFrom(from)
  const first = rows.at(from)
  if (!(first instanceof JsonRecord)) return undefined
  const { block, index } = first
  const item = rows.itemAt(from)
  let count = 1
  for (; from + count < rows.length && count < MAX_LINES; count++) {
    const record = rows.at(from + count)
    if (!(record instanceof JsonRecord) || record.block !== block || record.index !== index + count) break
    if (rows.itemAt(from + count) !== item + count) break
  }
  return { block, from: index, to: index + count }
}
