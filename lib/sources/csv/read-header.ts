import { firstRepeated } from '../repeated.ts'
import { SourceError } from '../source-error.ts'
import { columnName, columnNames } from './header-names.ts'

/** The names of a file's columns. */
export interface Header {
  readonly names: readonly string[]
  /** The names of columns that the file leaves without one, such as `column_7`. */
  readonly unnamed: readonly string[]
  /** The file has no name for the last column. */
  readonly isLastUnnamed: boolean
  /** The names that were changed, so that they can be columns, a line each. That of the last is not here. */
  readonly notes: readonly string[]
}

/**
 * Why a header does not name the fields of its records, which all have the same number of fields. A file of
 * R's `write.table` has no name for its first column, the names of the rows. Records that end with a
 * delimiter have a last field, which is empty.
 */
export type HeaderFault = 'lacks the first name' | 'lacks the last name' | 'extra empty names'

export interface HeaderOptions {
  /** Make names that can be columns of those that cannot. @default false: repeated ones are an error */
  readonly fitsNames?: boolean | undefined
  readonly headerFault?: HeaderFault | undefined
}

/**
 * Returns the names of a header.
 * @param rows the records of the header, whose texts are joined
 * @throws SourceError if a name is repeated
 */
export function headerOf(
  rows: readonly (readonly string[])[],
  file: string,
  { fitsNames = false, headerFault }: HeaderOptions,
): Header {
  const found = corrected(joinedRows(rows), headerFault)
  const { names, changes } = fitsNames ? columnNames(found) : { names: found, changes: [] }
  const twice = firstRepeated(names.filter(isNamed))
  if (twice !== undefined) throw new SourceError(`${file}: the header names "${twice}" twice`)
  const all = names.map((name, field) => (isNamed(name) ? name : nameBeyond(names, field)))
  const unnamed = all.filter((_, field) => !isNamed(names[field]!))
  const isLastUnnamed = found.length > 1 && !isNamed(found.at(-1)!)
  const others = fitsNames && isLastUnnamed ? changes.slice(0, -1) : changes
  return { names: all, unnamed, isLastUnnamed, notes: [...faultNotes(headerFault, found.length), ...others] }
}

/** @param width the number of fields of the records */
function faultNotes(fault: HeaderFault | undefined, width: number): string[] {
  if (fault === 'extra empty names') return ['the header has extra empty names, which are left out']
  if (fault !== 'lacks the last name') return []
  // a delimiter may be missing between two names, too: the last column of all records may just be empty
  const counts = `the header has ${width - 1} names, and the records have ${width} fields, the last one empty`
  return [`${counts}: if a delimiter is missing in the header, the names after it are one column off`]
}

function corrected(names: string[], fault: HeaderFault | undefined): string[] {
  if (fault === 'lacks the first name') return ['', ...names]
  if (fault === 'lacks the last name') return [...names, '']
  return fault === 'extra empty names' ? names.filter(isNamed) : names
}

/** Returns the names of the columns of a file without a header: column_1, column_2 and so on. */
export function generatedHeader(width: number): Header {
  const names = Array.from({ length: width }, (_, field) => columnName(field))
  return { names, unnamed: [], isLastUnnamed: false, notes: [] }
}

/** Returns a name for a field without a column, different from all columns. */
export function nameBeyond(header: readonly string[], field: number): string {
  let name = columnName(field)
  while (header.includes(name)) name += '_'
  return name
}

/** Joins the texts of each column. */
function joinedRows(rows: readonly (readonly string[])[]): string[] {
  if (rows.length === 1) return [...rows[0]!]
  const width = Math.max(...rows.map(row => row.length))
  const textsOf = (index: number) => rows.map(row => row[index] ?? '').filter(isNamed)
  return Array.from({ length: width }, (_, index) => textsOf(index).join(' '))
}

function isNamed(column: string): boolean {
  return column.trim() !== ''
}
