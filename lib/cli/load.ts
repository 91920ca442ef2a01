import { openSource, type Source } from '../sources/open-source.ts'
import type { Table } from '../types.ts'
import type { OnConflict } from '../writable-options.ts'
import type { LoadArguments } from './arguments.ts'
import { type Database, openDatabase } from './database.ts'
import { InputMeter } from './input-meter.ts'
import type { Output } from './output.ts'
import { replayShaper, unwrapRejected } from './replay-row.ts'
import { type LoadPlan, runLoad } from './run-load.ts'
import { rowShaper } from './shape-row.ts'
import { chooseColumns, findTable } from './table.ts'
import { chooseNotify } from './watch/choose-watchers.ts'

/** Loads one file into one table, and prints one line about it. */
export async function load(given: LoadArguments, output: Output, signal: AbortSignal): Promise<void> {
  const notify = chooseNotify(given, output)
  if (given.file === '-' && process.stdin.isTTY) notify('Reading rows from the terminal; Ctrl-D ends them.')
  // the input first: a wrong name should not cost the start of a server
  const meter = await InputMeter.of([given.file])
  const format = given.replay ? 'ndjson' : given.format
  const source = await openSource(given.file, { format, onOpen: meter.add })
  try {
    const connections = (given.concurrency ?? 1) + 1
    const database = await openDatabase({
      url: given.database,
      connections,
      notify: given.quiet ? () => {} : output.note,
    })
    try {
      await write(source, meter, database, given, output, signal)
    } finally {
      await database.close()
    }
  } finally {
    source.rows.destroy()
  }
}

async function write(
  source: Source,
  meter: InputMeter,
  database: Database,
  given: LoadArguments,
  output: Output,
  signal: AbortSignal,
): Promise<void> {
  const table = await findTable(database, given.table)
  const columns = chooseColumns(source, table, given.columns)
  const plan: LoadPlan = {
    source,
    meter,
    database,
    table,
    given,
    unwrap: given.replay ? unwrapRejected(table) : row => row,
    shape: shaperOf(source, table, given),
    writing: {
      columns,
      unknownKeys: given.columns ? 'ignore' : 'error',
      onConflict: conflictOf(given),
      // COPY for small batches as well: of a refused row it tells which one it was
      method: table.copyObstacle ? 'auto' : 'copy',
    },
  }
  await runLoad(plan, output, signal)
}

/** JSON has values that a column does not take as they are; the texts of CSV are what a column reads. */
function shaperOf(source: Source, table: Table, { replay }: LoadArguments): LoadPlan['shape'] {
  if (replay) return replayShaper(table)
  return source.format === 'csv' ? row => row : rowShaper(table)
}

function conflictOf({ onConflict, onConflictDo }: LoadArguments): OnConflict | undefined {
  if (onConflict) return { target: onConflict, action: onConflictDo ?? 'update' }
  return onConflictDo && { action: onConflictDo }
}
