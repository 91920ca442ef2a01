import { type Duplex, finished, type Readable, type Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { BatchTransform } from '../batch/batch-transform.ts'
import type { CsvRecord } from '../csv/record.ts'
import { PgBatchWritable } from '../pg-batch-writable.ts'
import type { FileRow, Sources } from '../sources/open-sources.ts'
import type { SourceRow } from '../sources/rows.ts'
import type { Table } from '../types.ts'
import { untilClosed } from '../until-closed.ts'
import type { CheckpointOptions, PgBatchWritableOptions } from '../writable-options.ts'
import type { LoadArguments } from './arguments.ts'
import type { Database } from './database.ts'
import { explainLoad } from './explain.ts'
import { dataFailure, type Failure, interruptedFailure } from './failure.ts'
import type { InputMeter } from './input-meter.ts'
import type { Intake } from './intake.ts'
import type { LoadCounts } from './load-counts.ts'
import type { Output } from './output.ts'
import { readingOf } from './reading.ts'
import { RecordIntake } from './record-intake.ts'
import type { RecordWriting } from './record-writing.ts'
import { isOverLimit, writerLimit } from './reject-limit.ts'
import { RejectReasons } from './reject-reasons.ts'
import { rejectsFile } from './rejects-file.ts'
import { committedLine, count, interruptedLine, plural, replayHint } from './report.ts'
import { openResume, type Resume } from './resume.ts'
import { type IntakeOptions, type NumberedRow, RowIntake } from './row-intake.ts'
import { RowPositions } from './row-positions.ts'
import { batchRowsOf, connectionsOf } from './run-options.ts'
import { announced, stoppingLine } from './signals.ts'
import { summaryTable } from './summary.ts'
import { chooseWatchers } from './watch/choose-watchers.ts'

/** What is to be loaded, and how. */
export interface LoadPlan {
  readonly source: Sources
  /** Its rows, by the names of the columns; with `records` arrays of them. */
  readonly rows: Readable
  /** The source is CSV, whose records are split as late as can be, or never. */
  readonly records?: RecordWriting | undefined
  readonly meter: InputMeter
  readonly database: Database
  readonly table: Table
  readonly given: LoadArguments
  /** Takes the row out of what the source yields. */
  readonly unwrap: (line: SourceRow) => SourceRow
  /** Fits a row to the table. */
  readonly shape: (row: SourceRow) => SourceRow
  readonly writing: Pick<
    PgBatchWritableOptions<SourceRow>,
    'columns' | 'unknownKeys' | 'onConflict' | 'method'
  >
}

/** Whoever runs a load, and hears of it. */
export interface LoadCaller {
  readonly output: Output
  /** Tells the user what is no result, before the watchers look on. */
  readonly notify: (line: string) => void
  readonly signal: AbortSignal
}

/**
 * Writes the rows of an open source into a table that is known, while the watchers look on, and says at the end what
 * became of them. The signal ends the input: what was taken in is still written.
 * @throws Failure
 */
export async function runLoad(plan: LoadPlan, { output, notify, signal }: LoadCaller): Promise<void> {
  const { source, given, table } = plan
  const resume = await announced(
    { signal, notify, doing: 'the server is asked what was written before' },
    () => openResumeOf(plan),
  )
  if (resume?.complete) {
    if (!given.quiet) output.result(resume.complete)
    return
  }
  const run = openRun(plan, resume)
  const watcher = chooseWatchers(given, output)
  const stop = (): void => {
    const goesOn = run.intake.stop()
    watcher.note(
      stoppingLine(signal, goesOn ? 'what was read is written' : 'the last rows are being written'),
    )
  }
  run.sink.on('retry', event => watcher.retry(event))
  run.sink.on('reject', reject => {
    const at = run.positionOf(reject)
    const file = source.files.length > 1 ? at?.file : undefined
    run.reasons.add(reject.error, at?.row, file)
    watcher.reject(reject.error, at?.row, file)
  })
  let failure: Failure | undefined
  watcher.begin({ source: source.name, table: given.table }, run.counts)
  try {
    if (resume?.note) watcher.note(resume.note)
    if (signal.aborted) run.intake.stop()
    else signal.addEventListener('abort', stop, { once: true })
    await pipeline(run.streams)
    const tooMany = run.verdict(true)
    if (tooMany) throw tooMany
    if (resume && !run.intake.stopped) await resume.finish(run.intake.rowsRead)
  } catch (error) {
    await untilClosed(run.sink)
    failure = explainLoad(error, {
      placeOf: source.placeOf,
      table,
      positions: run.positions,
      rowsCommitted: run.sink.stats.rowsCommitted,
      given,
    })
  } finally {
    signal.removeEventListener('abort', stop)
    await closed(run.deadLetter)
  }
  const counts = run.counts()
  const outcome = failure ? 'failed' : run.intake.stopped ? 'interrupted' : 'done'
  if (outcome === 'interrupted') {
    failure = interruptedFailure(interruptedLine(given.table, counts.rowsCommitted, given.resume))
  }
  const reasons = run.reasons.list()
  await watcher.end({ counts, reasons, outcome, error: failure?.message })
  if (failure && given.log === 'json') failure.told = true
  if (wantsTable(given)) output.note(summaryTable(given.table, counts, reasons))
  const kept = counts.rowsRejected > 0 && run.deadLetter?.errored === null
  if (kept && given.rejects !== undefined && !given.quiet && !given.log) {
    output.note(replayHint(given.rejects, given.table, counts.rowsRejected))
  }
  if (failure) throw failure
  // the line is what a pipe or a script reads; on the terminal the table has said it
  if (given.quiet || (wantsTable(given) && process.stdout.isTTY)) return
  output.result(committedLine(given.table, run.sink.stats, counts.elapsedMs, counts.rowsSkipped))
}

async function openResumeOf({ database, source, given, table }: LoadPlan): Promise<Resume | undefined> {
  if (given.resume === undefined) return undefined
  const reading = readingOf(source.manner, given)
  return openResume(database.pool, given.resume, { source, reading, table })
}

function wantsTable(given: LoadArguments): boolean {
  return given.summary || (process.stderr.isTTY === true && !given.quiet && !given.log)
}

/** The streams of a load, and what is counted on them. */
function openRun(plan: LoadPlan, resume: Resume | undefined) {
  const { source, meter, database, table, given } = plan
  const skip = resume?.rowsWritten ?? 0
  const positions = new RowPositions(skip)
  const input = {
    skip,
    numbered: resume !== undefined,
    onBatch: (count: number) => positions.addBatch(count),
  }
  const { intake, batching, rowOf, writing } = plan.records
    ? recordInput(plan, plan.records, input)
    : rowInput(plan, input)
  const positionOf = ({ batchId, index }: { batchId: number; index: number }): FileRow | undefined => {
    const number = positions.rowNumber(batchId, index)
    return number === undefined ? undefined : source.positionOf(number)
  }
  const deadLetter = given.rejects === undefined ? undefined : rejectsFile(given.rejects, positionOf, rowOf)
  const sink = new PgBatchWritable<unknown, SourceRow>({
    ...writing,
    pool: database.pool,
    table: { schema: table.schema, name: table.name },
    concurrency: connectionsOf(given),
    rejectLimit: writerLimit(given.rejectLimit, given.rejects !== undefined),
    deadLetter,
    checkpoint: resume?.checkpoint as CheckpointOptions<unknown> | undefined,
  })
  const reasons = new RejectReasons()
  const started = performance.now()
  let retries = 0
  sink.on('retry', () => retries++)
  const counts = (): LoadCounts => {
    const { stats } = sink
    return {
      rowsRead: intake.rowsRead,
      rowsCommitted: stats.rowsCommitted,
      rowsRejected: stats.rowsRejected,
      rowsSkipped: Math.min(skip, intake.rowsRead) + stats.rowsSkipped,
      batches: stats.batchesCommitted,
      transactions: stats.transactions,
      retries,
      bytesRead: meter.bytesRead,
      bytesTotal: meter.bytesTotal,
      bytesSent: stats.bytesSent,
      connections: database.pool.totalCount - database.pool.idleCount,
      elapsedMs: performance.now() - started,
    }
  }
  /** The failure of a load with too large a share of rejected rows. */
  const verdict = (atEnd: boolean): Failure | undefined => {
    const { rowsReceived, rowsPending, rowsRejected: rejected } = sink.stats
    const settled = rowsReceived - rowsPending
    if (!isOverLimit(given.rejectLimit, { rejected, settled, atEnd })) return undefined
    const { percent } = given.rejectLimit as { percent: number }
    return dataFailure(
      `${source.name}: ${count(rejected)} of ${plural(settled, 'row')} rejected, more than ${percent}%`,
    )
  }
  sink.on('commit', () => {
    const failure = verdict(false)
    if (failure) sink.destroy(failure)
  })
  const streams = [intake, ...batching, sink]
  return { intake, streams, sink, positions, positionOf, deadLetter, reasons, counts, verdict }
}

/** What stands before the writer, and how it writes what comes from there. */
interface LoadInput {
  readonly intake: Intake<never>
  /** Makes arrays of items where they do not come in arrays. */
  readonly batching: readonly Duplex[]
  /** The row of an item, for whoever wants to see it. */
  readonly rowOf: (item: unknown) => SourceRow
  readonly writing: Pick<
    PgBatchWritableOptions<unknown, SourceRow>,
    'columns' | 'unknownKeys' | 'onConflict' | 'method' | 'csv' | 'toRow'
  >
}

interface InputOptions extends IntakeOptions {
  readonly onBatch: (count: number) => void
}

function rowInput(plan: LoadPlan, { skip, numbered, onBatch }: InputOptions): LoadInput {
  const { given, rows, unwrap, shape, writing } = plan
  const rowOf = (item: unknown): SourceRow =>
    unwrap(numbered ? (item as NumberedRow).row : (item as SourceRow))
  const batches = new BatchTransform<SourceRow>({
    maxCount: batchRowsOf(given),
    // a file is all there; only from a pipe may rows come slowly, and should not wait for others
    ...(given.files.includes('-') ? {} : { maxWaitMs: Number.POSITIVE_INFINITY }),
  })
  batches.on('batch', ({ count }) => onBatch(count))
  return {
    intake: new RowIntake(rows, { skip, numbered }),
    batching: [batches],
    rowOf,
    writing: { ...writing, toRow: item => shape(rowOf(item)) },
  }
}

function recordInput(
  { rows, writing }: LoadPlan,
  { csv, rowOf, toRow, check }: RecordWriting,
  { skip, onBatch }: InputOptions,
): LoadInput {
  const { onConflict } = writing
  return {
    intake: new RecordIntake(rows, { skip, check, onBatch }),
    batching: [],
    rowOf: item => rowOf(item as CsvRecord),
    writing: {
      ...(csv ? { csv, onConflict } : writing),
      toRow: toRow && (item => toRow(item as CsvRecord) as SourceRow),
    },
  }
}

/** Ends the file of rejected rows, which is closed before anybody is told of it. */
async function closed(deadLetter: Writable | undefined): Promise<void> {
  if (!deadLetter) return
  await new Promise<void>(resolve => {
    finished(deadLetter, () => resolve())
    deadLetter.end()
  })
}
