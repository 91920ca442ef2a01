import { pipeline } from 'node:stream/promises'
import { BatchTransform } from '../batch/batch-transform.ts'
import { PgBatchWritable } from '../pg-batch-writable.ts'
import { openSources, type Sources } from '../sources/open-sources.ts'
import type { SourceRow } from '../sources/rows.ts'
import type { OnConflict } from '../writable-options.ts'
import type { LoadArguments } from './arguments.ts'
import { chooseColumns } from './choose-columns.ts'
import { type Database, openDatabase } from './database.ts'
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
  const source = await openSources(await expandFiles(given.files), {
    format,
    encoding,
    dialect: dialectOf(given),
  })
  try {
    for (const note of source.notes) output.note(note)
    const connections = (given.concurrency ?? 1) + 1
    const database = await openDatabase({ url: given.database, connections, notify: output.note })
    try {
      await write(source, database, given, output, signal)
    } finally {
      await database.close()
    }
  } finally {
    source.rows.destroy()
  }
}

async function write(
  source: Sources,
  database: Database,
  given: LoadArguments,
  output: Output,
  signal: AbortSignal,
): Promise<void> {
  const table = await findTable(database, given.table)
  const { columns, rename, notes } = chooseColumns(source, table, given)
  for (const note of notes) output.note(note)
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
  try {
    await pipeline([source.rows, ...(rename ? [eachRow(rename)] : []), batches, sink], { signal })
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
