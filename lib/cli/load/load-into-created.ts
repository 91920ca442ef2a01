import { checkConflict, checkNewConflict, describeConflict } from '../columns/check-conflict.ts'
import { type NewTable, planTable } from '../columns/create.ts'
import { checksOfRuns } from '../columns/new-columns.ts'
import {
  dropIfEmpty,
  type Execution,
  execute,
  findTable,
  isEmpty,
  tableAfter,
  tableExists,
  uniqueIndexesOf,
} from '../database/table.ts'
import { dataError } from '../exit-error.ts'
import { hasRecord } from '../resume/resume-record.ts'
import { shortSql } from '../terminal/visible.ts'
import { dryRun } from './dry-run.ts'
import { interruptible, type LoadTask, writeRows } from './load-task.ts'
import { columnsOfEarlierRun } from './table-changes.ts'
import { lastUnnamedNote, withoutEmptyLast } from './text-files/last-field.ts'
import { waitingForServer } from './waiting-for-server.ts'

/** Loads into a new table, or into one that an earlier run of a resumed load has made. */
export async function loadIntoCreated(whole: LoadTask): Promise<void> {
  const { database, args, notify } = whole
  const exists = await waitingForServer(whole, () => tableExists(database, args.table))
  if (exists && !(await waitingForServer(whole, () => isResumed(whole)))) {
    throw dataError(`the table "${args.table}" exists already; leave out --create to append to it`)
  }
  const task = await withoutEmptyLast(whole)
  const { source, reopen } = task
  if (source.isLastUnnamed && !args.columns && !args.strictHeader) notify(lastUnnamedNote(source))
  const planned = await interruptible(task, () => planTable(source, reopen, args))
  const { sql, columns, choice, rows } = planned
  if (exists) {
    const table = await waitingForServer(task, () => findTable(database, args.table))
    await checkConflict(args, table, () => waitingForServer(task, () => uniqueIndexesOf(database, table)))
  } else checkNewConflict(args, columns, args.table)
  for (const note of choice.notes) notify(note)
  if (args.dryRun) return dryRunCreated(task, planned, exists)
  if (!exists) await createTable(task, sql)
  let done = false
  try {
    const table = await waitingForServer(task, () => findTable(database, args.table))
    const checks = checksOfRuns(await columnsOfEarlierRun(task, table), planned, source, args)
    await writeRows(task, { table, choice, rows, checks })
    done = true
  } finally {
    if (!done && !exists && (await dropIfEmpty(database.pool, args.table))) {
      notify(`${args.table}: removed again, since nothing was committed`)
    }
  }
}

/** Shows the plan, and tries the rows in a table that is rolled back, or that an earlier run has made. */
async function dryRunCreated(task: LoadTask, planned: NewTable, exists: boolean): Promise<void> {
  const { database, args } = task
  const { sql, ...plan } = planned
  const table = await waitingForServer(task, () =>
    exists ? findTable(database, args.table) : tableAfter(database, sql, creationOf(args)),
  )
  const title = `${args.table}, ${exists ? 'appended to' : 'created'}${describeConflict(args)}`
  await dryRun(task, { ...plan, table, title, ...(exists ? { begin: [] } : { begin: [sql], sql }) })
}

/** Prints the statement, and runs it. */
async function createTable(task: LoadTask, sql: string): Promise<void> {
  const { database, args, notify } = task
  if (args.log === 'json') notify(`${sql};`)
  else for (const line of shortSql(`${sql};`)) notify(line)
  await waitingForServer(task, () => execute(database, sql, creationOf(args)))
}

function creationOf({ table }: LoadTask['args']): Execution {
  return { done: 'created', table }
}

/**
 * Returns true if an earlier run made the table. It may have been killed before it could record its start.
 */
async function isResumed({ database, args }: LoadTask): Promise<boolean> {
  const { pool } = database
  if (args.resume === undefined) return false
  return (await hasRecord(pool, args.resume)) || (await isEmpty(pool, args.table))
}
