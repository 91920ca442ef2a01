import type { Readable } from 'node:stream'
import type { Sources } from '../../sources/open-sources.ts'
import { firstRepeated } from '../../sources/repeated.ts'
import type { SourceRow } from '../../sources/rows.ts'
import type { SourceColumn } from '../../sources/source.ts'
import { parseTableName } from '../../table/identifier.ts'
import type { CreateArguments } from '../arguments/create-arguments.ts'
import type { InputArguments } from '../arguments/input-arguments.ts'
import { dataError } from '../exit-error.ts'
import { type ColumnChoice, chooseColumns, SKIPPED } from './choose-columns.ts'
import { type ColumnChecks, createTableSql, type NewColumn } from './create-table.ts'
import { sampleColumns } from './sample-columns.ts'

/** A table that is not made yet. */
export interface NewTable {
  readonly sql: string
  readonly columns: readonly string[]
  readonly choice: ColumnChoice
  /** The rows from the first on. For CSV and NDJSON these are arrays of records or lines. */
  readonly rows: Readable
  /** The checks of values, if not all rows were looked at. */
  readonly checks: ColumnChecks | undefined
}

export type NewTableOptions = CreateArguments &
  Pick<InputArguments, 'map' | 'decimalSeparator'> & {
    readonly table: string
    readonly columns?: readonly string[]
  }

/** Plans a table by the file's own types, or by types inferred from its rows. Nothing is written yet. */
export async function planTable(
  source: Sources,
  reopen: () => Promise<Sources>,
  args: NewTableOptions,
): Promise<NewTable> {
  const choice = chooseColumns(source, futureTable(source, args), args)
  return source.columns
    ? describedTable(source, source.columns, choice, args)
    : await inferredTable(source, reopen, choice, args)
}

/** The file's types need no checks here: the server checks its values. */
function describedTable(
  source: Sources,
  described: readonly SourceColumn[],
  choice: ColumnChoice,
  args: NewTableOptions,
): NewTable {
  const columns = choice.pairs.map(([key, name]) => {
    const column = described.find(column => column.name === key)!
    return { ...column, name }
  })
  if (args.columns) columns.sort((a, b) => args.columns!.indexOf(a.name) - args.columns!.indexOf(b.name))
  const rounded = columns.filter(({ name, nanoseconds }) => nanoseconds && !args.type?.has(name))
  const note = ({ name }: NewColumn) =>
    `${source.name}: "${name}" may have nanoseconds, which are rounded to microseconds ` +
    `(--type "${name}=text" keeps them)`
  return {
    sql: createTableSql(parseTableName(args.table), columns, args),
    columns: columns.map(({ name }) => name),
    choice: { ...choice, notes: [...choice.notes, ...rounded.map(note)] },
    rows: source.rows,
    checks: undefined,
  }
}

/** Infers a table from the first rows, or from all rows of a second reading. */
async function inferredTable(
  source: Sources,
  reopen: () => Promise<Sources>,
  choice: ColumnChoice,
  args: NewTableOptions,
): Promise<NewTable> {
  const keep = (row: SourceRow) => only(choice.columns, choice.rename?.(row) ?? row)
  const { columns, rows, checks } = await sampleColumns(source, reopen, { names: choice.columns, keep, args })
  const isWritten = (name: string) => choice.columns?.includes(name) ?? true
  const names = new Set(columns.map(({ name }) => name))
  const isChecked = (name: string) => isWritten(name) && (names.has(name) || !args.evolve)
  return {
    sql: createTableSql(parseTableName(args.table), columns, args),
    columns: [...names],
    choice,
    rows,
    checks: checks && (name => (isChecked(name) ? checks(name) : undefined)),
  }
}

/**
 * Returns the columns that are known before the rows are read. For JSON these are only the columns of the
 * options.
 */
function futureTable(source: Sources, { table, columns, map = new Map() }: NewTableOptions) {
  const names = columns?.filter(name => name !== SKIPPED) ??
    source.header?.map(name => map.get(name) ?? name) ?? [...map.values()]
  const twice = firstRepeated(names)
  if (twice !== undefined) throw dataError(`${source.name}: two columns would be called "${twice}"`)
  return { name: table, columns: names.map(name => ({ name, generated: false, identity: 'none' as const })) }
}

function only(columns: readonly string[] | undefined, row: SourceRow): SourceRow {
  if (!columns) return row
  const kept: SourceRow = {}
  for (const name of columns) if (name in row) kept[name] = row[name]
  return kept
}
