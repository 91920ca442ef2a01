import type { Readable } from 'node:stream'
import { PgBatchError } from '../../errors.ts'
import { faultOf } from '../../sources/malformed.ts'
import type { Sources } from '../../sources/open-sources.ts'
import type { Repairs } from '../../sources/repairs.ts'
import { streamOf } from '../../sources/source.ts'
import { SourceError } from '../../sources/source-error.ts'
import type { AddedColumn } from '../../table/alter-table.ts'
import { copyObstacleOf } from '../../table/copy-obstacle.ts'
import { isInsertable } from '../../table/insertable.ts'
import type { Table } from '../../types.ts'
import type { LoadArguments } from '../arguments/arguments.ts'
import { conflictOf } from '../arguments/conflict-arguments.ts'
import { keepsRejects } from '../arguments/run-options.ts'
import type { ColumnChoice } from '../columns/choose-columns.ts'
import { type ColumnChecks, findMismatch } from '../columns/create-table.ts'
import { putPoints } from '../columns/decimal-comma.ts'
import type { KeyMatches } from '../columns/match-keys.ts'
import { MAX_NEW_COLUMNS } from '../columns/new-columns.ts'
import type { Database } from '../database/database.ts'
import { interruptedError } from '../exit-error.ts'
import type { InputMeter } from '../files/input-meter.ts'
import { planBlocks } from '../rows/block-writing.ts'
import { takesDecimals } from '../rows/fit-value.ts'
import { type LineWriting, planLines } from '../rows/line-writing.ts'
import { planRecords } from '../rows/record-writing.ts'
import { replayShaper, unwrapRejected, wrapperKeysOf } from '../rows/replay-row.ts'
import type { RowChange } from '../rows/row-intake.ts'
import { AddedColumns, rowShaper } from '../rows/shape-row.ts'
import { whileRunning } from '../signals.ts'
import { interruptedLine } from '../terminal/messages.ts'
import type { Terminal } from '../terminal/output.ts'
import type { LoadPlan } from './load-plan.ts'
import { runLoad } from './run-load.ts'

/** An open input, an open database, and the options. */
export interface LoadTask {
  readonly source: Sources
  /** Opens the same input once more. The bytes are not counted. */
  readonly reopen: () => Promise<Sources>
  /** Opens the input again in place of `source`. The bytes of `source` no longer count. */
  readonly readAgain: () => Promise<Sources>
  readonly meter: InputMeter
  /** The repairs of --lenient. */
  readonly repairs: Repairs
  readonly database: Database
  readonly args: LoadArguments
  readonly terminal: Terminal
  /** Prints a line on standard error. */
  readonly notify: (line: string) => void
  readonly signal: AbortSignal
}

/** The table and columns that rows go to. */
export interface LoadTarget {
  readonly table: Table
  readonly choice: ColumnChoice
  /** The rows from the first on, with the names in the file as keys. For CSV tables, for NDJSON arrays. */
  readonly rows: Readable
  /** The checks of each column's values. */
  readonly checks?: ColumnChecks | undefined
  /** How many columns --evolve has added for them. */
  readonly added?: number
  /** Those among them whose later values are checked, with their inferred types. */
  readonly inferred?: readonly AddedColumn[] | undefined
}

/** Looks at rows. The signal destroys the source, which is the only thing that can be stopped. */
export function interruptible<T>({ source, args, signal }: LoadTask, work: () => Promise<T>): Promise<T> {
  const stop = () => source.rows.destroy(interruptedError(interruptedLine(args.table)))
  if (signal.aborted) stop()
  return whileRunning(signal, stop, work)
}

/** Writes the rows of a task into a table that exists. */
export async function writeRows(task: LoadTask, target: LoadTarget): Promise<void> {
  await runLoad(planOf(task, task.source, target), task, async () => {
    const source = await task.readAgain()
    return planOf(task, source, { ...target, rows: streamOf(source) })
  })
}

