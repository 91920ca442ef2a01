import { quoteTable } from '../../table/identifier.ts'
import { keepIdentity } from '../../table/insertable.ts'
import { checkConflict, checkKeyIsWritten, describeConflict } from '../columns/check-conflict.ts'
import { chooseColumns } from '../columns/choose-columns.ts'
import { whyText } from '../columns/why-text.ts'
import { execute, findTable } from '../database/table.ts'
import { dryRun } from './dry-run.ts'
import { withoutEmptyLast } from './last-field.ts'
import { type LoadTask, waitingForServer, writeRows } from './load-task.ts'

/** Loads into a table that exists. */
export async function loadIntoExisting(whole: LoadTask): Promise<void> {
  const { database, args, notify } = whole
  const found = await waitingForServer(whole, () => findTable(database, args.table))
  const table = args.identity === 'keep' ? keepIdentity(found) : found
  const task = await withoutEmptyLast(whole, table)
  const { source } = task
  checkConflict(args, table)
  const choice = chooseColumns(source, table, args)
  checkKeyIsWritten(args, choice, source.name)
  for (const note of choice.notes) notify(note)
  const rows = source.records?.stream ?? source.rows
  const truncate = `TRUNCATE ${quoteTable(table)}`
  if (args.dryRun) {
    const isUpsert = args.onConflict !== undefined || args.onConflictDo !== undefined
    const what = args.truncate ? 'emptied first (TRUNCATE)' : 'appended to'
    await dryRun(task, {
      table,
      choice,
      rows,
      title: `${args.table}, ${what}${describeConflict(args)}`,
      columns: table.columns.map(({ name }) => name),
      format: whyText(table, choice.columns, isUpsert),
      begin: args.truncate ? [truncate] : [],
    })
    return
  }
  if (args.truncate) {
    const what = `${args.table} cannot be emptied`
    await waitingForServer(task, () =>
      execute(database, truncate, { what, table: args.table, privileges: 'TRUNCATE' }),
    )
    notify(`${args.table}: emptied`)
  }
  await writeRows(task, { table, choice, rows })
}
