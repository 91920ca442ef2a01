import type { LoadPlan } from './load-plan.ts'
import { LoadRun } from './load-run.ts'
import type { Output } from './output.ts'
import { readingOf } from './reading.ts'
import { reportEnd } from './report-end.ts'
import { openResume, type Resume } from './resume.ts'
import { announced, stoppingLine, whileRunning } from './signals.ts'
import { chooseWatchers } from './watch/choose-watchers.ts'

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
  const { source, given } = plan
  const doing = 'the server is asked what was written before'
  const resume = await announced({ signal, notify, doing }, () => openResumeOf(plan))
  if (resume?.complete) {
    if (!given.quiet) output.result(resume.complete)
    return
  }
  const run = new LoadRun(plan, resume)
  const watcher = chooseWatchers(given, output)
  const stop = (): void => {
    const doing = run.stop() ? 'what was read is written' : 'the last rows are being written'
    watcher.note(stoppingLine(signal, doing))
  }
  run.tell(watcher)
  watcher.begin({ source: source.name, table: given.table }, run.counts)
  if (resume?.note) watcher.note(resume.note)
  if (signal.aborted) run.stop() // which was said
  const failure = await whileRunning(signal, stop, () => run.writeAll())
  await reportEnd(run, failure, given, { watcher, output })
}

async function openResumeOf({ database, source, given, table }: LoadPlan): Promise<Resume | undefined> {
  if (given.resume === undefined) return undefined
  const reading = readingOf(source.manner, given)
  return openResume(database.pool, given.resume, { source, reading, table })
}
