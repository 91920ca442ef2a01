import { streamOf } from '../../sources/source.ts'
import { quoteTable } from '../../table/identifier.ts'
import type { Table } from '../../types.ts'
import { checkConflict, checkKeyIsWritten, describeConflict } from '../columns/check-conflict.ts'
import { checkRequired } from '../columns/check-required.ts'
import { chooseColumns } from '../columns/choose-columns.ts'
import { checksOfRuns } from '../columns/new-columns.ts'
import { whyText } from '../columns/why-text.ts'
import { execute, uniqueIndexesOf } from '../database/table.ts'
import { dryRun } from './dry-run.ts'
import { type LoadTarget, type LoadTask, writeRows } from './load-task.ts'
import {
  changedTable,
  changeFor,
  columnsOfEarlierRun,
  futureColumn,
  NO_NEW_COLUMNS,
  newColumnsOf,
  shownSql,
  tableOf,
  withColumns,
} from './table-changes.ts'
import { withoutEmptyLast } from './text-files/last-field.ts'
import { waitingForServer } from './waiting-for-server.ts'

/** Loads into a table that exists. */
export async function loadIntoExisting(whole: LoadTask): Promise<void> {
  const { database, args, notify } = whole
  const table = await waitingForServer(whole, () => tableOf(whole))
  const task = await withoutEmptyLast(whole, table)
  const { source } = task
  await checkConflict(args, table, () => waitingForServer(task, () => uniqueIndexesOf(database, table)))
  const news = args.evolve ? await newColumnsOf(task, table) : NO_NEW_COLUMNS
  const future = { ...table, columns: [...table.columns, ...news.added.map(futureColumn)] }
  const choice = chooseColumns(source, future, args)
  checkKeyIsWritten(args, choice, source.name)
  checkRequired(args, table, choice, source.name)
  for (const note of choice.notes) notify(note)
  const earlier = await columnsOfEarlierRun(task, table)
  const checks = checksOfRuns(earlier, news, source, args)
  const { rows = streamOf(source), added, inferred } = news
  if (args.dryRun) return dryRunExisting(task, table, news, { choice, rows, checks })
  if (args.truncate) await emptyTable(task, table)
  await writeRows(task, {
    table: await withColumns(task, table, added),
    choice,
    rows,
    checks,
    added: added.length,
    inferred,
  })
}

/** Shows the plan, and tries the rows in the table as it would be, which is rolled back. */
async function dryRunExisting(
  task: LoadTask,
  table: Table,
  news: typeof NO_NEW_COLUMNS,
  { choice, rows, checks }: Pick<LoadTarget, 'choice' | 'rows' | 'checks'>,
): Promise<void> {
  const { args } = task
  const isUpsert = args.onConflict !== undefined || args.onConflictDo !== undefined
  const emptied = args.truncate ? 'emptied first (TRUNCATE)' : 'appended to'
  const what = args.replace ? 'replaced by these rows' : emptied
  const change = changeFor(table, news)
  await dryRun(task, {
    table: await waitingForServer(task, () => changedTable(task, table, change)),
    choice,
    rows,
    checks,
    title: `${args.table}, ${what}${describeConflict(args)}`,
    columns: [...table.columns, ...news.added].map(({ name }) => name),
    format: whyText(table, choice.columns, isUpsert),
    begin: [...(args.truncate ? [truncateSql(table)] : []), ...change],
    ...(change.length > 0 ? { sql: shownSql(table, news.added) } : {}),
  })
}

async function emptyTable(task: LoadTask, table: Table): Promise<void> {
  const { database, args, notify } = task
  await waitingForServer(task, () =>
    execute(database, truncateSql(table), { done: 'emptied', table: args.table, privileges: 'TRUNCATE' }),
  )
  notify(`${args.table}: emptied`)
}

function truncateSql(table: Table): string {
  return `TRUNCATE ${quoteTable(table)}`
}
