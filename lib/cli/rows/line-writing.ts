import type { JsonColumns } from '../../encode/row-encoder.ts'
import type { BlockLines, JsonRecord } from '../../json/record.ts'
import { parsedLine } from '../../sources/json/ndjson.ts'
import type { SourceRow } from '../../sources/rows.ts'
import type { KeyMatches } from '../columns/match-keys.ts'
import { KeyColumns, type KeyOptions } from './key-columns.ts'
import { loadJsonEncoder } from './load-wasm-encoder.ts'

/** How lines of NDJSON are written. */
export interface LineWriting {
  /** Returns true for lines that are written as they are. Others are parsed, and their rows are written. */
  readonly arePlain: (lines: BlockLines) => boolean
  /** Returns the row of a line, with columns as keys. */
  readonly rowOf: (record: JsonRecord) => SourceRow
  /** How lines are written as they are; undefined: none is. */
  readonly json: JsonColumns | undefined
}

export interface LineOptions extends KeyOptions {
  readonly matches: KeyMatches
  /** Fits a row to the table. */
  readonly shape: (row: SourceRow) => SourceRow
  /** Each row has to be looked at before it is written, or INSERT writes it. */
  readonly parsesAll: boolean
}

/** Plans to write lines from their bytes where a row would say the same. */
export function planLines({ matches, shape, parsesAll, ...options }: LineOptions): LineWriting {
  const rowOf = (record: JsonRecord): SourceRow => matches.rename(parsedLine(record))
  if (parsesAll) return { arePlain: () => false, rowOf, json: undefined }
  const keys = new KeyColumns(matches, options)
  const { columnOf, arePlain } = keys
  const json = { columnOf, rowOf: (record: JsonRecord) => shape(rowOf(record)), wasm: loadJsonEncoder() }
  return { arePlain, rowOf, json }
}
