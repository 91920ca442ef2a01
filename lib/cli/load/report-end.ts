import type { LoadArguments } from '../arguments/arguments.ts'
import { type ExitError, interruptedError } from '../exit-error.ts'
import { runAgain } from '../report/run-again.ts'
import { summaryTable } from '../report/summary.ts'
import { committedLine, committedSoFar, repairLine, replayHint, unkeptLine } from '../terminal/messages.ts'
import type { Terminal } from '../terminal/output.ts'
import { visible } from '../terminal/visible.ts'
import type { Watcher } from '../watch/watcher.ts'
import type { LoadRun } from './run/load-run.ts'

/**
 * Reports the outcome of a load: to the watcher, as a table, and in one line.
 * @throws ExitError if the load failed or was interrupted
 */
export async function reportEnd(
  run: LoadRun,
  failed: ExitError | undefined,
  args: LoadArguments,
  { watcher, terminal }: { watcher: Watcher; terminal: Terminal },
): Promise<void> {
  const counts = run.counts()
  const { rowsCommitted, rowsSkipped, elapsedMs } = counts
  const reasons = run.reasons.list()
  const { repairs } = run
  const outcome = failed ? 'failed' : run.stopped ? 'interrupted' : 'done'
  const failure = outcome === 'interrupted' ? interruption(args, run) : failed
  if (rowsCommitted > 0) terminal.hasCommitted = true
  await watcher.end({ counts, reasons, repairs, outcome, error: failure?.message })
  if (failure && args.log === 'json') failure.reported = true
  const showsTable = wantsTable(args, terminal)
  if (showsTable) showTable(summaryTable(args.table, counts, reasons, repairs), args, terminal)
  if (!args.quiet && !args.log) {
    if (!showsTable) for (const repair of repairs) terminal.note(visible(repairLine(repair)))
    noteRejects(run, counts.rowsRejected, args, terminal, failure)
  }
  if (failure) throw failure
  // on a terminal the table has the same numbers
  if (args.quiet || (showsTable && terminal.stdout.isTTY)) return
  terminal.result(visible(committedLine(args.table, run.stats, elapsedMs, rowsSkipped)))
}

function interruption(args: LoadArguments, { stats, mayHaveCommittedMore }: LoadRun): ExitError {
  const soFar = committedSoFar(stats.rowsCommitted, mayHaveCommittedMore)
  const next = stats.rowsCommitted > 0 || mayHaveCommittedMore ? `; ${runAgain(args)}` : ''
  return interruptedError(`${args.table}: interrupted; ${soFar}${next}`)
}

function wantsTable(args: LoadArguments, { stderr }: Terminal): boolean {
  return args.summary || (stderr.isTTY === true && !args.quiet && !args.log)
}

function showTable(table: string, { log }: LoadArguments, terminal: Terminal): void {
  // with --log json, standard error has only JSON
  if (log === 'json') terminal.result(table)
  else for (const line of table.split('\n')) terminal.note(line)
}

/** Says where the rejected rows are, or how to keep them next time. */
function noteRejects(
  { keptRejects }: LoadRun,
  rowsRejected: number,
  args: LoadArguments,
  terminal: Terminal,
  failure: ExitError | undefined,
): void {
  if (rowsRejected === 0) return
  if (args.rejects === undefined) {
    if (!failure) terminal.note(unkeptLine(rowsRejected))
  } else if (keptRejects) terminal.note(replayHint(args.rejects, args, rowsRejected))
}
