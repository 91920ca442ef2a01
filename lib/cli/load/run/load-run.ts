import { finished, type Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { RecordTable } from '../../../csv/record-table.ts'
import { PgBatchError } from '../../../errors.ts'
import type { FileRow } from '../../../sources/open-sources.ts'
import type { Repair } from '../../../sources/repairs.ts'
import { untilClosed } from '../../../streams/until-closed.ts'
import type { Stats } from '../../../types.ts'
import type { BeforeCommit } from '../../../write/write-context.ts'
import { isDayFirst } from '../../database/connection-config.ts'
import { retrying } from '../../database/retrying.ts'
import { ExitError } from '../../exit-error.ts'
import { rejectsFile } from '../../rejects/rejects-file.ts'
import { explainLoad } from '../../report/explain-load.ts'
import type { Resume } from '../../resume/resume.ts'
import { RowPositions } from '../../rows/row-positions.ts'
import { showsValues } from '../../terminal/output.ts'
import type { LoadCounts } from '../../watch/load-counts.ts'
import { RejectReasons } from '../../watch/reject-reasons.ts'
import type { Watcher } from '../../watch/watcher.ts'
import { countWorkers } from '../../workers/count-workers.ts'
import { type LoadInput, openInput } from '../load-input.ts'
import type { LoadPlan } from '../load-plan.ts'
import { type LoadSink, openSink } from '../open-sink.ts'
import { approveShrink } from './approve-shrink.ts'
import { GivingUp } from './giving-up.ts'
import { InputBytes } from './input-bytes.ts'
import { addStats, LoadMarks } from './load-marks.ts'
import { rejectsLeft, tooManyRejected } from './too-many-rejected.ts'

/** One pass of a load: its streams, its counts, and the position of each row in its file. */
export class LoadRun {
  /** The reasons for which rows were rejected. */
  readonly reasons: RejectReasons
  readonly #plan: LoadPlan
  readonly #resume: Resume | undefined
  readonly #positions: RowPositions
  readonly #bytes: InputBytes
  readonly #input: LoadInput
  readonly #deadLetter: Writable | undefined
  readonly #workers: number
  readonly #sink: LoadSink
  readonly #started: number
  /** The counts of an earlier pass, for the rows that are still in the table. */
  readonly #before: Readonly<Stats> | undefined
  readonly #marks: LoadMarks
  #retries = 0
  #regressed = false
  #undone: string | undefined
  /** A signal has ended a single transaction. */
  #abandoned = false
  /** Gives up what is not written some time after a signal. */
  readonly #givingUp = new GivingUp()
  /** Aborts a question to the user. */
  readonly #stopped = new AbortController()
  #note: (line: string) => void = () => {}

  /** @param earlier the pass of the same load after which the server lost commits */
  constructor(plan: LoadPlan, resume: Resume | undefined, earlier?: LoadRun) {
    const { args } = plan
    this.#plan = plan
    this.#resume = resume
    this.#workers = resume?.distribution.workers ?? countWorkers(plan)
    this.#started = earlier ? earlier.#started : performance.now()
    this.#retries = earlier ? earlier.#retries : 0
    this.reasons = earlier ? earlier.reasons : new RejectReasons()
    this.#before = earlier ? earlier.#marks.at(this.#skip).stats : undefined
    this.#positions = new RowPositions(this.#skip)
    this.#bytes = new InputBytes(plan.meter, this.#skip)
    this.#input = openInput(plan, {
      skip: this.#skip,
      isWritten: (resume ?? plan.trial)?.isWritten,
      numbered: resume !== undefined,
      onBatch: (count, records) => {
        // the batches of workers are parts of these
        if (this.#workers === 1) this.#addBatch(count, records)
        this.#bytes.read(this.#input.intake.rowsRead)
      },
    })
    if (args.rejects !== undefined && !resume && !plan.trial) {
      this.#deadLetter = rejectsFile(args.rejects, place => this.#positionOf(place))
    }
    this.#input.intake.once('end', () => this.#endInput())
    this.#sink = this.#openSink(earlier === undefined)
    this.#marks = new LoadMarks({ rows: this.#skip, stats: this.stats })
  }

  #addBatch(count: number, records?: RecordTable): void {
    this.#positions.addBatch(count, records?.lines(), records?.firstNumber)
  }

  #openSink(isFirstPass: boolean): LoadSink {
    const sink = openSink(this.#plan, {
      input: this.#input,
      resume: this.#resume,
      workers: this.#workers,
      isFirstPass,
      rejectLimit: rejectsLeft(this.#plan.args, this.#before?.rowsRejected ?? 0),
      deadLetter: this.#deadLetter,
      onPart: records => this.#addBatch(records.length, records),
      isWhole: () => !this.stopped,
      beforeCommit: this.#approve,
      gracefulSignal: this.#givingUp.signal,
    })
    sink.on('retry', () => this.#retries++)
    sink.on('evolve', event => {
      this.#plan.onEvolve(event)
      // a load that is continued compares fewer values if the server does not take this
      this.#resume?.addColumns(event.added).catch(() => {})
    })
    if (this.#plan.args.singleTransaction) return sink
    sink.on('commit', () => {
      const { rowsReceived, rowsPending } = sink.stats
      if (this.#resume) this.#marks.add({ rows: this.#skip + rowsReceived - rowsPending, stats: this.stats })
      const failure = tooManyRejected(this.stats, false, this.#plan)
      // its rejected rows are still on their way to their file
      if (failure) this.#givingUp.now(failure)
    })
    return sink
  }

  /** The repairs of --lenient. Those of rows that an earlier run wrote are among them. */
  get repairs(): Repair[] {
    return this.#plan.repairs.list()
  }

  /** Reports retries and rejected rows to the watcher. */
  reportTo(watcher: Watcher): void {
    const { matches } = this.#plan
    this.#note = line => watcher.note(line)
    if (matches) matches.onGuess = note => watcher.note(note)
    this.#sink.on('retry', event => watcher.retry(event))
    this.#sink.on('evolve', ({ sql }) => watcher.note(`${sql};`))
    this.#sink.on('reject', reject => {
      const at = this.#positionOf(reject)
      const file = this.#plan.source.files.length > 1 ? at?.file : undefined
      this.reasons.add(reject.error, at?.row, file)
      watcher.reject(reject.error, at?.row, file)
    })
  }

  /**
   * Ends the input. Rows that were taken in are still written, except those of a single transaction. Returns
   * what is being done.
   */
  stop(): string {
    if (this.#plan.args.singleTransaction) {
      this.#abandoned = !this.#sink.writableFinished
      this.#stopped.abort()
      this.#sink.destroy(new Error('The load was interrupted'))
      return 'rolling back'
    }
    const isStopped = this.#input.intake.stop()
    if (isStopped) this.#endInput()
    if (this.#canReadAgain) this.#givingUp.begin(this.#note)
    return isStopped ? 'writing the rows that were read' : 'writing the last rows'
  }

  /** Rows that were taken in are lost if they come from a pipe and are not written. */
  get #canReadAgain(): boolean {
    return this.#resume !== undefined || this.#plan.meter.bytesTotal !== undefined
  }

  /** True if not all rows of the file are written because of a signal. */
  get stopped(): boolean {
    return this.#abandoned || this.#input.intake.stopped || this.#sink.errored === this.#givingUp.reason
  }

  /** The counts of all passes, without rows that the server has lost. */
  get stats(): Readonly<Stats> {
    return this.#before ? addStats(this.#before, this.#sink.stats) : this.#sink.stats
  }

  /** True if rows that are not counted may be committed: the server has not answered their COMMIT. */
  get mayHaveCommittedMore(): boolean {
    return this.#sink.mayHaveCommittedMore
  }

  /**
   * True if the server has lost commits of this load. The rows after the stored one have to be read again.
   */
  get regressed(): boolean {
    return this.#regressed
  }

  /** Why a single transaction was rolled back, if another attempt at the whole input may succeed. */
  get undone(): string | undefined {
    return this.#undone
  }

  /** True if all rejected rows are in their file. */
  get keptRejects(): boolean {
    return (this.#sink.errored as PgBatchError | null)?.callback !== 'deadLetter'
  }

  /** Writes all rows and closes the file of rejected rows. Returns the error if it fails. */
  async writeAll(): Promise<ExitError | undefined> {
    const { intake, batching } = this.#input
    try {
      await pipeline([intake, ...batching, this.#sink])
      const tooMany = tooManyRejected(this.stats, true, this.#plan)
      if (tooMany) throw tooMany
      if (!this.stopped) await this.#finish(intake.rowsRead)
      return undefined
    } catch (error) {
      await untilClosed(this.#sink)
      // what was read waits for rows that were not: it is read again
      if (this.#abandoned || (this.stopped && isOrphan(error))) return undefined
      if (error === this.#givingUp.reason) return undefined
      if (this.#plan.args.singleTransaction && isUndone(error)) this.#undone = error.reason
      this.#regressed = error instanceof PgBatchError && error.code === 'CHECKPOINT_REGRESSED'
      return this.#explained(error)
    } finally {
      this.#givingUp.done()
      await closed(this.#deadLetter)
    }
  }

  async #finish(rowsRead: number): Promise<void> {
    const notify = (line: string): void => this.#note(line)
    await retrying({ name: this.#plan.args.table, notify }, async () => this.#resume?.finish(rowsRead))
  }

  readonly counts = (): LoadCounts => {
    const { database } = this.#plan
    const { rowsRead } = this.#input.intake
    const { stats } = this
    const { rowsReceived, rowsPending } = this.#sink.stats
    const uncommitted = this.#uncommitted
    const skipped = this.#before ? 0 : Math.min(this.#skip, rowsRead)
    return {
      rowsRead,
      rowsCommitted: stats.rowsCommitted,
      rowsUnchanged: stats.rowsUnchanged,
      rowsRejected: stats.rowsRejected,
      rowsSkipped: skipped + stats.rowsSkipped,
      batches: stats.batchesCommitted,
      transactions: stats.transactions,
      retries: this.#retries,
      ...this.#bytes.counts({
        settledRows: this.#skip + rowsReceived - rowsPending,
        isUncommitted: uncommitted !== undefined,
        isStopped: this.stopped,
        isFinished: this.#sink.writableFinished,
      }),
      uncommitted,
      bytesSent: stats.bytesSent,
      connections: this.#workers > 1 ? this.#workers : database.pool.totalCount - database.pool.idleCount,
      elapsedMs: performance.now() - this.#started,
    }
  }

  get #uncommitted(): LoadCounts['uncommitted'] {
    const { rowsReceived: rows, rowsPending } = this.#sink.stats
    if (!this.#plan.args.singleTransaction || rowsPending === 0 || this.#sink.destroyed) return undefined
    return { rows, bytes: this.#bytes.of(rows) }
  }

  #endInput(): void {
    this.#bytes.end(this.#input.intake.rowsRead)
  }

  /** The number of rows that an earlier run wrote. */
  get #skip(): number {
    return this.#resume?.rowsWritten ?? this.#plan.trial?.skip ?? 0
  }

  #positionOf({ batchId, index }: { batchId: number; index: number }): FileRow | undefined {
    const number = this.#positions.rowNumber(batchId, index)
    return number === undefined ? undefined : this.#plan.source.positionOf(number)
  }

  /** Fails a single transaction before its COMMIT if too many rows are rejected, or too few would remain. */
  readonly #approve: BeforeCommit = async counts => {
    const { rowsReceived } = this.#sink.stats
    const settled = { rowsReceived, rowsPending: 0, rowsRejected: counts.rejected }
    const tooMany = tooManyRejected(settled, true, this.#plan)
    if (tooMany) throw tooMany
    await approveShrink(counts, { ...this.#plan, note: this.#note, signal: this.#stopped.signal })
  }

  #explained(thrown: unknown): ExitError {
    const isOurs = thrown instanceof PgBatchError && thrown.cause instanceof ExitError
    const error = isOurs ? thrown.cause : thrown
    const { source, table, database, args, terminal } = this.#plan
    return explainLoad(error, {
      placeOf: source.placeOf,
      lineOf: source.lineOf,
      format: source.format,
      table,
      user: database.user,
      positions: this.#positions,
      rowsCommitted: this.stats.rowsCommitted,
      mayHaveCommittedMore: this.mayHaveCommittedMore,
      isDayFirst: isDayFirst(terminal.env),
      showsValues: showsValues(terminal, args),
      args,
    })
  }
}

/** Returns true if nothing is stored, and the same rows may be stored by another attempt. */
function isUndone(error: unknown): error is PgBatchError {
  return (
    error instanceof PgBatchError &&
    error.retryable &&
    (error.outcome === 'rolled-back' || error.outcome === 'not-sent')
  )
}

function isOrphan(error: unknown): boolean {
  return error instanceof PgBatchError && error.sqlState === '23503'
}

/** Ends the file of rejected rows, so that it is closed before the load is reported. */
async function closed(deadLetter: Writable | undefined): Promise<void> {
  if (!deadLetter) return
  await new Promise<void>(resolve => {
    finished(deadLetter, () => resolve())
    deadLetter.end()
  })
}
