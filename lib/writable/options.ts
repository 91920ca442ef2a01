import type { Writable } from 'node:stream'
import type { PgClientLike, PgPoolLike } from '../connection/pg-types.ts'
import type { CsvColumns } from '../csv/record.ts'
import type { CopyFormat, Method, TableName } from '../types.ts'
import type { Position } from '../write/checkpoint/position.ts'
import type { RetryOptions } from '../write/faults/retry.ts'
import type { SettledItems } from '../write/transaction/settled-items.ts'

/** What to do with a row whose key is in the table already. */
export interface OnConflict<Row = Record<string, unknown>> {
  /**
   * The columns of a unique index, or a constraint's name. May be left out with `action: 'nothing'`, which then
   * covers every unique index.
   */
  target?: readonly ColumnOf<Row>[] | { constraint: string } | undefined
  /**
   * `update`: a row sets the columns that it brings, so that of the rows of a key the last one wins. `nothing`: the
   * row that was there first stays.
   */
  action: 'nothing' | 'update'
  /** The columns that an update sets. @default every written column that is not in the target */
  update?: readonly ColumnOf<Row>[] | undefined
}

/** The names of a row's keys, where its type has names; any string, where it has not. */
export type ColumnOf<Row> = Extract<keyof Row, string>

/** Where to write. */
export type Destination =
  | {
      /** Where clients come from. It stays yours: clients are taken for a transaction each, and it is never ended here. */
      pool: PgPoolLike
      connectionString?: undefined
    }
  | {
      /**
       * For a pool of the stream's own, made when the first batch comes and ended at the end. Needs the package pg.
       * A URL or libpq's `keyword=value` pairs, of one host or several; `target_session_attrs` and `load_balance_hosts`
       * count for every new connection. PG* variables stand for what it does not name. Checked at construction: an
       * unknown parameter, and one of security that cannot be honoured, is an error.
       * @see https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING
       */
      connectionString: string
      pool?: undefined
    }

/** What {@link PgBatchWritable} takes. Either `pool` or `connectionString` says where to. */
export type PgBatchWritableOptions<Item, Row = Item> = PgBatchWritableSettings<Item, Row> & Destination

