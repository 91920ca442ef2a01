import type { Writable } from 'node:stream'
import type { PgTransactionClient } from '../connection/pg-transaction-client.ts'
import type { Codec, CopyFormat, Method, TableName } from '../types.ts'
import type { Position } from '../write/checkpoint/position.ts'
import type { RetryOptions } from '../write/faults/retry.ts'
import type { SettledItems } from '../write/transaction/settled-items.ts'
import type { CheckpointOptions } from './options/checkpoint-options.ts'
import type { Destination } from './options/destination.ts'
import type { EvolveOptions } from './options/evolve-options.ts'
import type { LoaderOptions } from './options/loader-options.ts'
import type { ColumnOf, OnConflict } from './options/on-conflict.ts'

/** The options of {@link PgBatchWritable}. Exactly one of `pool` and `connectionString` is required. */
export type PgBatchWritableOptions<Item, Row = Item> = PgBatchWritableSettings<Item, Row> & Destination

interface PgBatchWritableSettings<Item, Row> extends LoaderOptions<Item> {
  /**
   * The table to write. A string is split once, at its first dot outside double quotes. Names keep their
   * case.
   * @example 'orders', 'sales.orders', { schema: 'sales', name: 'orders.2026' }
   */
  table: TableName
  /**
   * The columns to write. Each takes the value of the row's key with the same name.
   * @default every column of the table that the role may INSERT
   */
  columns?: readonly ColumnOf<Row>[] | undefined
  /**
   * Makes a row of an item. Called once for each item. For null or undefined the item is skipped, and counted
   * in `stats.rowsSkipped`. If it throws, the item is rejected with code CALLBACK_FAILED, within
   * `rejectLimit`. To reject an item with a message of your own, throw a {@link PgBatchError} with code
   * ROW_INVALID or VALUE_NOT_ENCODABLE.
   * @default the item is the row
   */
  toRow?: ((item: Item) => Row | null | undefined) | undefined
  /**
   * What to do with a key that is not a column: `error` fails before anything of the batch is sent, `ignore`
   * leaves the key out. Before it fails, the stream reads the catalogue again, at most every two seconds: the
   * column may have been added since. `ignore` does not read it: a column that is added later is left out,
   * too, until a new stream is made.
   * @default 'error'
   */
  unknownKeys?: 'error' | 'ignore' | undefined
  /**
   * Changes the table to fit the rows. `true` adds a nullable column for each key that is not a column, with
   * the narrowest type that holds the batch's values, as `pg-batch load --create` infers it. Types of columns
   * are widened only if `widenTypes` asks for it. No column is dropped or narrowed, and none loses its NOT
   * NULL.
   *
   * The ALTER TABLE runs in a short transaction of its own before the rows are sent, so that writers that
   * meet the same key at once do not deadlock. It stays if the rows then fail. The role has to own the table.
   * @default none: see `unknownKeys`
   */
  evolve?: boolean | EvolveOptions | undefined
  /**
   * How rows travel. `auto` uses COPY, except for small upserts and for tables that do not take COPY (a view,
   * row-level security, rules), which get INSERT.
   * @default 'auto'
   */
  method?: Method | undefined
  /**
   * The format that COPY sends. `auto` uses binary if every column has a binary codec, and changes to text
   * within a batch at a value without an exact binary form. With `binary` such a value is an error.
   * @default 'auto'
   */
  copyFormat?: CopyFormat | undefined
  /**
   * How values of these types are sent, instead of the way that this package has for them: for the type
   * itself, for arrays of it and for domains over it. A key is the name of a type in pg_type after its schema
   * and a dot, as in `table`; names keep their case. A name that is not a type's fails the stream before
   * anything is sent.
   * @example { 'public.complex': { text: ({ re, im }) => `(${re},${im})` } }
   * @default none
   */
  codecs?: Readonly<Record<string, Codec>> | undefined
  /** Makes the write an upsert. @default none: a duplicate key is an error */
  onConflict?: OnConflict<Row> | undefined
  /**
   * Returns whether an item's row is upserted or deleted. For change events. Changes of one key have the same
   * result as if each were applied after the other. The row of a delete has a value other than NULL for every
   * column of the key; its other keys are ignored. A delete whose key is not in the table counts as
   * unchanged. Called once for each item that has a row. Needs `onConflict` with `target` and `action:
   * 'update'`. If `concurrency` is above 1, let `laneOf` return the key.
   * @default none: every row is an upsert, or an insert
   */
  operation?: ((item: Item) => 'upsert' | 'delete') | undefined
  /**
   * Writes everything in one transaction, which commits before 'finish': a failure leaves nothing. Without
   * rejects and `inTransaction` the rows travel as one COPY, so that they may refer to later ones; before
   * PostgreSQL 16 only if all of them lack the same columns. Rows are not kept: a connection that breaks
   * fails the stream, with `outcome: 'rolled-back'`, and the caller reads its source again. See
   * docs/whole-loads.md.
   * @default false
   */
  singleTransaction?: boolean | undefined
  /**
   * Replaces all rows of the table, in a single transaction. Readers see the old rows or the new ones. Rows
   * are compared by the primary key, or by another unique key: those that are missing are deleted, those that
   * differ are updated. `minRows` says how many rows the new data has at least, an integer ≥ 0; with 0 an
   * empty input empties the table. See docs/whole-loads.md.
   * @default false
   */
  replace?: boolean | { minRows?: number | undefined } | undefined
  /**
   * How many transactions may be in flight at once, each on a client of its own; an integer ≥ 1. At 1,
   * batches commit in order. Raising it costs connections and that order, and increases throughput up to
   * about the number of the server's cores.
   * @default 1
   */
  concurrency?: number | undefined
  /**
   * Returns the lane of an item. A lane is one connection's ordered queue: items of one lane are written in
   * order at any `concurrency`. A batch with items of several lanes is split, and each part is a batch of its
   * own from there on.
   * @default none: a whole batch goes to whichever lane is free
   */
  laneOf?: ((item: Item) => string | number) | undefined
  /**
   * Runs first in each transaction, with the client that writes the rows: for `SET LOCAL role`, a setting
   * that row-level security reads, or `SET LOCAL synchronous_commit`. The table is introspected in a
   * transaction of its own in which it has run, too, so that the grants of that role decide. The same holds
   * for the tables of `checkpoint` and `deadLetter`. A retry runs it again. If it throws, the stream fails.
   *
   * It costs two round trips at least: one for BEGIN, and one for each of its statements. Its client is that
   * of `inTransaction`, with the same limits. Settings without LOCAL outlast the transaction.
   * @default none
   */
  onBegin?: ((client: PgTransactionClient) => Promise<void> | void) | undefined
  /**
   * Runs in the batch's transaction after its rows and before COMMIT, with the client that wrote them.
   * `batch` has the items whose rows were sent and not rejected; it is not called for a batch without such
   * items. If it throws, the batch is rolled back and the stream fails.
   *
   * Only the stream ends the transaction. On this client BEGIN, COMMIT and ROLLBACK nest as savepoints, so
   * that an ORM's transactions work. Isolation levels and `release()` are rejected. If the transaction ends
   * anyway, the stream fails with the true `outcome`.
   */
  inTransaction?: ((client: PgTransactionClient, batch: readonly Item[]) => Promise<void> | void) | undefined
  /**
   * Runs after the batch's COMMIT and before 'finish', in the order of its lane's commits. The place to
   * acknowledge items to their source. `batch` has every item; `settled` says which were written,
   * rejected and skipped. If it throws, the stream fails, and the rows stay committed.
   */
  afterCommit?: ((batch: readonly Item[], settled: SettledItems<Item>) => void | Promise<void>) | undefined
  /**
   * How to retry after a transient failure: a lost connection, a deadlock, a server that starts. `false`:
   * never.
   * @default the defaults of {@link RetryOptions}: 10 times
   */
  retry?: RetryOptions | false | undefined
  /**
   * How long a statement may take. One that takes longer is cancelled and retried. If the server does not
   * answer the cancellation either, the stream drops the connection, and asks for the transaction's outcome
   * on another one. The server does not wait longer than this for the next statement of a transaction either,
   * of `inTransaction` for example. Milliseconds, an integer from 100 to 2147483647.
   * @default 120000
   */
  statementTimeoutMs?: number | undefined
  /**
   * How long COMMIT and ROLLBACK may take. Milliseconds, an integer from 100 to 2147483647.
   * @default 30000
   */
  commitTimeoutMs?: number | undefined
  /**
   * How long `onBegin`, `inTransaction`, `afterCommit` and the write of one row to `deadLetter` may take. One
   * that takes longer fails the stream, and is not retried. Milliseconds, an integer from 1 to 2147483647.
   * @default 120000
   */
  callbackTimeoutMs?: number | undefined
  /**
   * Where rejected rows go, the dead letter. A Writable in object mode gets a {@link RejectedRow} for each,
   * after its batch is committed, with backpressure; the stream does not end it. A table gets them in the
   * batch's own transaction, and is created if it does not exist. With `file`, rows go from the table to a
   * file of NDJSON after their COMMIT. Each row is then in the table or in the file, once, even if the
   * process is killed: the next stream with the same table and file first moves the rows that a killed stream
   * left in the table.
   * @default none: only the 'reject' event
   */
  deadLetter?: Writable | { table: TableName; file?: string | undefined } | undefined
  /**
   * How many rows may be rejected: items for which `toRow` throws, values that cannot be encoded, and rows
   * that the server refuses because of their values. One more fails the stream, and its batch is rolled back.
   * An integer ≥ 0, or Infinity. Raising it from 0 costs nothing until a row is bad; a batch with bad rows is
   * sent up to three times.
   * @default 0
   */
  rejectLimit?: number | undefined
  /**
   * Makes delivery exactly-once for a source that delivers items again after a failure. The highest offset of
   * each partition is stored in the rows' own transaction, and items at or below it are skipped. See
   * docs/delivery.md.
   */
  checkpoint?: CheckpointOptions<Item> | undefined
  /**
   * Returns an item's position in its source, for the dead letter: `source_partition` and `source_offset` in
   * a table, `position` in a {@link RejectedRow}. `checkpoint` has its own.
   * @default none
   */
  position?: ((item: Item) => Position) | undefined
  /**
   * Called once, if the stream is destroyed, with the items of every batch that was accepted and not
   * committed. What it throws becomes a process warning.
   * @default none
   */
  onDiscard?: ((items: Item[]) => void) | undefined
  /** Aborting it destroys the stream: what is in flight is rolled back. @default none */
  signal?: AbortSignal | undefined
}
