import type { Worker } from 'node:worker_threads'
import type { RecordTable } from '../../csv/record-table.ts'
import { PgBatchError } from '../../errors.ts'
import { type ErrorData, errorOfData } from './error-data.ts'
import { type FromWorker, PARTS_AHEAD, type PartMessage, type ToWorker, type WorkerTask } from './messages.ts'
import { SharedSlot, shareRecords } from './shared-records.ts'
import { startThread } from './start-thread.ts'

/** What a worker reports besides its last message. */
export type WorkerReport = Exclude<FromWorker, { kind: 'accepted' | 'end' }>

/** The end of a worker. Without an error, all of its rows are settled. */
export interface WorkerEnd {
  readonly stats: Extract<FromWorker, { kind: 'end' }>['stats'] | undefined
  /** Rows that are not counted may be committed. */
  readonly mayHaveCommittedMore: boolean
  readonly error: Error | undefined
}

/** A worker, as the main thread sees it: takes records, reports, and ends. */
export class WorkerThread {
  /** Resolves when the worker has ended, whatever the reason. */
  readonly ended: Promise<WorkerEnd>
  readonly #thread: Worker
  readonly #onReport: (report: WorkerReport) => void
  /** Memory by its number. */
  readonly #slots: SharedSlot[] = []
  /** The numbers of memory whose parts are committed. */
  readonly #free: number[] = []
  /** The numbers of the other memory, that of the oldest part first. */
  readonly #used: number[] = []
  #ahead = 0
  #isOver = false
  #onRoom: (() => void) | undefined

  constructor(task: WorkerTask, onReport: (report: WorkerReport) => void) {
    this.#onReport = onReport
    this.#thread = startThread(task)
    this.ended = new Promise(resolve => {
      const died = (cause?: Error) =>
        resolve({ stats: undefined, mayHaveCommittedMore: true, error: threadDied(cause) })
      this.#thread
        .on('message', (message: FromWorker) => {
          if (message.kind !== 'end') return this.#hear(message)
          const { stats, mayHaveCommittedMore, error } = message
          resolve({ stats, mayHaveCommittedMore, error: error && errorOfData(error) })
          // a connection that does not close must not keep the process
          if (error) void this.#thread.terminate()
        })
        .on('error', died)
        .on('exit', () => died())
    })
    void this.ended.then(() => {
      this.#isOver = true
      this.#giveRoom()
    })
  }

  send(records: RecordTable, part: Pick<PartMessage, 'refused' | 'partition' | 'firstRow'>): void {
    let taken!: { slot: number; isNew: boolean }
    const { memory } = shareRecords(records, bytes => {
      taken = this.#take(bytes)
      return this.#slots[taken.slot]!
    })
    const { slot, isNew } = taken
    const { length: count, firstLine, faults } = records
    const where = { slot, memory: isNew ? memory : undefined, count, firstLine }
    this.#post({ kind: 'part', ...where, faults, ...part })
    this.#ahead++
  }

  /** Resolves when the worker takes more records; at once: undefined. */
  room(): Promise<void> | undefined {
    if (this.#ahead < PARTS_AHEAD || this.#isOver) return undefined
    return new Promise(resolve => {
      this.#onRoom = resolve
    })
  }

  end(): void {
    this.#post({ kind: 'end' })
  }

  /** Rolls back what is in flight. */
  stop(): void {
    this.#post({ kind: 'stop' })
  }

  /** Rolls back what is in flight, but cuts off no report of what is committed. */
  stopGracefully(): void {
    this.#post({ kind: 'stop gracefully' })
  }

  /** Says that rejected rows are in their file, or why they are not. */
  kept(error: ErrorData | undefined): void {
    this.#post({ kind: 'kept', error })
  }

  #post(message: ToWorker): void {
    this.#thread.postMessage(message)
  }

  #hear(message: Exclude<FromWorker, { kind: 'end' }>): void {
    if (message.kind === 'accepted') {
      this.#ahead -= message.parts
      if (this.#ahead < PARTS_AHEAD) this.#giveRoom()
      return
    }
    if (message.kind === 'commit') this.#free.push(...this.#used.splice(0, message.batches))
    this.#onReport(message)
  }

  #giveRoom(): void {
    this.#onRoom?.()
    this.#onRoom = undefined
  }

  /** Returns the number of free memory of at least so many bytes. */
  #take(bytes: number): { slot: number; isNew: boolean } {
    const slot = this.#free.pop() ?? this.#slots.length
    const known = this.#slots[slot]
    const isNew = known === undefined || known.memory.byteLength < bytes
    if (isNew) this.#slots[slot] = SharedSlot.of(bytes)
    this.#used.push(slot)
    return { slot, isNew }
  }
}

function threadDied(cause: Error | undefined): PgBatchError {
  const why = cause ? `: ${cause.message}` : ''
  const reason = `A worker thread has ended before its rows were written${why}`
  return new PgBatchError('ABORTED', reason, { outcome: 'unknown', ...(cause ? { cause } : {}) })
}
