import type { ConnectionParameters } from '../../connection-string/connection-parameters.ts'
import type { CsvColumns } from '../../encode/row-encoder.ts'
import type { Stats, Table } from '../../types.ts'
import type { OnConflict } from '../../writable/options/on-conflict.ts'
import type { RejectedRow } from '../../write/rejects/dead-letter.ts'
import type { RecordRows } from '../columns/record-rows.ts'
import type { ErrorData } from './error-data.ts'

/** How many parts are sent to a worker before it has accepted them, so that it need not wait for the next. */
export const PARTS_AHEAD = 4

/** How many accepted parts a worker reports at once, because each message wakes the main thread. */
export const PARTS_REPORTED = PARTS_AHEAD / 2

/** What a worker is to do. Threads do not share objects, so everything here is plain data. */
export interface WorkerTask {
  readonly connection: ConnectionParameters
  readonly table: { readonly schema: string; readonly name: string }
  /** The table, as the main thread has introspected it: the worker does not ask again. */
  readonly described: Table | undefined
  readonly identity: 'keep' | undefined
  readonly onConflict: OnConflict | undefined
  /** How long a transaction waits for the next part before it commits. */
  readonly patienceMs: number
  readonly csv: Pick<CsvColumns, 'format' | 'fields'>
  /** How a rejected record becomes a row. */
  readonly rows: RecordRows
  /** Parts may say that records are refused. */
  readonly refuses: boolean
  readonly rejectLimit: number
  /** Counts the rejected rows of all workers. */
  readonly rejectCounter: Int32Array
  /** Where rejected rows go: to the main thread, or through a table to a file. */
  readonly deadLetter: 'main thread' | { readonly table: string; readonly file: string } | undefined
  readonly checkpoint:
    | { readonly name: string; readonly startsAfter: ReadonlyMap<string, bigint> }
    | undefined
}

/** Records for a worker. */
export interface PartMessage {
  readonly kind: 'part'
  /** Where they are: the number of a slot, and its memory when it comes first. */
  readonly slot: number
  readonly memory: SharedArrayBuffer | undefined
  readonly count: number
  /** The lines in the memory count from this one. */
  readonly firstLine: number
  /** The faults of malformed records, by index. */
  readonly faults: ReadonlyMap<number, string> | undefined
  /** Why records are rejected before they are sent, by index. */
  readonly refused: ReadonlyMap<number, ErrorData> | undefined
  /** The partition of the checkpoint, and the number of the first row in it. */
  readonly partition: string | undefined
  readonly firstRow: number
}

export type ToWorker =
  | PartMessage
  /** No more records come. */
  | { readonly kind: 'end' }
  /** The load has failed: what is in flight is rolled back. */
  | { readonly kind: 'stop' }
  /** The same, for `gracefulSignal`. */
  | { readonly kind: 'stop gracefully' }
  /** Rejected rows are in their file, or could not be written. */
  | { readonly kind: 'kept'; readonly error: ErrorData | undefined }

/** A rejected row, for the main thread's file. */
export type WorkerRejectedRow = Pick<
  RejectedRow,
  'row' | 'values' | 'withoutText' | 'operation' | 'batchId' | 'index' | 'position'
> & { readonly error: ErrorData }

export type FromWorker =
  /** The worker has accepted parts, and takes as many more. */
  | { readonly kind: 'accepted'; readonly parts: number }
  /** The oldest parts are committed, and their memory is free. */
  | { readonly kind: 'commit'; readonly batches: number; readonly stats: Stats }
  | {
      readonly kind: 'retry'
      readonly error: ErrorData
      readonly attempt: number
      readonly delayMs: number
    }
  | { readonly kind: 'reject'; readonly error: ErrorData; readonly batchId: number; readonly index: number }
  | { readonly kind: 'rejected rows'; readonly rows: readonly WorkerRejectedRow[] }
  /** The last message. With an error, the rows that are not counted are not committed, or may be. */
  | {
      readonly kind: 'end'
      readonly stats: Stats
      readonly mayHaveCommittedMore: boolean
      readonly error: ErrorData | undefined
    }
