import { stat } from 'node:fs/promises'
import { formatOfName } from '../../../sources/format.ts'
import { EmptyInput } from '../../../sources/source-error.ts'
import { parseTableName, quoteTable } from '../../../table/identifier.ts'
import type { LoadArguments } from '../../arguments/arguments.ts'
import type { Database } from '../../database/database.ts'
import { execute, findTable, tableExists } from '../../database/table.ts'
import { dataError } from '../../exit-error.ts'
import type { Terminal } from '../../terminal/output.ts'
import type { LoadCounts } from '../../watch/load-counts.ts'
import { type Waiting, waitingForServer } from '../waiting-for-server.ts'

/**
 * Returns for the error of an empty file of CSV, NDJSON or COPY's text format, which has no rows, as for
 * `\copy`. Throws other errors again. A pipe without a byte is an error: the program that writes it may have
 * failed. So is a file that would leave the table empty.
 */
export async function unlessEmptyFile(
  error: Error,
  files: readonly string[],
  { format, replay, truncate, replace }: LoadArguments,
): Promise<undefined> {
  const [file] = files
  if (!(error.cause instanceof EmptyInput) || files.length !== 1 || file === undefined || truncate || replace)
    throw error
  const named = replay ? 'ndjson' : (format ?? formatOfName(file))
  const mayBeEmpty = named !== undefined && named !== 'json' && named !== 'parquet'
  if (!mayBeEmpty || file === '-' || !(await stat(file)).isFile()) throw error
}

/** Loads a file without rows. With --create it makes a table without columns, since the file has none. */
export async function loadNothing(
  file: string,
  database: Database,
  waiting: Waiting & { args: LoadArguments },
  terminal: Terminal,
) {
  const { args, notify } = waiting
  const { table, create, dryRun } = args
  if (!create) await waitingForServer(waiting, () => findTable(database, table))
  else if (await waitingForServer(waiting, () => tableExists(database, table))) {
    throw dataError(`the table "${table}" exists already; leave out --create to append to it`)
  } else if (!dryRun) {
    const sql = `CREATE TABLE ${quoteTable(parseTableName(table))} ()`
    await waitingForServer(waiting, () => execute(database, sql, { done: 'created', table }))
  }
  const made = create ? `, and ${table} is made without columns` : ''
  notify(`${file}: there is nothing in it${made}`)
  if (!dryRun) await report(file, args, terminal)
  if (dryRun || !args.quiet) {
    terminal.result(dryRun ? 'Dry run: nothing is written.' : `${table}: 0 rows committed`)
  }
}

/** Reports the load to programs: in the log and the file of metrics, if they are asked for. */
async function report(file: string, args: LoadArguments, terminal: Terminal): Promise<void> {
  if (args.log === undefined && args.metricsFile === undefined) return
  // loaded when it is needed, and with it what draws progress bars
  const { chooseWatchers } = await import('../../watch/choose-watchers.ts')
  const watcher = chooseWatchers({ ...args, quiet: args.quiet || args.log !== 'json' }, terminal)
  watcher.begin({ source: file, table: args.table }, () => NOTHING)
  await watcher.end({ counts: NOTHING, reasons: [], outcome: 'done', error: undefined })
}

const NOTHING: LoadCounts = Object.freeze({
  rowsRead: 0,
  rowsCommitted: 0,
  rowsUnchanged: 0,
  rowsRejected: 0,
  rowsSkipped: 0,
  batches: 0,
  transactions: 0,
  retries: 0,
  bytesRead: 0,
  bytesTotal: 0,
  bytesCommitted: 0,
  bytesToCommit: 0,
  bytesSkipped: 0,
  bytesSent: 0,
  connections: 0,
  elapsedMs: 0,
})
