import type { LoadArguments } from '../arguments/arguments.ts'
import { type ExitError, interruptedError } from '../exit-error.ts'
import { runAgain } from '../report/run-again.ts'
import { summaryTable } from '../report/summary.ts'
import { committedLine, interruptedLine, repairLine, replayHint, unkeptLine } from '../terminal/messages.ts'
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
  const { rowsCommitted, rowsRejected, rowsSkipped, elapsedMs } = counts
  const reasons = run.reasons.list()
  const { repairs } = run
  const outcome = failed ? 'failed' : run.stopped ? 'interrupted' : 'done'
  const next = rowsCommitted > 0 ? runAgain(args) : undefined
  const failure =
    outcome === 'interrupted' ? interruptedError(interruptedLine(args.table, rowsCommitted, next)) : failed
  if (rowsCommitted > 0) terminal.hasCommitted = true
  await watcher.end({ counts, reasons, repairs, outcome, error: failure?.message })
  if (failure && args.log === 'json') failure.reported = true
  if (wantsTable(args, terminal)) {
    const table = summaryTable(args.table, counts, reasons, repairs)
    // with --log json, standard error has only JSON
    if (args.log === 'json') terminal.result(table)
    else for (const line of table.split('\n')) terminal.note(line)
  }
  if (!wantsTable(args, terminal) && !args.quiet && !args.log) {
    for (const repair of repairs) terminal.note(visible(repairLine(repair)))
  }
  if (rowsRejected > 0 && !args.quiet && !args.log) {
    if (args.rejects === undefined && !failure) terminal.note(unkeptLine(rowsRejected))
    if (args.rejects !== undefined && run.keptRejects)
      terminal.note(replayHint(args.rejects, args, rowsRejected))
  }
  if (failure) throw failure
  // on a terminal the table has the same numbers
  if (args.quiet || (wantsTable(args, terminal) && terminal.stdout.isTTY)) return
  terminal.result(visible(committedLine(args.table, run.stats, elapsedMs, rowsSkipped)))
}

function wantsTable(args: LoadArguments, { stderr }: Terminal): boolean {
  return args.summary || (stderr.isTTY === true && !args.quiet && !args.log)
}
