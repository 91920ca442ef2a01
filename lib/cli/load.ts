import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { BatchTransform } from '../batch/batch-transform.ts'
import { PgBatchWritable } from '../pg-batch-writable.ts'
import { openSources, type Sources } from '../sources/open-sources.ts'
import type { SourceRow } from '../sources/rows.ts'
import { quoteTable } from '../table/identifier.ts'
import type { Table } from '../types.ts'
import type { OnConflict } from '../writable-options.ts'
import type { LoadArguments } from './arguments.ts'
import { type ColumnChoice, chooseColumns } from './choose-columns.ts'
import { dropIfEmpty, execute, planTable, refuseExisting } from './create.ts'
import { type Database, openDatabase } from './database.ts'
import { describeDryRun } from './dry-run.ts'
import { eachRow } from './each-row.ts'
import { expandFiles } from './expand-files.ts'
import { explainLoad } from './explain.ts'
import { interruptedFailure } from './failure.ts'
import { dialectOf } from './input-arguments.ts'
import type { Output } from './output.ts'
import { committedLine, interruptedLine } from './report.ts'
import { RowPositions } from './row-positions.ts'
import { rowShaper } from './shape-row.ts'
import { findTable } from './table.ts'

/** Loads files into one table, and prints one line about it. */
export async function load(given: LoadArguments, output: Output, signal: AbortSignal): Promise<void> {
  if (given.files.includes('-') && process.stdin.isTTY)
    output.note('Reading rows from the terminal; Ctrl-D ends them.')
  // the input first: a wrong name should not cost the start of a server
  const { format, encoding } = given
  const files = await expandFiles(given.files)
  const open = () => openSources(files, { format, encoding, dialect: dialectOf(given) })
  const source = await open()
  try {
    for (const note of source.notes) output.note(note)
    const connections = (given.concurrency ?? 1) + 1
    const database = await openDatabase({ url: given.database, connections, notify: output.note })
    try {
      await (given.create ? loadNew : loadKnown)({ source, open, database, given, output, signal })
    } finally {
      await database.close()
    }
  } finally {
    source.rows.destroy()
  }
}

interface Task {
  readonly source: Sources
  readonly open: () => Promise<Sources>
  readonly database: Database
  readonly given: LoadArguments
  readonly output: Output
  readonly signal: AbortSignal
}

/** While rows are only looked at, nobody but the source can be told to stop. */
async function interruptible<T>({ source, given, signal }: Task, work: () => Promise<T>): Promise<T> {
  const stop = () => source.rows.destroy(interruptedFailure(interruptedLine(given.table, 0)))
  if (signal.aborted) stop()
  signal.addEventListener('abort', stop)
  try {
    return await work()
  } finally {
    signal.removeEventListener('abort', stop)
  }
}

/** Into a table that is there. */
async function loadKnown(task: Task): Promise<void> {
  const { source, database, given, output } = task
  const table = await findTable(database, given.table)
  const choice = chooseColumns(source, table, given)
  for (const note of choice.notes) output.note(note)
  const { rows } = source
  if (given.dryRun) {
    const columns = table.columns.map(({ name }) => name)
    const truncated = given.truncate ? 'emptied first (TRUNCATE)' : 'appended to'
    output.result(
      await describeDryRun(source, { ...choice, rows, table: `${given.table}, ${truncated}`, columns }),
    )
    return
  }
  if (given.truncate) {
    await execute(database.pool, `TRUNCATE ${quoteTable(table)}`, `${given.table} cannot be emptied`)
    output.note(`${given.table}: emptied`)
  }
  await write(task, table, choice, rows)
}

/** Into a table that is made for it. */
async function loadNew(task: Task): Promise<void> {
  const { source, database, given, output } = task
  await refuseExisting(database.pool, given.table)
  const { sql, columns, choice, rows, check } = await interruptible(task, () =>
    planTable(source, task.open, given),
  )
  for (const note of choice.notes) output.note(note)
  if (given.dryRun) {
    output.result(
      await describeDryRun(source, { ...choice, rows, table: `${given.table}, created`, columns, sql }),
    )
    return
  }
  output.note(`${sql};`)
  await execute(database.pool, sql, `${given.table} cannot be created`)
  let done = false
  try {
    await write(task, await findTable(database, given.table), choice, rows, check)
    done = true
  } finally {
    if (!done && (await dropIfEmpty(database.pool, given.table))) {
      output.note(`${given.table}: removed again, since nothing was committed`)
    }
  }
}

async function write(
  { source, database, given, output, signal }: Task,
  table: Table,
  { columns, rename }: ColumnChoice,
  rows: Readable,
  check?: (row: SourceRow, number: number) => SourceRow,
): Promise<void> {
  const batches = new BatchTransform<SourceRow>({
    maxCount: given.batchSize,
    // a file is all there; only from a pipe may rows come slowly, and should not wait for others
    ...(given.files.includes('-') ? {} : { maxWaitMs: Number.POSITIVE_INFINITY }),
  })
  const sink = new PgBatchWritable<SourceRow>({
    pool: database.pool,
    table: { schema: table.schema, name: table.name },
    columns,
    unknownKeys: given.columns ? 'ignore' : 'error',
    toRow: source.format === 'csv' ? undefined : rowShaper(table),
    onConflict: conflictOf(given),
    concurrency: given.concurrency,
    // COPY for small batches as well: of a refused row it tells which one it was
    method: table.copyObstacle ? 'auto' : 'copy',
  })
  const positions = new RowPositions(batches)
  const started = performance.now()
  const changes = [rename, check].filter(change => change !== undefined).map(eachRow)
  try {
    await pipeline([rows, ...changes, batches, sink], { signal })
  } catch (error) {
    const { rowsCommitted } = sink.stats
    if (signal.aborted) throw interruptedFailure(interruptedLine(given.table, rowsCommitted))
    throw explainLoad(error, { placeOf: source.placeOf, table, positions, rowsCommitted })
  }
  output.result(committedLine(given.table, sink.stats, performance.now() - started))
}

function conflictOf({ onConflict, onConflictDo }: LoadArguments): OnConflict | undefined {
  if (onConflict) return { target: onConflict, action: onConflictDo ?? 'update' }
  return onConflictDo && { action: onConflictDo }
}
