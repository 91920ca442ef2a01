import type { PgTransactionClient } from '../connection/pg-transaction-client.ts'
import type { Destination } from '../writable/options/destination.ts'
import type { PgBatchWritableOptions } from '../writable/options.ts'
import type { RowAction } from '../write/rows/row-results.ts'

/** The options of PgBatchWritable that PgRowWriter does not have. */
export const NOT_PASSED = [
  'toRow',
  'method',
  'copyFormat',
  'afterCommit',
  'deadLetter',
  'rejectLimit',
  'checkpoint',
  'position',
  'onDiscard',
  'signal',
  'inTransaction',
  'singleTransaction',
  'replace',
] as const

/**
 * The options of {@link PgRowWriter}: its own, and those of PgBatchWritable that suit single rows. Exactly
 * one of `pool` and `connectionString` is required.
 */
export type PgRowWriterOptions<Row, Returned = void> = RowWriterSettings<Row, Returned> &
  Omit<
    PgBatchWritableOptions<Row>,
    keyof RowWriterSettings<Row, Returned> | keyof Destination | (typeof NOT_PASSED)[number]
  > &
  Destination

interface RowWriterSettings<Row, Returned> {
  /**
   * Columns of the stored row that `write` resolves with: those that the server fills in, for example. The
   * server names the row that each answer belongs to, whatever triggers do. It costs speed: COPY returns
   * nothing.
   * @default none
   */
  returning?: readonly ColumnOf<Returned>[] | undefined
  /**
   * How plain rows travel. `auto` uses COPY where its answer proves that every row was inserted. Upserts, and
   * tables whose triggers or rules may drop rows, get an INSERT for each row either way.
   * @default 'auto'
   */
  method?: 'auto' | 'insert' | undefined
  /** The maximum number of rows in a transaction; an integer ≥ 1. @default 1000 */
  maxCount?: number | undefined
  /**
   * The maximum time that a row waits for others while a connection is free. Milliseconds > 0 and ≤
   * 2147483647. With Infinity rows leave by count, by `flush()` or at the end. Raising it means fewer
   * transactions, and each `write` takes longer at low traffic.
   * @default 5
   */
  maxWaitMs?: number | undefined
  /**
   * How many rows may be held, waiting or in flight. One more is rejected with QUEUE_FULL. An integer ≥ 1, or
   * Infinity. Raising it costs memory.
   * @default 10000
   */
  maxPending?: number | undefined
  /**
   * Runs in the transaction after its rows and before COMMIT, with the client that wrote them. `rows` are
   * those of the transaction that were not rejected. If it throws, all of them are rejected.
   * @default none
   */
  inTransaction?: ((client: PgTransactionClient, rows: readonly Row[]) => Promise<void> | void) | undefined
  /** Aborting it destroys the writer: what is in flight is rolled back. @default none */
  signal?: AbortSignal | undefined
}

/** The names of the columns that are returned, if their type has names; otherwise any string. */
type ColumnOf<Returned> = Returned extends object ? Extract<keyof Returned, string> : string

/** What `write` resolves with. */
export interface WrittenRow<Returned = void> {
  /**
   * What the row did. `unchanged`: nothing, because of a conflict with `action: 'nothing'`, a condition of
   * `onConflict` that does not hold, a trigger, or an update-only or a delete whose key is not in the table.
   */
  readonly action: RowAction
  /** The columns of `returning`; undefined if the row changed nothing. */
  readonly row?: Returned
}

/** Counts of a writer. `rowsReceived` is always the sum of the other four `rows…`. */
export interface RowWriterStats {
  /** Rows that `write` has accepted. */
  rowsReceived: number
  /** Rows that were inserted, updated or deleted. */
  rowsCommitted: number
  rowsUnchanged: number
  /** Rows whose promise was rejected. */
  rowsRejected: number
  /** Rows that are waiting or in flight. */
  rowsPending: number
  transactions: number
  /** Bytes of row data. What a retry sends again does not count. */
  bytesSent: number
}
