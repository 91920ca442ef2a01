import { PgBatchError } from '../errors.ts'
import { toJsonText } from '../exact-json.ts'
import { isRow, type SourceRow } from '../sources/rows.ts'
import type { Table } from '../types.ts'
import { NO_TEXT_KEY } from '../write/dead-letter.ts'
import { columnsOf, isJson, isText, withoutLongNumbers, writeListsAsJson } from './shape-row.ts'

/**
 * Takes the `row` out of a line of a file with rejected rows; a line whose row was taken out is the row itself. Where
 * the table has a column for every key of the wrapper, a line is its row as it stands.
 */
export function unwrapRejected(table: Table): (line: SourceRow) => SourceRow {
  // a table may have a column `row` of its own, but hardly all of these
  const ambiguous = WRAPPER_KEYS.every(key => table.columns.some(column => column.name === key))
  return line => {
    const wrapped = !ambiguous && WRAPPER_KEYS.every(key => key in line)
    return wrapped && isRow(line.row) ? line.row : line
  }
}

const WRAPPER_KEYS = ['batch_id', 'row_index', 'code', 'row'] as const

/**
 * Fits a rejected row to its table once more, in place. It holds texts, as they were sent, those of its json columns
 * included; what was fixed by hand may be plain JSON.
 * @throws PgBatchError for a value that had no text and was not replaced
 */
export function replayShaper(table: Table): (row: SourceRow) => SourceRow {
  const json = columnsOf(table, isJson)
  const text = columnsOf(table, isText)
  return row => {
    writeListsAsJson(row, text)
    for (const key in row) {
      const value = row[key]
      if (value === null || value === undefined) continue
      if (isRow(value) && NO_TEXT_KEY in value) throw withoutText(key)
      if (!json.has(key)) row[key] = withoutLongNumbers(value)
      else if (typeof value !== 'string') row[key] = toJsonText(value)
    }
    return row
  }
}

function withoutText(column: string): PgBatchError {
  const reason = `Column ${JSON.stringify(column)}: the value had no text when the row was rejected; put one in its place`
  return new PgBatchError('VALUE_NOT_ENCODABLE', reason, { outcome: 'not-sent', column })
}
