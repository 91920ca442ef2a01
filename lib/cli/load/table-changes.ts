import type { SourceRow } from '../../sources/rows.ts'
import { type AddedColumn, alterTableSql } from '../../table/alter-table.ts'
import { keepIdentity } from '../../table/insertable.ts'
import type { Column, Table } from '../../types.ts'
import { type NewColumns, planNewColumns } from '../columns/new-columns.ts'
import { addColumns, LOCK_TIMEOUT_MS } from '../database/add-columns.ts'
import { findTable, tableAfter } from '../database/table.ts'
import { dataError } from '../exit-error.ts'
import { readNewColumns } from '../resume/resume-record.ts'
import { unwrapRejected } from '../rows/replay-row.ts'
import { shortSql } from '../terminal/visible.ts'
import { interruptible, type LoadTask } from './load-task.ts'
import { waitingForServer } from './waiting-for-server.ts'

/** Without --evolve a table stays as it is. */
export const NO_NEW_COLUMNS: Partial<NewColumns> & Pick<NewColumns, 'added'> = { added: [] }

/** Looks for names that the table lacks. */
export function newColumnsOf(task: LoadTask, table: Table): Promise<NewColumns> {
  const { source, reopen, args } = task
  if (table.kind === 'view' || table.kind === 'foreign') {
    throw dataError(`--evolve alters tables, and ${args.table} is a ${KINDS[table.kind]}`)
  }
  const unwrap = source.format === 'ndjson' ? unwrapRejected(table) : (row: SourceRow) => row
  return interruptible(task, () => planNewColumns(source, reopen, table, args, unwrap))
}

const KINDS = { view: 'view', foreign: 'foreign table' } as const

/**
 * Returns the columns that --evolve has added before --resume continued the load, except those that were
 * altered since.
 */
export async function columnsOfEarlierRun(task: LoadTask, table: Table): Promise<NewColumns['added']> {
  const { database, args } = task
  const { evolve, resume } = args
  if (!evolve || resume === undefined) return []
  const added = await waitingForServer(task, () => readNewColumns(database.pool, resume))
  const typeOf = new Map(table.columns.map(({ name, type }) => [name, type.name]))
  return added.filter(({ name, type }) => typeOf.get(name) === (NAMES[type] ?? type))
}

/** The names in the catalogue of types that have another one in SQL. */
const NAMES: Readonly<Record<string, string>> = {
  boolean: 'bool',
  integer: 'int4',
  bigint: 'int8',
  'double precision': 'float8',
}

/** Returns the statement with a line for each column. */
export function shownSql(table: Table, added: readonly AddedColumn[]): string {
  return alterTableSql(table, { added, widened: [] }, '\n  ')
}

/** A column that is not there yet, for what is planned by name. */
export function futureColumn({ name }: AddedColumn): Pick<Column, 'name' | 'generated' | 'identity'> {
  return { name, generated: false, identity: 'none' }
}

/** Returns the statements by which a dry run has the columns, in a transaction that is rolled back. */
export function changeFor(table: Table, { added }: Pick<NewColumns, 'added'>): string[] {
  if (added.length === 0) return []
  return [`SET LOCAL lock_timeout = ${LOCK_TIMEOUT_MS}`, alterTableSql(table, { added, widened: [] })]
}

/** Returns the table as a dry run changes it. */
export async function changedTable(
  { database, args }: LoadTask,
  table: Table,
  change: string[],
): Promise<Table> {
  if (change.length === 0) return table
  return identityOf(
    await tableAfter(database, change.join('; '), { done: 'altered', table: args.table }),
    args,
  )
}

/** Adds the columns, and introspects the table again. */
export async function withColumns(task: LoadTask, table: Table, added: NewColumns['added']): Promise<Table> {
  if (added.length === 0) return table
  const { database, args, notify, signal } = task
  const altered = await waitingForServer(task, () => addColumns(database, table, added, signal))
  if (altered && args.log === 'json') notify(`${altered.sql};`)
  else if (altered) for (const line of shortSql(`${shownSql(table, altered.added)};`)) notify(line)
  return waitingForServer(task, () => tableOf(task))
}

/** Introspects the table, with its identity columns as --identity says. */
export async function tableOf({ database, args }: LoadTask): Promise<Table> {
  return identityOf(await findTable(database, args.table), args)
}

function identityOf(table: Table, { identity }: LoadTask['args']): Table {
  return identity === 'keep' ? keepIdentity(table) : table
}
