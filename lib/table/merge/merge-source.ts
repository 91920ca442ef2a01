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

/** Creates a staging table with the columns and types of the target, without constraints. COMMIT drops it. */
export function createStagingStatement(staging: string, { table, columns, names, numbered }: Merge): string {
  const { ordinal, shape } = names
  const numbers = [`0 AS ${quoteIdentifier(ordinal)}`, `0 AS ${quoteIdentifier(shape)}`]
  const select = [...columns.map(({ name }) => quoteIdentifier(name)), ...(numbered ? numbers : [])]
  return (
    `CREATE TEMP TABLE ${quoteIdentifier(staging)} ON COMMIT DROP AS ` +
    `SELECT ${select.join(', ')} FROM ${quoteTable(table)} WITH NO DATA`
  )
}

/** Inserts the rows of a source into a numbered staging table. */
export function stageStatement(staging: string, { names }: Merge, { from, columns }: RowSource): string {
  const list = quoteList([...columns.map(({ name }) => name), names.ordinal, names.shape])
  return `INSERT INTO pg_temp.${quoteIdentifier(staging)} (${list}) SELECT ${list} FROM ${from}`
}

/** Empties a staging table. */
export function clearStagingStatement(staging: string): string {
  return `TRUNCATE pg_temp.${quoteIdentifier(staging)}`
}

/**
 * The rows of a staging table. Its columns are those of the target: values are already rounded, padded and
 * collated.
 */
export function stagedRows(merge: Merge, staging: string, shapes: readonly MergeShape[]): RowSource {
  const columns = columnsOf(merge, shapes)
  const table = `pg_temp.${quoteIdentifier(staging)}`
  return {
    from: merge.numbered ? `${table} AS pg_batch` : numberedByCtid(table, merge, columns, shapes[0]!),
    shapes,
    columns,
    isTyped: true,
    keyOf: ({ name }, alias) => qualified(name, alias),
    valueOf: ({ name }, alias) => qualified(name, alias),
  }
}

/** Numbers rows by ctid: the order in which they were written, because none was deleted. */
function numberedByCtid(
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
 * Rows that are parameters, numbered in their order: an array for each column of the shapes, and one of the
 * numbers of the shapes.
 */
export function parameterRows(merge: Merge, shapes: readonly MergeShape[]): RowSource {
  const columns = columnsOf(merge, shapes)
  const { ordinal, shape } = merge.names
  const { from, cells } = unnested(columns, ['shape'])
  const select = [
    ...columns.map(({ name }, index) => `${cells[index]} AS ${quoteIdentifier(name)}`),
    `given.ordinal::int - 1 AS ${quoteIdentifier(ordinal)}`,
    `given.shape AS ${quoteIdentifier(shape)}`,
  ]
  return {
    from: `(SELECT ${select.join(', ')} FROM ${from}) AS pg_batch${withoutTruncated(merge, shapes)}`,
    shapes,
    columns,
    isTyped: false,
    keyOf: keyOfParameters,
    valueOf: (column, alias) => asStored(qualified(column.name, alias), column),
  }
}

/**
 * An array for each column, as an item of FROM that is called `given`: its `ordinal` counts from 1.
 * @param numbers the names of further arrays, of integers
 * @returns also the value of each column, of the type without a modifier
 */
export function unnested(
  columns: readonly MergeColumn[],
  numbers: readonly string[] = [],
): { readonly from: string; readonly cells: readonly string[] } {
  const types = [...columns.map(({ elementType = 'text' }) => elementType), ...numbers.map(() => 'int')]
  const arrays = types.map((type, index) => `$${index + 1}::${type}[]`)
  const names = [...columns.map((_, index) => `c${index}`), ...numbers, 'ordinal']
  return {
    from: `unnest(${arrays.join(', ')}) WITH ORDINALITY AS given (${names.join(', ')})`,
    cells: columns.map(({ elementType, baseType }, index) =>
      elementType ? `given.c${index}` : `given.c${index}::${baseType}`,
    ),
  }
}

/** Returns a value as its column stores it, or as it is if the column would refuse it as too long. */
export function asStored(value: string, { baseType, sqlType, truncated }: MergeColumn): string {
  const given = `${value}::${baseType}`
  if (!truncated) return sqlType === baseType ? given : `(${given})::${sqlType}`
  const cut = `(${given})::${sqlType}`
  return `CASE WHEN rtrim((${cut})::text) = rtrim((${given})::text) THEN ${cut} ELSE ${given} END`
}

function keyOfParameters({ name, sqlType, collation }: MergeColumn, alias?: string): string {
  return `(${qualified(name, alias)}::${sqlType})${collation === undefined ? '' : ` COLLATE ${collation}`}`
}

function qualified(name: string, alias: string | undefined): string {
  return alias === undefined ? quoteIdentifier(name) : `${alias}.${quoteIdentifier(name)}`
}

/**
 * Leaves out deletes whose key is too long for its column: no row can have that key, and a cast would shorten
 * it to one that a row may have.
 */
function withoutTruncated(merge: Merge, shapes: readonly MergeShape[]): string {
  const columns = keyColumns(merge).filter(column => column.truncated)
  const numbers = deletesAmong(shapes)
  if (columns.length === 0 || numbers.length === 0) return ''
  // blanks at the end do not count: an assignment drops them, too
  const whole = columns.map(({ name, sqlType }) => {
    const value = quoteIdentifier(name)
    return `rtrim((${value}::${sqlType})::text) = rtrim(${value}::text)`
  })
  const deletes = `${quoteIdentifier(merge.names.shape)} IN (${numbers.join(', ')})`
  return ` WHERE NOT (${deletes}) OR (${whole.join(' AND ')})`
}
