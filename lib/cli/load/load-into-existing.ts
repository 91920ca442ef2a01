import { quoteTable } from '../../table/identifier.ts'
import { keepIdentity } from '../../table/insertable.ts'
import { checkConflict, checkKeyIsWritten, describeConflict } from '../columns/check-conflict.ts'
import { chooseColumns } from '../columns/choose-columns.ts'
import { describeDryRun } from '../columns/dry-run.ts'
import { whyText } from '../columns/why-text.ts'
import { execute, findTable } from '../database/table.ts'
import { interruptible, type LoadTask, waitingForServer, writeRows } from './load-task.ts'

/** Loads into a table that exists. */
export async function loadIntoExisting(task: LoadTask): Promise<void> {
  const { source, database, args, output, notify } = task
  const found = await waitingForServer(task, () => findTable(database, args.table))
  const table = args.identity === 'keep' ? keepIdentity(found) : found
  checkConflict(args, table)
  const choice = chooseColumns(source, table, args)
  checkKeyIsWritten(args, choice, source.name)
  for (const note of choice.notes) notify(note)
  if (args.dryRun) {
    const { rows } = source
    const columns = table.columns.map(({ name }) => name)
    const truncated = args.truncate ? 'emptied first (TRUNCATE)' : 'appended to'
    const isUpsert = args.onConflict !== undefined || args.onConflictDo !== undefined
    const plan = {
      ...choice,
      rows,
      table: `${args.table}, ${truncated}${describeConflict(args)}`,
      columns,
      format: whyText(table, choice.columns, isUpsert),
    }
    output.result(await interruptible(task, () => describeDryRun(source, plan)))
    return
  }
  if (args.truncate) {
    const sql = `TRUNCATE ${quoteTable(table)}`
    const what = `${args.table} cannot be emptied`
    await waitingForServer(task, () =>
      execute(database, sql, { what, table: args.table, privileges: 'TRUNCATE' }),
    )
    notify(`${args.table}: emptied`)
  }
  await writeRows(task, { table, choice, rows: source.records?.stream ?? source.rows })
}
