import { PgBatchError } from '../../errors.ts'
import { parseJsonRow } from '../../sources/json/json-row.ts'
import { RAW_KEY } from '../../sources/malformed.ts'
import { isRow, type SourceRow } from '../../sources/rows.ts'
import type { Table } from '../../types.ts'
import { RawJson } from '../../values/exact-json.ts'
import { NO_TEXT_KEY, OPERATION_KEY } from '../../write/rejects/dead-letter.ts'
import { asText, type FitValue, fittersOf } from './fit-value.ts'
import { fitRow } from './shape-row.ts'

/**
 * Returns the `row` in a line of a file with rejected rows. Any other line is a row itself. If the table has
 * a column for every key of the wrapper, each line is a row.
 */
export function unwrapRejected(table: Table): (line: SourceRow) => SourceRow {
  const keys = wrapperKeysOf(table)
  return line => {
    const wrapped = keys.length > 0 && keys.every(key => key in line)
    return wrapped ? (rowIn(line.row) ?? line) : line
  }
}

/** Returns the keys that a line has which holds a rejected row of this table. None: each line is a row. */
export function wrapperKeysOf(table: Table): readonly string[] {
  // a table may have a column `row`, but hardly all of these
  const ambiguous = WRAPPER_KEYS.every(key => table.columns.some(column => column.name === key))
  return ambiguous ? [] : WRAPPER_KEYS
}

/** Returns a row inside a line, or undefined. */
function rowIn(value: unknown): SourceRow | undefined {
  const row = value instanceof RawJson ? parseJsonRow(value.text) : value
  return isRow(row) ? row : undefined
}

const WRAPPER_KEYS = ['batch_id', 'row_index', 'code', 'row'] as const

/**
 * Fits a rejected row to its table, in place. Its values are the texts that were sent, also for json columns.
 * Values that were corrected by hand may be plain JSON.
 * @throws PgBatchError for a row to delete, for a malformed record, and for a value without text that was not
 *   replaced
 */
export function replayShaper(table: Table): (row: SourceRow) => SourceRow {
  const fitters = fittersOf(table, { lists: 'json', jsonTexts: 'json' })
  const fitterOf =
    (column: string): FitValue =>
    value => {
      if (hasNoText(value)) throw withoutText(column)
      return (fitters.get(column) ?? asText)(value)
    }
  const hasRawColumn = table.columns.some(({ name }) => name === RAW_KEY)
  return row => {
    if (OPERATION_KEY in row) throw notToBeWritten()
    if (RAW_KEY in row && !hasRawColumn) throw stillMalformed(Object.keys(row).length > 1)
    return fitRow(row, fitterOf)
  }
}

function hasNoText(value: unknown): boolean {
  if (!(value instanceof RawJson) || !value.text.includes(NO_TEXT_KEY)) return false
  return NO_TEXT_KEY in (value.value as object)
}

function withoutText(column: string): PgBatchError {
  const what = `Column ${JSON.stringify(column)}: the value had no text when the row was rejected`
  const reason = `${what}; write a value in its place`
  return new PgBatchError('VALUE_NOT_ENCODABLE', reason, { outcome: 'not-sent', column })
}

function stillMalformed(hasFields: boolean): PgBatchError {
  const reason = hasFields
    ? `The record had too few or too many fields: put each under its column, and remove ${RAW_KEY}`
    : `The record was malformed and has no fields: write them in place of ${RAW_KEY}`
  return new PgBatchError('ROW_INVALID', reason, { outcome: 'not-sent' })
}

function notToBeWritten(): PgBatchError {
  const hint = `delete it in the table, or remove its key ${OPERATION_KEY} to write it`
  const reason = `The row was to be deleted, not written: ${hint}`
  return new PgBatchError('ROW_INVALID', reason, { outcome: 'not-sent' })
}
