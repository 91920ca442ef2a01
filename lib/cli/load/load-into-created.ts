import { rowsOf } from '../../sources/csv/csv.ts'
import { checkConflict, checkNewConflict, conflictManner } from '../columns/check-conflict.ts'
import { planTable } from '../columns/create.ts'
import { describeDryRun } from '../columns/dry-run.ts'
import { dropIfEmpty, execute, findTable, isEmpty, tableExists } from '../database/table.ts'
import { dataFailure } from '../exit-error.ts'
import { hasRecord } from '../resume/resume-record.ts'
import { visibleSql } from '../terminal/visible.ts'
import { interruptible, type LoadTask, waitingForServer, writeRows } from './load-task.ts'

/** Loads into a table that is made for it, unless an earlier run of a resumed load has made it. */
export async function loadIntoCreated(task: LoadTask): Promise<void> {
  const { source, reopen, database, given, output, notify } = task
  const exists = await waitingForServer(task, () => tableExists(database, given.table))
  if (exists && !(await waitingForServer(task, () => isResumed(task)))) {
    throw dataFailure(`the table "${given.table}" exists already; leave out --create to append to it`)
  }
  const planned = await interruptible(task, () => planTable(source, reopen, given))
  const { sql, columns, choice, rows, checks } = planned
  if (exists) checkConflict(given, await waitingForServer(task, () => findTable(database, given.table)))
  else checkNewConflict(given, columns, given.table)
  for (const note of choice.notes) notify(note)
  if (given.dryRun) {
    const { records } = source
    const shown = records ? rowsOf({ ...records, stream: rows }, row => source.positionOf(row).file) : rows
    const plan = exists
      ? { ...choice, rows: shown, table: `${given.table}, appended to${conflictManner(given)}`, columns }
      : { ...choice, rows: shown, table: `${given.table}, created${conflictManner(given)}`, columns, sql }
    output.result(await interruptible(task, () => describeDryRun(source, plan)))
    return
  }
  if (!exists) {
    if (given.log === 'json') notify(`${sql};`)
    else for (const line of visibleSql(`${sql};`)) notify(line)
    const what = `${given.table} cannot be created`
    await waitingForServer(task, () => execute(database, sql, { what, table: given.table }))
  }
  let done = false
  try {
    await writeRows(task, { table: await findTable(database, given.table), choice, rows, checks })
    done = true
  } finally {
    if (!done && !exists && (await dropIfEmpty(database.pool, given.table))) {
      notify(`${given.table}: removed again, since nothing was committed`)
    }
  }
}

/** The table was made by an earlier run, which may have been killed before it could say that it began. */
async function isResumed({ database, given }: LoadTask): Promise<boolean> {
  const { pool } = database
  if (given.resume === undefined) return false
  return (await hasRecord(pool, given.resume)) || (await isEmpty(pool, given.table))
}
