import { Readable } from 'node:stream'
import type { SourceRow } from '../../sources/rows.ts'
import { formatCount, plural } from '../../values/format-count.ts'
import { ItemTable } from '../../values/items/item-table.ts'
import { peekItems, rowOfItem } from '../columns/peek-items.ts'
import { dataError, type ExitError } from '../exit-error.ts'
import { type DryRun, describeDryRun, SHOWN_ROWS } from '../report/describe-dry-run.ts'
import { rowsWrittenBefore } from '../resume/resume.ts'
import { repairLine } from '../terminal/messages.ts'
import { visible } from '../terminal/visible.ts'
import { quietWatcher } from '../watch/quiet.ts'
import { interruptible, type LoadTarget, type LoadTask, planOf } from './load-task.ts'
import { LoadRun } from './run/load-run.ts'
import { waitingForServer } from './waiting-for-server.ts'

/** How many rows are tried, unless all are. */
const TRIED_ROWS = 1000

/** The width of output that is not a terminal's. A terminal that does not know its width has 0 columns. */
const DEFAULT_WIDTH = 80

/** A dry run: how it describes the table, and what makes or empties it. */
export interface DryLoad extends LoadTarget, Pick<DryRun, 'columns' | 'format'> {
  readonly title: string
  readonly sql?: string
  /** Statements that come first in the transaction. */
  readonly begin: readonly string[]
}

/**
 * Prints the plan and the first rows, then writes rows in one transaction and rolls it back: the first ones,
 * or all with `--dry-run=all`. Prints how many would be written, rejected and repaired.
 * @throws ExitError as a load would
 */
export async function dryRun(task: LoadTask, load: DryLoad): Promise<void> {
  const { source, database, args, terminal } = task
  const { title, choice, columns, format, sql } = load
  const { head, whole } = await interruptible(task, () => headOf(source, load.rows))
  const shown = { ...choice, head, table: title, columns, format, ...(sql === undefined ? {} : { sql }) }
  terminal.result(describeDryRun(source, shown, terminal.stdout.columns || DEFAULT_WIDTH))
  const written =
    args.resume === undefined
      ? undefined
      : await waitingForServer(task, () => rowsWrittenBefore(database.pool, args.resume!, source))
  const { rowsWritten: skip = 0, isWritten } = written ?? {}
  const all = args.dryRun === 'all'
  const limit = all ? Number.POSITIVE_INFINITY : skip + TRIED_ROWS
  const sample = new Sample(whole, limit)
  const plan = {
    ...planOf(task, source, { ...load, rows: sample.rows }),
    trial: { begin: load.begin, skip, isWritten },
  }
  const run = new LoadRun(plan, undefined)
  run.reportTo(quietWatcher)
  const failure = await interruptible(task, () => run.writeAll())
  if (failure) throw explained(failure, !sample.isWhole && load.table.selfReferences.length > 0)
  for (const line of outcomeLines(run, sample.isWhole)) terminal.result(visible(line))
}

/** The first rows of a stream, which is destroyed after them. */
class Sample {
  readonly rows: Readable
  /** The rows have ended before the limit. */
  isWhole = false

  constructor(source: Readable, limit: number) {
    this.rows = Readable.from(this.#take(source, limit))
  }

  async *#take(source: Readable, limit: number): AsyncGenerator<unknown> {
    let left = limit
    for await (const chunk of source) {
      if (left <= 0) return
      const isTable = chunk instanceof ItemTable
      const taken = isTable ? chunk.slice(0, left) : chunk
      left -= isTable ? taken.length : 1
      yield taken
      if (isTable && taken.length < chunk.length) return
    }
    this.isWhole = true
  }
}

/** Returns the rows to show, and all rows from the first on. */
async function headOf(
  source: LoadTask['source'],
  stream: Readable,
): Promise<{ head: SourceRow[]; whole: Readable }> {
  const { items, whole } = await peekItems(stream, SHOWN_ROWS)
  const head: SourceRow[] = []
  for (const item of items) {
    const row = rowOfItem(source, item)
    if (row !== undefined) head.push(row)
    if (head.length === SHOWN_ROWS) break
  }
  return { head, whole }
}

/** A parent that comes after the rows that were tried is not a fault. */
function explained(failure: ExitError, mayComeLater: boolean): ExitError {
  const { sqlState } = (failure.cause ?? {}) as { sqlState?: string }
  if (!mayComeLater || sqlState !== '23503') return failure
  const hint = 'or it comes after the rows that were tried: --dry-run=all tries all of them'
  return dataError(`${failure.message}; ${hint}`, failure.cause)
}

function outcomeLines(run: LoadRun, isWhole: boolean): string[] {
  const { rowsCommitted, rowsUnchanged, rowsRejected } = run.stats
  const tried = rowsCommitted + rowsUnchanged + rowsRejected
  if (tried === 0) return []
  const which = isWhole ? plural(tried, 'row') : `the first ${plural(tried, 'row')}`
  const counts = [
    `${formatCount(rowsCommitted)} would be written`,
    ...(rowsUnchanged > 0 ? [`${formatCount(rowsUnchanged)} would change nothing`] : []),
    ...(rowsRejected > 0 ? [`${formatCount(rowsRejected)} would be rejected`] : []),
  ]
  const reasons = run.reasons.list().map(({ code, name, count, exampleRow, exampleFile }) => {
    const of = exampleFile === undefined ? '' : ` of ${exampleFile}`
    const example = exampleRow === undefined ? '' : `, for example row ${formatCount(exampleRow)}${of}`
    return `  ${code}: ${plural(count, 'row')}, ${name}${example}`
  })
  return [
    `Tried ${which} in a transaction that was rolled back: ${counts.join(', ')}.`,
    ...reasons,
    ...run.repairs.map(repairLine),
    `Triggers have run, and sequences have advanced.${isWhole ? '' : ' --dry-run=all tries all rows.'}`,
  ]
}