interface PgBatchWritableSettings<Item, Row> {
  /**
   * The table to write. A string is split once, at its first dot outside double quotes; names keep their case.
   * @example 'orders', 'sales.orders', { schema: 'sales', name: 'orders.2026' }
   */
  table: TableName
  /**
   * The columns to write, each by the row's key of the same name.
   * @default every column of the table that the role may INSERT
   */
  columns?: readonly ColumnOf<Row>[] | undefined
  /**
   * Makes a row of an item, once for each. null or undefined skips the item, and `stats.rowsSkipped` counts it. What it
   * throws rejects the item, within `rejectLimit`, with code CALLBACK_FAILED; a {@link PgBatchError} whose code is
   * ROW_INVALID or VALUE_NOT_ENCODABLE is taken as it is, so that it can give the reason with its own message.
   * @default the item is the row
   */
  toRow?: ((item: Item) => Row | null | undefined) | undefined
  /**
   * What to do with a key that is not a column: fail before anything of the batch is sent, or leave it out. Before it fails,
   * the catalogue is asked again, at most every two seconds: the column may have been added since.
   * @default 'error'
   */
  unknownKeys?: 'error' | 'ignore' | undefined
  /**
   * How rows travel. `auto` takes COPY, and INSERT for small upserts and where a table does not take COPY (a view,
   * row-level security, rules).
   * @default 'auto'
   */
  method?: Method | undefined
  /**
   * What COPY sends. `auto` takes binary where every column has a binary codec, and turns to text within a batch at
   * a value without an exact binary form. `binary` makes such a value an error.
   * @default 'auto'
   */
  copyFormat?: CopyFormat | undefined
  /**
   * Items are `CsvRecord`s: bytes as they stand in a CSV file, which are written without an object being made of them.
   * It names the column of each field, in place of `columns`, and takes COPY; `toRow` may skip or refuse them. For
   * `pg-batch load`, which has what cuts a file into records.
   * @internal
   */
  csv?: CsvColumns | undefined
  /** Makes the write an upsert. @default none: a duplicate key is an error */
  onConflict?: OnConflict<Row> | undefined
  /**
   * Says of an item whether its row is to be upserted or deleted: change events. The changes of a key leave what they
   * would leave one after the other. A delete needs the values of the key's columns in its row, all of them and none
   * NULL, and other keys do not matter; a delete whose key is not in the table is unchanged. Called once for each item
   * that has a row. Needs `onConflict` with `target` and `action: 'update'`; at a `concurrency` above 1 give `laneOf`
   * the key.
   * @default none: every row is an upsert, or an insert
   */
  operation?: ((item: Item) => 'upsert' | 'delete') | undefined
  /**
   * How many transactions may be under way at once, each on a client of its own; an integer ≥ 1. At 1 batches commit
   * in order. Raising it costs connections and that order, and buys throughput up to about the server's cores.
   * @default 1
   */
  concurrency?: number | undefined
  /**
   * Names the lane of an item: items with the same answer are written in order at any `concurrency`. A batch with
   * items of several lanes is split, and each part is a batch of its own from there on.
   * @default none: a whole batch goes to whichever lane is free
   */
  laneOf?: ((item: Item) => string | number) | undefined
  /**
   * Runs in the batch's transaction after its rows, before COMMIT, with the client that wrote them. `batch` holds the
   * items whose rows were sent and not rejected; a batch without any is no call. What it throws rolls the batch back and
   * fails the stream.
   *
   * The transaction is the stream's to end: on this client BEGIN, COMMIT and ROLLBACK nest as savepoints, so that an
   * ORM's transactions work in it; isolation levels and `release()` are refused. A transaction that was ended all the
   * same fails the stream, with the true `outcome`.
   */
  inTransaction?: ((client: PgClientLike, batch: readonly Item[]) => Promise<void> | void) | undefined
  /**
   * Runs after the batch's COMMIT, in the order of commits of its lane, and before 'finish'. The place to acknowledge
   * what was written to its source: `batch` holds every item, `settled` says which were written, rejected and skipped.
   * What it throws fails the stream; the rows stay committed.
   */
  afterCommit?: ((batch: readonly Item[], settled: SettledItems<Item>) => void | Promise<void>) | undefined
  /** How transient failures are met: a lost connection, a deadlock, a server that starts. `false`: not at all. */
  retry?: RetryOptions | false | undefined
  /**
   * A statement that takes longer is cancelled and tried again; a server that does not even answer loses its
   * connection, and what was in flight is asked for by another. Nor does the server wait longer for what comes next in a
   * transaction, of `inTransaction` for example. Milliseconds, an integer ≥ 100. @default 120000
   */
  statementTimeoutMs?: number | undefined
  /** The same for COMMIT and ROLLBACK. Milliseconds, an integer ≥ 100. @default 30000 */
  commitTimeoutMs?: number | undefined
  /**
   * How long `inTransaction`, `afterCommit` and a row's write to `deadLetter` may take. One that takes longer fails the
   * stream, and is not tried again. Milliseconds, an integer from 1 to 2147483647. @default 120000
   */
  callbackTimeoutMs?: number | undefined
  /**
   * Where rejected rows go. An object-mode Writable gets a {@link RejectedRow} each after their batch was committed,
   * at its own pace; it stays yours, and is not ended. A table gets them in the batch's own transaction, and is made
   * where it does not exist. With `file`, too, they go on from the table to a file of NDJSON after their COMMIT, so that
   * each row is in the table or in the file, once, whenever the process is killed: what a killed stream has left in the
   * table, the next stream with the same table and file moves first.
   * @default nowhere but to the 'reject' event
   */
  deadLetter?: Writable | { table: TableName; file?: string | undefined } | undefined
  /** What the dead letter keeps of an item that has no row. For `pg-batch load`. @internal */
  rejectedItem?: ((item: Item) => unknown) | undefined
  /**
   * How many rows may be rejected: items for which `toRow` throws, values that cannot be encoded, rows that the server
   * refuses for their own sake.
   * One more fails the stream, and its batch is rolled back. An integer ≥ 0, or Infinity. Raising it from 0 costs
   * nothing until a row is bad; a batch with bad rows is sent up to three times.
   * @default 0
   */
  rejectLimit?: number | undefined
  /**
   * Makes delivery exactly-once for a source that delivers again after a failure: the highest offset of each
   * partition is stored with the rows, and items at or below it are skipped. See docs/delivery.md.
   */
  checkpoint?: CheckpointOptions<Item> | undefined
  /**
   * Says where an item stands in its source, for the dead letter: `source_partition` and `source_offset` of a table, and
   * `position` of a {@link RejectedRow}. With `checkpoint`, its own is taken. @default none
   */
  position?: ((item: Item) => Position) | undefined
  /**
   * Gets the items of every batch that was accepted and not committed, once, when the stream was destroyed.
   * What it throws becomes a process warning. @default none
   */
  onDiscard?: ((items: Item[]) => void) | undefined
  /** Aborting it destroys the stream: what is in flight is rolled back. @default none */
  signal?: AbortSignal | undefined
}

/** Ties an item to its place in its source. */
export interface CheckpointOptions<Item> {
  /** Names the stream: writers with one name share its positions, and fence each other off. */
  name: string
  /**
   * Where an item stands. Offsets have to grow within a partition as items come; gaps are no matter. Several items of
   * one offset, such as the rows of one message, need an `index` that counts them from 0; without it the second one
   * fails the stream with OFFSET_REPEATED.
   */
  position: (item: Item) => Position
  /** The table of positions, made where it does not exist. @default 'pg_batch_checkpoint' */
  table?: TableName | undefined
  /**
   * What {@link readCheckpoint} returned, where the source starts after it. The stream fails with CHECKPOINT_REGRESSED
   * when the server has lower positions by the time of the first transaction. @default none
   */
  startsAfter?: ReadonlyMap<string, bigint> | undefined
}
