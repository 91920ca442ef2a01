import { setTimeout } from 'node:timers/promises'
import { DEFAULT_RETRY } from '../../writable/resolve/check-retry.ts'
import { retryDelayMs } from '../../write/faults/retry.ts'
import { batchRowsOf } from '../arguments/run-options.ts'
import { sequenceHints } from '../database/sequences.ts'
import { dataError, ExitError } from '../exit-error.ts'
import { explain } from '../report/explain.ts'
import { inputFingerprint } from '../resume/input-fingerprint.ts'
import { openResume, type Resume } from '../resume/resume.ts'
import { announced, stoppingLine, whileRunning } from '../signals.ts'
import { regressedLine, undoneLine } from '../terminal/messages.ts'
import { chooseWatchers } from '../watch/choose-watchers.ts'
import { countWorkers, whyOneWorker } from '../workers/count-workers.ts'
import type { LoadPlan } from './load-plan.ts'
import { reportEnd } from './report-end.ts'
import { LoadRun } from './run/load-run.ts'

/** What the caller prints with, and its signal. */
export interface LoadCaller {
  /** Prints a line before the watchers start. */
  readonly notify: (line: string) => void
  readonly signal: AbortSignal
}

/** After this many passes without progress, something undoes each commit. */
const MAX_PASSES_WITHOUT_PROGRESS = 10

/**
 * Writes the rows of an open source into an introspected table, and reports the outcome. The signal ends the
 * input, and rows that were taken in are still written. If the server has lost commits of a load with
 * --resume, the rows after the stored one are read again. If the connection of a single transaction breaks,
 * all rows are read again, except those of a pipe.
 * @param readAgain opens the same input from its start
 * @throws ExitError
 */
export async function runLoad(
  plan: LoadPlan,
  { notify, signal }: LoadCaller,
  readAgain: () => Promise<LoadPlan>,
): Promise<void> {
  const { source, args, terminal } = plan
  const doing = 'asking the server what was written before'
  const resume = await announced({ signal, notify, doing }, () => openResumeOf(plan))
  if (resume?.complete) {
    if (!args.quiet) terminal.result(resume.complete)
    return
  }
  const why = (args.workers ?? 1) > 1 ? whyOneWorker(plan) : undefined
  if (why !== undefined) notify(`--workers: one thread writes, since ${why}`)
  let run = new LoadRun(plan, resume)
  const watcher = chooseWatchers(args, terminal)
  const stop = (): void => watcher.note(stoppingLine(signal, run.stop()))
  run.reportTo(watcher)
  watcher.begin({ source: source.name, table: args.table }, () => run.counts())
  if (resume?.note) watcher.note(resume.note)
  if (signal.aborted) run.stop() // the signal was reported already
  const failure = await whileRunning(signal, stop, async () => {
    let failure = await run.writeAll()
    let furthest = -1
    for (let fruitless = 0; fruitless < MAX_PASSES_WITHOUT_PROGRESS && !signal.aborted; ) {
      const undone = source.live ? undefined : run.undone
      if (undone !== undefined) {
        watcher.note(undoneLine(args.table, undone, source.name))
        const delayMs = retryDelayMs(DEFAULT_RETRY, fruitless + 1, Math.random())
        await setTimeout(delayMs, undefined, { signal }).catch(() => {})
      } else if (!run.regressed) break
      const next = await nextPass(run, readAgain).catch(error => explain(error, args))
      if (next instanceof ExitError) return next
      run = next.run
      fruitless = next.rowsWritten > furthest ? 0 : fruitless + 1
      furthest = Math.max(furthest, next.rowsWritten)
      if (undone === undefined) watcher.note(regressedLine(args.resume!, next.rowsWritten))
      run.reportTo(watcher)
      if (signal.aborted) run.stop()
      failure = await run.writeAll()
      next.source.rows.destroy()
    }
    return failure
  })
  for (const hint of await hintsOf(plan, run)) watcher.note(hint)
  await reportEnd(run, failure, args, { watcher, terminal })
}

/** A hint that cannot be made must not hide how the load ended. */
async function hintsOf({ database, table, writing }: LoadPlan, run: LoadRun): Promise<string[]> {
  if (run.stats.rowsCommitted === 0) return []
  return sequenceHints(database.pool, table, writing.columns).catch(() => [])
}

/** Starts a pass after the row that the server has stored; without --resume, at the first row. */
async function nextPass(
  earlier: LoadRun,
  readAgain: () => Promise<LoadPlan>,
): Promise<{ run: LoadRun; rowsWritten: number; source: LoadPlan['source'] }> {
  const plan = await readAgain()
  const { source } = plan
  try {
    const resume = await openResumeOf(plan)
    const rowsWritten = resume?.rowsWritten ?? 0
    return { run: new LoadRun(plan, resume, earlier), rowsWritten, source }
  } catch (error) {
    source.rows.destroy()
    throw error
  }
}

async function openResumeOf(plan: LoadPlan): Promise<Resume | undefined> {
  const { database, source, args, table } = plan
  if (args.resume === undefined) return undefined
  const fingerprint = inputFingerprint(source.description, args)
  const distribution = { workers: countWorkers(plan), chunkRows: batchRowsOf(args) }
  const resume = await openResume(database, args.resume, { source, fingerprint, table, distribution })
  const { workers } = resume.distribution
  const why = workers > 1 ? whyOneWorker(plan) : undefined
  if (why === undefined) return resume
  throw dataError(`--resume ${args.resume} was begun with ${workers} workers, but ${why}; use another name`)
}
