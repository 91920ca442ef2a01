import { Writable } from 'node:stream'
import type { CsvRecord } from '../../csv/record.ts'
import type { RecordTable } from '../../csv/record-table.ts'
import { tableOf } from '../../csv/record-table-builder.ts'
import type { PgBatchError } from '../../errors.ts'
import type { Stats } from '../../types.ts'
import { combineStats } from '../../writable/combine-stats.ts'
import { whenAborted } from '../../writable/stop/abort.ts'
import type { RejectedRow } from '../../write/rejects/dead-letter.ts'
import type { Distribute, FileRow } from '../resume/distribution.ts'
import { dataOfError, type ErrorData, errorOfData } from './error-data.ts'
import type { WorkerRejectedRow, WorkerTask } from './messages.ts'
import { type WorkerReport, WorkerThread } from './worker-thread.ts'

export interface WorkersOptions {
  /** What each worker is to do. */
  readonly tasks: readonly WorkerTask[]
  readonly distribute: Distribute
  /** Called for each part before it is sent. Parts are numbered from 1, as batches are. */
  readonly onPart: (records: RecordTable) => void
  /** Returns what is written of a record, as `RecordWriting` does. Undefined: the record itself. */
  readonly toRow: ((record: CsvRecord) => object) | undefined
  /** Returns the partition of the checkpoint and the place of a row. Undefined without a checkpoint. */
  readonly placeOf: ((rowNumber: number) => FileRow & { readonly partition: string }) | undefined
  /** Takes rejected rows, if they go to the main thread. */
  readonly deadLetter: Writable | undefined
  /** See `LoaderOptions`. */
  readonly gracefulSignal?: AbortSignal | undefined
}

/**
 * Writes tables of CSV records by several threads, each on a connection of its own. It looks like a
 * `PgBatchWritable`: counts, the events 'commit', 'retry' and 'reject', and errors are those of all workers.
 * A worker's batches have its own numbers; here they are numbered in the order in which they are sent.
 */
export class WorkersWritable extends Writable {
  readonly #options: WorkersOptions
  readonly #workers: readonly WorkerThread[]
  /** For each worker: the numbers of its batches, in its order. */
  readonly #batchIds: number[][]
  /** For each worker: its latest counts. */
  readonly #stats: Stats[]
  #mayHaveCommittedMore = false
  /** Why the workers stop, and cut off no report of what is committed. */
  #reason: Error | undefined
  /** What has kept a worker from reporting what it has committed, while the workers stop. */
  #callbackError: Error | undefined
  #rowsReceived = 0
  #batchesReceived = 0

  constructor(options: WorkersOptions) {
    super({ objectMode: true, highWaterMark: 1 })
    this.#options = options
    const { tasks } = options
    this.#batchIds = tasks.map(() => [])
    this.#stats = tasks.map(() => combineStats([]))
    this.#workers = tasks.map((task, index) => {
      const worker = new WorkerThread(task, report => this.#hear(report, index))
      void worker.ended.then(({ stats, mayHaveCommittedMore, error }) => {
        if (stats) this.#stats[index] = stats
        this.#mayHaveCommittedMore ||= mayHaveCommittedMore
        if (error) this.#fail(this.#errorOf(dataOfError(error), index))
      })
      return worker
    })
    const { gracefulSignal } = options
    if (gracefulSignal)
      whenAborted(gracefulSignal, this, () => void this.#stopGracefully(gracefulSignal.reason))
  }

  #fail(error: Error): void {
    if (!this.#reason) void this.#stopGracefully(error)
    else if ((error as PgBatchError).callback !== undefined) this.#callbackError ??= error
  }

