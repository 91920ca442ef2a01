import { quoteTable } from '../../table/identifier.ts'
import { checkConflict, checkKeyIsWritten, conflictManner } from '../columns/check-conflict.ts'
import { chooseColumns } from '../columns/choose-columns.ts'
import { describeDryRun } from '../columns/dry-run.ts'
import { execute, findTable } from '../database/table.ts'
import { interruptible, type LoadTask, waitingForServer, writeRows } from './load-task.ts'

/** Loads into a table that is there. */
export async function loadIntoExisting(task: LoadTask): Promise<void> {
  const { source, database, given, output, notify } = task
  const table = await waitingForServer(task, () => findTable(database, given.table))
  checkConflict(given, table)
  const choice = chooseColumns(source, table, given)
  checkKeyIsWritten(given, choice, source.name)
  for (const note of choice.notes) notify(note)
  if (given.dryRun) {
    const { rows } = source
    const columns = table.columns.map(({ name }) => name)
    const truncated = given.truncate ? 'emptied first (TRUNCATE)' : 'appended to'
    const plan = { ...choice, rows, table: `${given.table}, ${truncated}${conflictManner(given)}`, columns }
    output.result(await interruptible(task, () => describeDryRun(source, plan)))
    return
  }
  if (given.truncate) {
    const sql = `TRUNCATE ${quoteTable(table)}`
    const what = `${given.table} cannot be emptied`
    await waitingForServer(task, () =>
      execute(database, sql, { what, table: given.table, privileges: 'TRUNCATE' }),
    )
    notify(`${given.table}: emptied`)
  }
  await writeRows(task, { table, choice, rows: source.records?.stream ?? source.rows })
}
