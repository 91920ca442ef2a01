import { setTimeout } from 'node:timers/promises'
import { DEFAULT_RETRY } from '../../writable/resolve/check-retry.ts'
import { retryDelayMs } from '../../write/faults/retry.ts'
import { batchLimitsOf } from '../arguments/run-options.ts'
import { retrying } from '../database/retrying.ts'
import { sequenceHints } from '../database/sequences.ts'
import { dataError, ExitError } from '../exit-error.ts'
import { explain } from '../report/explain.ts'
import { inputFingerprint } from '../resume/input-fingerprint.ts'
import { openResume, type Resume } from '../resume/resume.ts'
import { stoppingLine, whileRunning } from '../signals.ts'
import { regressedLine, undoneLine, writtenToLine } from '../terminal/messages.ts'
import { chooseWatchers } from '../watch/choose-watchers.ts'
import type { Watcher } from '../watch/watcher.ts'
import { countWorkers, whyOneWorker } from '../workers/count-workers.ts'
import type { LoadPlan } from './load-plan.ts'
import { reportEnd } from './report-end.ts'
import { LoadRun } from './run/load-run.ts'
import { waitingForServer } from './waiting-for-server.ts'

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
  const resume = await waitingForServer({ args, notify, signal }, () => openResumeOf(plan), doing)
  if (resume?.complete) {
    if (!args.quiet) terminal.result(resume.complete)
    return
  }
  const why = (args.workers ?? 1) > 1 ? whyOneWorker(plan) : undefined
  if (why !== undefined) notify(`--workers: one thread writes, since ${why}`)
  const watcher = chooseWatchers(args, terminal)
  const passes = new LoadPasses(plan, new LoadRun(plan, resume), watcher, signal)
  watcher.begin({ source: source.name, table: args.table }, () => passes.run.counts())
  if (resume?.note) watcher.note(resume.note)
  const stop = (): void => watcher.note(stoppingLine(signal, passes.run.stop()))
  const failure = await whileRunning(signal, stop, () => passes.writeAll(readAgain))
  for (const hint of await hintsOf(plan, passes.run)) watcher.note(hint)
  if (!failure) for (const file of plan.meter.changedFiles) watcher.note(writtenToLine(file))
  await reportEnd(passes.run, failure, args, { watcher, terminal })
}

/** The passes of a load: one, unless the server has lost commits or rolled a single transaction back. */
class LoadPasses {
  /** The pass that writes, or wrote last. */
  run: LoadRun
  readonly #plan: LoadPlan
  readonly #watcher: Watcher
  readonly #signal: AbortSignal

  constructor(plan: LoadPlan, first: LoadRun, watcher: Watcher, signal: AbortSignal) {
    this.#plan = plan
    this.run = first
    this.#watcher = watcher
    this.#signal = signal
    first.reportTo(watcher)
  }

  /** Writes the input, in another pass if that may succeed. Returns the error of the last pass. */
  async writeAll(readAgain: () => Promise<LoadPlan>): Promise<ExitError | undefined> {
    if (this.#signal.aborted) this.run.stop() // the signal was reported already
    let failure = await this.run.writeAll()
    let furthest = -1
    for (let withoutProgress = 0; withoutProgress < MAX_PASSES_WITHOUT_PROGRESS && this.#needsAnother; ) {
      const { undone } = this.run
      if (undone !== undefined) await this.#pauseAfter(undone, withoutProgress + 1)
      const caller = { notify: (line: string) => this.#watcher.note(line), signal: this.#signal }
      const next = await nextPass(this.run, readAgain, caller).catch(error => explain(error, this.#plan.args))
      if (next instanceof ExitError) return next
      const { rowsWritten } = next
      withoutProgress = rowsWritten > furthest ? 0 : withoutProgress + 1
      furthest = Math.max(furthest, rowsWritten)
      if (undone === undefined) this.#watcher.note(regressedLine(this.#plan.args.resume!, rowsWritten))
      this.run = next.run
      this.run.reportTo(this.#watcher)
      if (this.#signal.aborted) this.run.stop()
      failure = await this.run.writeAll()
      next.source.rows.destroy()
    }
    return failure
  }

  /** The last pass has failed, and the same rows can be read and written again. */
  get #needsAnother(): boolean {
    if (this.#signal.aborted) return false
    return this.run.regressed || (this.run.undone !== undefined && !this.#plan.source.live)
  }

  async #pauseAfter(undone: string, attempt: number): Promise<void> {
    const { args, source } = this.#plan
    this.#watcher.note(undoneLine(args.table, undone, source.name))
    const delayMs = retryDelayMs(DEFAULT_RETRY, attempt, Math.random())
    await setTimeout(delayMs, undefined, { signal: this.#signal }).catch(() => {})
  }
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
  caller: LoadCaller,
): Promise<{ run: LoadRun; rowsWritten: number; source: LoadPlan['source'] }> {
  const plan = await readAgain()
  const { source } = plan
  try {
    const resume = await retrying({ name: plan.args.table, ...caller }, () => openResumeOf(plan))
    const rowsWritten = resume?.rowsWritten ?? 0
    return { run: new LoadRun(plan, resume, earlier), rowsWritten, source }
  } catch (error) {
    source.rows.destroy()
    throw error
  }
}

async function openResumeOf(plan: LoadPlan): Promise<Resume | undefined> {
  const { database, source, args, table, newColumns } = plan
  if (args.resume === undefined) return undefined
  const fingerprint = inputFingerprint(source.description, args)
  const wanted = countWorkers(plan)
  const distribution = { workers: wanted, chunkRows: batchLimitsOf(args, wanted).rows }
  const resume = await openResume(database, args.resume, {
    source,
    fingerprint,
    table,
    distribution,
    newColumns,
  })
  const { workers } = resume.distribution
  const why = workers > 1 ? whyOneWorker(plan) : undefined
  if (why === undefined) return resume
  throw dataError(`--resume ${args.resume} was begun with ${workers} workers, but ${why}; use another name`)
}
