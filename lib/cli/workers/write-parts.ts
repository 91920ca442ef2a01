import { Writable } from 'node:stream'
import type { MessagePort } from 'node:worker_threads'
import { CsvRecord } from '../../csv/record.ts'
import type { RecordTable } from '../../csv/record-table.ts'
import type { SourceRow } from '../../sources/rows.ts'
import { untilClosed } from '../../streams/until-closed.ts'
import type { PgBatchWritableOptions } from '../../writable/options.ts'
import { PgBatchWritable } from '../../writable/pg-batch-writable.ts'
import type { RejectedRow } from '../../write/rejects/dead-letter.ts'
import { LINES_AT_ONCE } from '../../write/rejects/ndjson-dead-letter.ts'
import { rowMakerOf } from '../columns/record-rows.ts'
import { openPool } from '../database/open-pool.ts'
import { withBytesAsText } from '../rejects/rejects-file.ts'
import { loadWasmEncoder } from '../rows/load-wasm-encoder.ts'
import { dataOfError, type ErrorData, errorOfData } from './error-data.ts'
import {
  type FromWorker,
  PARTS_REPORTED,
  type PartMessage,
  type ToWorker,
  type WorkerRejectedRow,
  type WorkerTask,
} from './messages.ts'
import { SharedSlot, sharedRecords } from './shared-records.ts'

/** One connection writes, and one more may ask for the outcome of a lost COMMIT. */
const CONNECTIONS = 2

/**
 * The work of a worker: writes the records that come through the port on a connection of its own, in their
 * order, and reports what happens to them.
 */
export async function writeParts(task: WorkerTask, port: MessagePort): Promise<void> {
  const report = (message: FromWorker): void => port.postMessage(message)
  const pool = openPool(task.connection, CONNECTIONS)
  const parts = new Parts()
  const rejectedRows = new RejectedRows(report)
  const graceful = new AbortController()
  const sink = new PgBatchWritable<CsvRecord, SourceRow>({
    ...optionsOf(task, parts),
    pool,
    gracefulSignal: graceful.signal,
    deadLetter: task.deadLetter === 'main thread' ? rejectedRows.stream() : task.deadLetter,
  })
  sink.on('commit', ({ batches }) => {
    parts.forget(batches)
    report({ kind: 'commit', batches, stats: sink.stats })
  })
  sink.on('retry', ({ error, attempt, delayMs }) =>
    report({ kind: 'retry', error: dataOfError(error), attempt, delayMs }),
  )
  sink.on('reject', ({ error, batchId, index }) =>
    report({ kind: 'reject', error: dataOfError(error), batchId, index }),
  )
  sink.on('error', () => {}) // reported at the end
  port.on('message', (message: ToWorker) => {
    if (message.kind === 'kept') rejectedRows.kept(message.error)
    else if (message.kind === 'end') sink.end()
    else if (message.kind === 'stop gracefully') graceful.abort(new Error('The load was interrupted'))
    else if (message.kind === 'stop') sink.destroy(new Error('The load has ended'))
    else sink.write(parts.add(message) as never, error => error || parts.accepted(report))
  })
  await untilClosed(sink)
  const { errored: error, stats, mayHaveCommittedMore } = sink
  report({ kind: 'end', stats, mayHaveCommittedMore, error: error ? dataOfError(error) : undefined })
  if (!error) await pool.end()
  port.close()
}

function optionsOf(task: WorkerTask, parts: Parts) {
  const { table, described, identity, onConflict, patienceMs, csv, rejectLimit, rejectCounter, checkpoint } =
    task
  const rowOf = rowMakerOf(task.rows)
  return {
    table,
    described,
    identity,
    onConflict: onConflict as PgBatchWritableOptions<CsvRecord, SourceRow>['onConflict'],
    patienceMs,
    csv: { ...csv, wasm: loadWasmEncoder() },
    ...(task.refuses ? { toRow: (record: CsvRecord) => parts.checked(record) as unknown as SourceRow } : {}),
    rejectLimit,
    rejectCounter,
    rejectedItem: (record: CsvRecord) => withBytesAsText(rowOf(record)),
    checkpoint: checkpoint && {
      ...checkpoint,
      position: ({ chunk, number }: CsvRecord) => ({ partition: parts.partitionOf(chunk), offset: number }),
    },
  }
}

/** The parts that are not committed, by the memory of their records. */
class Parts {
  readonly #parts = new Map<Buffer, PartMessage>()
  readonly #slots: SharedSlot[] = []
  /** Accepted parts that the main thread does not know of. */
  #unreported = 0

  /** Returns the records of a part. Each has the number of its row in its file. */
  add(part: PartMessage): RecordTable {
    const { slot: number, memory, count, firstLine, firstRow: firstNumber, faults } = part
    if (memory) this.#slots[number] = new SharedSlot(memory)
    const slot = this.#slots[number]!
    this.#parts.set(slot.bytes, part)
    return sharedRecords(slot, { count, firstLine, firstNumber, faults })
  }

  /** Counts a part for which the writer has made room. */
  accepted(report: (message: FromWorker) => void): void {
    if (++this.#unreported < PARTS_REPORTED) return
    report({ kind: 'accepted', parts: this.#unreported })
    this.#unreported = 0
  }

  /** Forgets the oldest parts. */
  forget(count: number): void {
    for (const chunk of [...this.#parts.keys()].slice(0, count)) this.#parts.delete(chunk)
  }

  /** @throws PgBatchError for a record that does not fit its columns */
  checked(record: CsvRecord): CsvRecord {
    const { refused, firstRow } = this.#parts.get(record.chunk)!
    const error = refused?.get(record.number - firstRow)
    if (error) throw errorOfData(error)
    return record
  }

  partitionOf(chunk: Buffer): string | undefined {
    return this.#parts.get(chunk)!.partition
  }
}

/** Rejected rows on their way to the file that the main thread writes. */
class RejectedRows {
  readonly #report: (message: FromWorker) => void
  #sent: ((error?: Error | null) => void) | undefined

  constructor(report: (message: FromWorker) => void) {
    this.#report = report
  }

  /** Returns a stream that takes the next rows once the last ones are in the file. */
  stream(): Writable {
    return new Writable({
      objectMode: true,
      highWaterMark: LINES_AT_ONCE,
      write: (rejected: RejectedRow, _encoding, callback) => this.#send([rejected], callback),
      writev: (chunks: { chunk: RejectedRow }[], callback) =>
        this.#send(
          chunks.map(({ chunk }) => chunk),
          callback,
        ),
    }).on('error', () => {}) // the writer fails with it
  }

  #send(rejected: readonly RejectedRow[], callback: (error?: Error | null) => void): void {
    this.#sent = callback
    this.#report({ kind: 'rejected rows', rows: rejected.map(plainRow) })
  }

  kept(error: ErrorData | undefined): void {
    const callback = this.#sent
    this.#sent = undefined
    callback?.(error && errorOfData(error))
  }
}

function plainRow({ item: _, error, ...rejected }: RejectedRow): WorkerRejectedRow {
  // the memory of the record is in use again; `values` has its texts
  const row = rejected.row instanceof CsvRecord ? rejected.values : rejected.row
  return { ...rejected, row, error: dataOfError(error) }
}
