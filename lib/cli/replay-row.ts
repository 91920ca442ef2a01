import { toJsonText } from '../exact-json.ts'
import { isRow, type SourceRow } from '../sources/rows.ts'
import type { Table } from '../types.ts'
import { columnsOf, isJson, isText, withoutLongNumbers, writeListsAsJson } from './shape-row.ts'

/** Takes the `row` out of a line of a file with rejected rows; a line whose row was taken out is the row itself. */
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
 * Fits a rejected row to its table once more, in place. What its json columns hold is JSON text already, as it was
 * sent; what was mended there may be plain JSON.
 */
export function replayShaper(table: Table): (row: SourceRow) => SourceRow {
  const json = columnsOf(table, isJson)
  const text = columnsOf(table, isText)
  return row => {
    writeListsAsJson(row, text)
    for (const key in row) {
      const value = row[key]
      if (value === null || value === undefined) continue
      if (!json.has(key)) row[key] = withoutLongNumbers(value)
      else if (typeof value !== 'string') row[key] = toJsonText(value)
    }
    return row
  }
}
