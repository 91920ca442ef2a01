import { kindOfCell } from '../sniff/cell-fit.ts'
import type { ColumnEvidence } from './column-evidence.ts'

/**
 * Returns true if it is beyond doubt that a short record lacks its last fields, and not others: its fields
 * look like those of their columns, and none is empty beside which a delimiter may be missing.
 */
export function lacksLastFields(fields: readonly string[], columns: readonly ColumnEvidence[]): boolean {
  if (!fitsColumns(fields, columns)) return false
  if (fields.some((text, index) => text === '' && columns[index]!.isFilled)) return false
  const lacking = Array.from({ length: columns.length - fields.length }, () => '')
  return !innerEmptyFields(fields).some(index => {
    const other = [...fields.slice(0, index), ...lacking, ...fields.slice(index)]
    return fitsColumns(other, columns)
  })
}

/**
 * Returns true if it is beyond doubt that the last fields of a long record, which are empty, are too many,
 * and not an empty field before them.
 */
export function hasExtraLastFields(fields: readonly string[], columns: readonly ColumnEvidence[]): boolean {
  const kept = fields.slice(0, columns.length)
  if (!fitsColumns(kept, columns)) return false
  return !innerEmptyFields(kept).some(index => fitsColumns(fields.toSpliced(index, 1), columns))
}

/**
 * Returns the index of the empty field that is too many, if the other fields look like those of their columns
 * without it, and only without it.
 */
export function extraEmptyField(
  fields: readonly string[],
  columns: readonly ColumnEvidence[],
): number | undefined {
  if (fields.length !== columns.length + 1 || fitsColumns(fields.slice(0, columns.length), columns))
    return undefined
  const found = innerEmptyFields(fields).filter(index => fitsColumns(fields.toSpliced(index, 1), columns))
  return found.length === 1 ? found[0] : undefined
}

/**
 * Returns true if a quote begins inside one of the unquoted fields, and ends with a later one: the delimiters
 * between them may be text.
 */
export function mayBeOneField(unquoted: readonly string[], quote: string): boolean {
  const isOdd = (text: string) => text.split(quote).length % 2 === 0
  const first = unquoted.findIndex(text => isOdd(text) && !text.endsWith(quote))
  return first >= 0 && unquoted.slice(first + 1).some(text => isOdd(text) && text.endsWith(quote))
}

/** Returns the indexes of the first of each run of empty fields that a value follows. */
function innerEmptyFields(fields: readonly string[]): number[] {
  const last = fields.findLastIndex(text => text !== '')
  return fields.flatMap((text, index) =>
    text === '' && index < last && fields[index - 1] !== '' ? [index] : [],
  )
}

/** Returns true if no field looks unlike the others of its column. Empty fields fit each column. */
export function fitsColumns(fields: readonly string[], columns: readonly ColumnEvidence[]): boolean {
  return columns.every(({ kind }, index) => {
    const text = fields[index] ?? ''
    return kind === undefined || text === '' || kindOfCell(text.trim()) === kind
  })
}