  async #stopGracefully(reason: Error): Promise<void> {
    this.#reason = reason
    for (const worker of this.#workers) worker.stopGracefully()
    await this.#untilEnded()
    this.destroy(this.#callbackError ?? reason)
  }

  /** Counts as those of `PgBatchWritable`. What was sent and is not settled is pending. */
  get stats(): Readonly<Stats> {
    const sum = combineStats(this.#stats)
    const { rowsCommitted, rowsUnchanged, rowsRejected, rowsSkipped } = sum
    const rowsReceived = this.#rowsReceived
    return {
      ...sum,
      rowsReceived,
      batchesReceived: this.#batchesReceived,
      rowsPending: rowsReceived - rowsCommitted - rowsUnchanged - rowsRejected - rowsSkipped,
    }
  }

  /** True if rows that are counted as pending may be committed. Final once the stream is closed. */
  get mayHaveCommittedMore(): boolean {
    return this.#mayHaveCommittedMore
  }

  override _write(records: RecordTable, _encoding: BufferEncoding, callback: () => void): void {
    for (const part of this.#options.distribute(records)) this.#send(part.worker, part.records)
    const waits = this.#workers.map(worker => worker.room()).filter(wait => wait !== undefined)
    if (waits.length === 0) callback()
    else void Promise.all(waits).then(() => callback())
  }

  override _final(callback: (error?: Error) => void): void {
    for (const worker of this.#workers) worker.end()
    // workers that were stopped have dropped rows, or could not report what they have committed
    void this.#untilEnded().then(() => this.#reason || this.destroyed || callback())
  }

  override _destroy(error: Error | null, callback: (error: Error | null) => void): void {
    for (const worker of this.#workers) worker.stop()
    void this.#untilEnded().then(() => callback(error))
  }

  #send(index: number, records: RecordTable): void {
    const { onPart, placeOf } = this.#options
    this.#batchIds[index]!.push(++this.#batchesReceived)
    this.#rowsReceived += records.length
    onPart(records)
    const { partition, row } = placeOf?.(records.firstNumber) ?? { partition: undefined, row: 1 }
    const { written, refused } = this.#check(records)
    this.#workers[index]!.send(written, { refused, partition, firstRow: row })
    records.release()
  }

  /** Converts and checks records here, because the checks are functions, which threads cannot share. */
  #check(records: RecordTable): {
    written: RecordTable
    refused: ReadonlyMap<number, ErrorData> | undefined
  } {
    const { toRow } = this.#options
    if (!toRow) return { written: records, refused: undefined }
    const refused = new Map<number, ErrorData>()
    const written = records.all().map((record, index) => {
      try {
        return toRow(record) as CsvRecord
      } catch (error) {
        refused.set(index, dataOfError(error))
        return record
      }
    })
    return { written: tableOf(written), refused }
  }

  #hear(report: WorkerReport, index: number): void {
    switch (report.kind) {
      case 'commit':
        this.#stats[index] = report.stats
        this.emit('commit')
        return
      case 'retry':
        this.emit('retry', { ...report, error: this.#errorOf(report.error, index) })
        return
      case 'reject':
        this.emit('reject', this.#located(report, index))
        return
      case 'rejected rows':
        this.#keep(report.rows, index)
    }
  }

  /** Hands rejected rows to the file, and reports to their worker when they are there. */
  #keep(rejected: readonly WorkerRejectedRow[], index: number): void {
    const deadLetter = this.#options.deadLetter!
    const kept = (error?: Error | null): void =>
      this.#workers[index]!.kept(error ? dataOfError(error) : undefined)
    deadLetter.cork()
    for (const [at, one] of rejected.entries()) {
      const isLast = at === rejected.length - 1
      deadLetter.write(this.#located(one, index), isLast ? kept : undefined)
    }
    deadLetter.uncork()
  }

  #located<Report extends { readonly batchId: number; readonly error: ErrorData }>(
    report: Report,
    index: number,
  ): Report & Pick<RejectedRow, 'batchId' | 'error'> {
    const error = this.#errorOf(report.error, index) as PgBatchError
    return { ...report, error, batchId: this.#batchIdOf(report.batchId, index) } as never
  }

  #errorOf(data: ErrorData, index: number): Error {
    return errorOfData(data, batchId => this.#batchIdOf(batchId, index))
  }

  #batchIdOf(batchId: number, index: number): number {
    return this.#batchIds[index]![batchId - 1] ?? batchId
  }

  async #untilEnded(): Promise<void> {
    await Promise.all(this.#workers.map(({ ended }) => ended))
  }
}
