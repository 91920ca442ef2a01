import { pipeline, type Readable } from 'node:stream'
import type { Sources } from '../../sources/open-sources.ts'
import type { SourceRow } from '../../sources/rows.ts'
import { SourceError } from '../../sources/source-error.ts'
import { copyObstacleOf } from '../../table/copy-obstacle.ts'
import type { Table } from '../../types.ts'
import type { OnConflict } from '../../writable/options.ts'
import type { LoadArguments } from '../arguments/arguments.ts'
import type { ColumnChoice } from '../columns/choose-columns.ts'
import { type ColumnChecks, findMismatch } from '../columns/create-table.ts'
import type { Database } from '../database/database.ts'
import { interruptedError } from '../exit-error.ts'
import type { InputMeter } from '../files/input-meter.ts'
import { eachRow } from '../rows/each-row.ts'
import { planRecords } from '../rows/record-writing.ts'
import { replayShaper, unwrapRejected } from '../rows/replay-row.ts'
import { rowShaper } from '../rows/shape-row.ts'
import { announced, whileRunning } from '../signals.ts'
import { interruptedLine } from '../terminal/messages.ts'
import type { Output } from '../terminal/output.ts'
import type { LoadPlan } from './load-plan.ts'
import { runLoad } from './run-load.ts'

/** An open input and an open database, and what is wanted of them. */
export interface LoadTask {
  readonly source: Sources
  /** Opens the same input once more; nobody counts its bytes. */
  readonly reopen: () => Promise<Sources>
  /** Opens it to read it again in place of `source`, whose bytes no longer count. */
  readonly readAgain: () => Promise<Sources>
  readonly meter: InputMeter
  readonly database: Database
  readonly args: LoadArguments
  readonly output: Output
  /** Tells the user what is no result. */
  readonly notify: (line: string) => void
  readonly signal: AbortSignal
}

/** Where the rows go. */
export interface LoadTarget {
  readonly table: Table
  readonly choice: ColumnChoice
  /** The rows from the first on, by the names in the file; of CSV the records, in arrays. */
  readonly rows: Readable
  /** How the values of each column are checked. */
  readonly checks?: ColumnChecks | undefined
}

/** While the server is asked, which may wait for somebody's lock. */
export function waitingForServer<T>({ signal, notify }: LoadTask, work: () => Promise<T>): Promise<T> {
  return announced({ signal, notify, doing: 'the server is working, or waits for a lock' }, work)
}

/** While rows are only looked at, nobody but the source can be told to stop. */
export function interruptible<T>({ source, args, signal }: LoadTask, work: () => Promise<T>): Promise<T> {
  const stop = () => source.rows.destroy(interruptedError(interruptedLine(args.table, 0)))
  if (signal.aborted) stop()
  return whileRunning(signal, stop, work)
}

/** Writes the rows of a task into a table that is there by now. */
export async function writeRows(task: LoadTask, target: LoadTarget): Promise<void> {
  await runLoad(planOf(task, task.source, target), task, async () => {
    const source = await task.readAgain()
    return planOf(task, source, { ...target, rows: source.records?.stream ?? source.rows })
  })
}

function planOf({ meter, database, args }: LoadTask, source: Sources, target: LoadTarget): LoadPlan {
  const { table, choice, rows, checks } = target
  const rejects = args.rejects !== undefined || args.rejectLimit !== undefined
  const shape = shaperOf(source, table, args)
  const onConflict = conflictOf(args)
  const upserts = onConflict !== undefined
  const options = { checks, rejects, upserts, placeOf: source.placeOf }
  const records = source.records && planRecords(source.records, table, choice, options)
  return {
    source,
    rows: records ? rows : changedRows(target, rejects ? undefined : failing(target, source)),
    records,
    meter,
    database,
    table,
    args,
    unwrap: mayHoldRejects(source) ? unwrapRejected(table) : row => row,
    shape: rejects ? rejecting(target, shape) : shape,
    writing: {
      columns: choice.columns,
      unknownKeys: args.columns ? 'ignore' : 'error',
      onConflict,
      // COPY for small batches as well: of a refused row it tells which one it was
      method: copyObstacleOf(table, upserts) ? 'auto' : 'copy',
    },
  }
}

type Change = (row: SourceRow, number: number) => SourceRow

/** What a change throws ends up on the last stream, as an error of the input. */
function changedRows({ rows, choice }: LoadTarget, check: Change | undefined): Readable {
  const changes = [choice.rename, check].filter(change => change !== undefined).map(eachRow)
  const last = changes.at(-1)
  if (!last) return rows
  pipeline([rows, ...changes], () => {})
  return last
}

/** Without rejects a row that does not belong here ends the input, before anything of its batch is sent. */
function failing({ checks }: LoadTarget, source: Sources): Change | undefined {
  if (!checks) return undefined
  return (row, number) => {
    const mismatch = findMismatch(row, checks)
    if (mismatch) throw new SourceError(`${source.placeOf(number)}: ${mismatch.reason}; ${mismatch.hint}`)
    return row
  }
}

/** The row is shaped all the same: so it is written to the rejects. */
function rejecting({ checks }: LoadTarget, shape: LoadPlan['shape']): LoadPlan['shape'] {
  if (!checks) return shape
  return (row, line) => {
    const mismatch = findMismatch(row, checks)
    const shaped = shape(row, line)
    if (mismatch) throw mismatch
    return shaped
  }
}

/** JSON has values that a column does not take as they are; the texts of CSV are what a column reads. */
function shaperOf(source: Sources, table: Table, { replay }: LoadArguments): LoadPlan['shape'] {
  if (source.format === 'csv') return row => row
  const again = replayShaper(table)
  if (replay) return again
  const shape = rowShaper(table, source.format === 'parquet' ? 'parquet' : 'json')
  if (!mayHoldRejects(source)) return shape
  return (row, line) => (row === line ? shape(row) : again(row))
}

/** Lines of a file that `--rejects` or `ndjsonDeadLetter` has written are known by their keys. */
function mayHoldRejects({ format }: Sources): boolean {
  return format === 'ndjson'
}

function conflictOf({ onConflict, onConflictDo }: LoadArguments): OnConflict | undefined {
  if (onConflict) return { target: onConflict, action: onConflictDo ?? 'update' }
  return onConflictDo && { action: onConflictDo }
}
