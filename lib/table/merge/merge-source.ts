import { quoteIdentifier, quoteList, quoteTable } from '../identifier.ts'
import {
  columnsOf,
  deletesAmong,
  keyColumns,
  type Merge,
  type MergeColumn,
  type MergeShape,
  type RowSource,
} from './merge.ts'

/** A staging table with the target's columns and types and none of its constraints, gone at COMMIT. */
export function createStagingStatement(staging: string, { table, columns, names, numbered }: Merge): string {
  const { ordinal, shape } = names
  const numbers = [`0 AS ${quoteIdentifier(ordinal)}`, `0 AS ${quoteIdentifier(shape)}`]
  const select = [...columns.map(({ name }) => quoteIdentifier(name)), ...(numbered ? numbers : [])]
  return (
    `CREATE TEMP TABLE ${quoteIdentifier(staging)} ON COMMIT DROP AS ` +
    `SELECT ${select.join(', ')} FROM ${quoteTable(table)} WITH NO DATA`
  )
}

/** Empties a staging table. */
export function clearStagingStatement(staging: string): string {
  return `TRUNCATE pg_temp.${quoteIdentifier(staging)}`
}

/** Rows of a staging table. Its columns are the target's: their values are rounded, padded and collated already. */
export function stagedRows(merge: Merge, staging: string, shapes: readonly MergeShape[]): RowSource {
  const columns = columnsOf(merge, shapes)
  const table = `pg_temp.${quoteIdentifier(staging)}`
  return {
    from: merge.numbered ? `${table} AS pg_batch` : numberedByPlace(table, merge, columns, shapes[0]!),
    shapes,
    columns,
    keyOf: ({ name }, alias) => qualified(name, alias),
  }
}

/** A row that is written later is behind those that were written before, since none is ever deleted. */
function numberedByPlace(
  table: string,
  { names }: Merge,
  columns: readonly MergeColumn[],
  { number }: MergeShape,
): string {
  const list = quoteList(columns.map(({ name }) => name))
  return (
    `(SELECT ${list}, (row_number() OVER (ORDER BY ctid))::int AS ${quoteIdentifier(names.ordinal)}, ` +
    `${number} AS ${quoteIdentifier(names.shape)} FROM ${table}) AS pg_batch`
  )
}

/**
 * Rows that are parameters, numbered row by row.
 * @param rows for each row, the number of its shape
 */
export function parameterRows(
  merge: Merge,
  shapes: readonly MergeShape[],
  rows: readonly number[],
): RowSource {
  const columns = columnsOf(merge, shapes)
  const brought = new Map(shapes.map(shape => [shape.number, new Set(shape.columns)]))
  const typed = new Set<MergeColumn>()
  let parameter = 0
  const tuples = rows.map((shape, ordinal) => {
    const cells = columns.map(column => {
      // without a type, since a domain may be NOT NULL
      if (!brought.get(shape)!.has(column.name)) return 'NULL'
      const value = `$${++parameter}`
      // the first casts give the whole list its types
      if (typed.has(column)) return value
      typed.add(column)
      return `${value}::${column.baseType}`
    })
    return `(${[...cells, ordinal, shape].join(', ')})`
  })
  const { ordinal, shape } = merge.names
  const names = [...columns.map(column => column.name), ordinal, shape]
  const from = `(VALUES ${tuples.join(', ')}) AS pg_batch (${quoteList(names)})`
  return { from: from + withoutTruncated(merge, shapes), shapes, columns, keyOf: keyOfParameters }
}

function keyOfParameters({ name, sqlType, collation }: MergeColumn, alias?: string): string {
  return `(${qualified(name, alias)}::${sqlType})${collation === undefined ? '' : ` COLLATE ${collation}`}`
}

function qualified(name: string, alias: string | undefined): string {
  return alias === undefined ? quoteIdentifier(name) : `${alias}.${quoteIdentifier(name)}`
}

/**
 * Leaves out deletes whose key is too long for its column: no row has it, and a cast would make it one that some row
 * may well have.
 */
function withoutTruncated(merge: Merge, shapes: readonly MergeShape[]): string {
  const columns = keyColumns(merge).filter(column => column.truncated)
  const numbers = deletesAmong(shapes)
  if (columns.length === 0 || numbers.length === 0) return ''
  // blanks at the end are no loss; an assignment drops them, too
  const whole = columns.map(({ name, sqlType }) => {
    const value = quoteIdentifier(name)
    return `rtrim((${value}::${sqlType})::text) = rtrim(${value}::text)`
  })
  const deletes = `${quoteIdentifier(merge.names.shape)} IN (${numbers.join(', ')})`
  return ` WHERE NOT (${deletes}) OR (${whole.join(' AND ')})`
}
