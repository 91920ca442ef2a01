import type { LoadArguments } from '../arguments/arguments.ts'
import { type Failure, interruptedFailure } from '../exit-error.ts'
import { runAgain } from '../report/run-again.ts'
import { summaryTable } from '../report/summary.ts'
import { committedLine, interruptedLine, replayHint } from '../terminal/messages.ts'
import type { Output } from '../terminal/output.ts'
import { visible } from '../terminal/visible.ts'
import type { Watcher } from '../watch/watcher.ts'
import type { LoadRun } from './load-run.ts'

/** Says what became of the rows of a load: to who looked on, as a table, and in one line. @throws Failure */
export async function reportEnd(
  run: LoadRun,
  failed: Failure | undefined,
  given: LoadArguments,
  { watcher, output }: { watcher: Watcher; output: Output },
): Promise<void> {
  const counts = run.counts()
  const { rowsCommitted, rowsRejected, rowsSkipped, elapsedMs } = counts
  const reasons = run.reasons.list()
  const outcome = failed ? 'failed' : run.stopped ? 'interrupted' : 'done'
  const next = rowsCommitted > 0 ? runAgain(given) : undefined
  const failure =
    outcome === 'interrupted' ? interruptedFailure(interruptedLine(given.table, rowsCommitted, next)) : failed
  await watcher.end({ counts, reasons, outcome, error: failure?.message })
  if (failure && given.log === 'json') failure.told = true
  if (wantsTable(given)) {
    const table = summaryTable(given.table, counts, reasons)
    // standard error has JSON only
    if (given.log === 'json') output.result(table)
    else for (const line of table.split('\n')) output.note(line)
  }
  if (rowsRejected > 0 && run.keptRejects && given.rejects !== undefined && !given.quiet && !given.log) {
    output.note(replayHint(given.rejects, given.table, rowsRejected))
  }
  if (failure) throw failure
  // the line is what a pipe or a script reads; on the terminal the table has said it
  if (given.quiet || (wantsTable(given) && process.stdout.isTTY)) return
  output.result(visible(committedLine(given.table, run.stats, elapsedMs, rowsSkipped)))
}

function wantsTable(given: LoadArguments): boolean {
  return given.summary || (process.stderr.isTTY === true && !given.quiet && !given.log)
}