/** Returns how the rows of a source are written. */
export function planOf(
  { meter, repairs, database, args, terminal }: LoadTask,
  source: Sources,
  target: LoadTarget,
): LoadPlan {
  const { table, choice, rows, checks, added = 0, inferred = [] } = target
  const rejects = keepsRejects(args)
  // a header names the columns before the first row
  const evolves = args.evolve === true && choice.columns === undefined
  const newColumns = evolves ? new AddedColumns() : undefined
  const shape = shaperOf(source, table, args, newColumns)
  const checked = rejecting(newColumns?.checks, shape)
  const onConflict = conflictOf(args)
  const upserts = onConflict !== undefined
  const commaColumns = commaColumnsOf(table, args)
  const options = { checks, commaColumns, rejects, upserts, placeOf: source.placeOf }
  const unwrap: LoadPlan['unwrap'] = mayHoldRejects(source) ? unwrapRejected(table) : row => row
  const records = source.records && planRecords(source.records, table, choice, options)
  const linesOf = (matches: KeyMatches): LineWriting =>
    planLines({
      matches,
      columns: choice.columns ?? table.columns.filter(isInsertable).map(({ name }) => name),
      ignoresOthers: args.columns !== undefined,
      wrapperKeys: wrapperKeysOf(table),
      shape: row => shape(row, row),
      // checks look at values, and --evolve at keys
      parsesAll:
        checks !== undefined ||
        evolves ||
        args.replay === true ||
        copyObstacleOf(table, upserts) !== undefined,
    })
  const lines = source.lines && choice.matches && linesOf(choice.matches)
  return {
    source,
    rows,
    records,
    lines,
    // rows that were taken out of the stream, to be looked at, are objects already
    blocks: rows === source.rows && !checks ? planBlocks(source, table, choice, upserts) : undefined,
    change: changeOf(choice, rejects ? undefined : failing(target, source), unwrap),
    matches: choice.matches,
    meter,
    repairs,
    database,
    table,
    args,
    newColumns: inferred,
    terminal,
    unwrap,
    shape: rejects ? refusingMalformed(rejecting(checks, checked)) : checked,
    writing: {
      columns: choice.columns,
      // a dry run cannot add the columns of later keys
      unknownKeys: args.columns || (evolves && args.dryRun) ? 'ignore' : 'error',
      ...(evolves
        ? { evolve: { maxNewColumns: Math.max(0, (args.maxNewColumns ?? MAX_NEW_COLUMNS) - added) } }
        : {}),
      onConflict,
      // COPY for small batches as well: it reports which row was refused
      method: copyObstacleOf(table, upserts) ? 'auto' : 'copy',
    },
    onEvolve: event => newColumns?.add(event.added),
  }
}

/**
 * Returns what is done to each row as it is read: its keys become columns, and it is checked. Malformed rows
 * stay as they are, and so do rejected ones, whose keys are columns.
 */
function changeOf(
  { rename }: ColumnChoice,
  check: RowChange | undefined,
  unwrap: LoadPlan['unwrap'],
): RowChange | undefined {
  if (!rename && !check) return undefined
  return (row, number) => {
    if (faultOf(row) !== undefined) return row
    const renamed = rename && unwrap(row) === row ? rename(row) : row
    return check ? check(renamed, number) : renamed
  }
}

/** Without rejects, a row that does not fit ends the input before its batch is sent. */
function failing({ checks }: LoadTarget, source: Sources): RowChange | undefined {
  if (!checks) return undefined
  return (row, number) => {
    const mismatch = findMismatch(row, checks)
    if (!mismatch) return row
    const place = source.placeOf(number, source.lineOf(number))
    throw new SourceError(`${place}: ${mismatch.reason}; ${mismatch.hint}`)
  }
}

/** The row is shaped even if it does not fit, because it is written to the rejects. */
function rejecting(checks: ColumnChecks | undefined, shape: LoadPlan['shape']): LoadPlan['shape'] {
  if (!checks) return shape
  return (row, line) => {
    const mismatch = findMismatch(row, checks)
    const shaped = shape(row, line)
    if (mismatch) throw mismatch
    return shaped
  }
}

/** A row that stands for a malformed record is rejected for its fault. */
function refusingMalformed(shape: LoadPlan['shape']): LoadPlan['shape'] {
  return (row, line) => {
    const fault = faultOf(line)
    if (fault === undefined) return shape(row, line)
    throw new PgBatchError('VALUE_NOT_ENCODABLE', fault, { outcome: 'not-sent' })
  }
}

/** Returns the columns whose numbers have a decimal comma in the file. */
function commaColumnsOf(table: Table, { decimalSeparator }: LoadArguments): ReadonlySet<string> {
  if (decimalSeparator !== ',') return new Set()
  return new Set(table.columns.filter(({ type }) => takesDecimals(type)).map(({ name }) => name))
}

/** Values of JSON need shaping. The texts of CSV are what a column reads, except for decimal commas. */
function shaperOf(
  source: Sources,
  table: Table,
  args: LoadArguments,
  newColumns: AddedColumns | undefined,
): LoadPlan['shape'] {
  if (source.format === 'csv') {
    const commaColumns = commaColumnsOf(table, args)
    return row => {
      const mismatch = putPoints(row, commaColumns)
      if (mismatch) throw mismatch
      return row
    }
  }
  const again = replayShaper(table)
  if (args.replay) return again
  const shape = rowShaper(table, source.format === 'parquet' ? 'parquet' : 'json', newColumns)
  if (!mayHoldRejects(source)) return shape
  return (row, line) => (row === line ? shape(row) : again(row))
}

/** Lines that `--rejects` or `ndjsonDeadLetter` wrote are recognized by their keys. */
function mayHoldRejects({ format }: Sources): boolean {
  return format === 'ndjson'
}
