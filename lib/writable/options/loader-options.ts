import type { BlockColumns, CsvColumns, JsonColumns } from '../../encode/row-encoder.ts'
import type { Table } from '../../types.ts'
import type { BeforeCommit } from '../../write/write-context.ts'

/** What only `pg-batch load` asks of the stream. The published types do not have these options. */
export interface LoaderOptions<Item> {
  /**
   * Declares that items are `CsvRecord`s: the bytes of a CSV file's records, which are written without an
   * object being made of them. It names the column of each field, replaces `columns`, and uses COPY. `toRow`
   * may skip or reject a record.
   * @internal
   */
  csv?: CsvColumns | undefined
  /**
   * Declares that rows may also be `JsonRecord`s: lines of an NDJSON file, which are written without being
   * parsed where that is possible. It names the column of each key. `toRow` returns such a line as it is, or
   * an object.
   * @internal
   */
  json?: JsonColumns | undefined
  /**
   * Declares that items, or what `toRow` returns for them, are rows of blocks of this layout. They have a
   * value for each column, so that their keys are not checked, and common ones are encoded column by column.
   * @internal
   */
  blocks?: BlockColumns | undefined
  /**
   * `keep` writes the rows' values of identity columns that are GENERATED ALWAYS, as COPY does.
   * @internal
   */
  identity?: 'keep' | undefined
  /**
   * Decides about a whole load before its COMMIT: if it throws, nothing is stored.
   * @internal
   */
  beforeCommit?: BeforeCommit | undefined
  /**
   * Rolls the transaction of `singleTransaction` back where it would commit. Counts and events are those of a
   * commit. For `--dry-run`.
   * @internal
   */
  rollsBack?: boolean | undefined
  /**
   * How long a transaction waits for a batch that is not ready before it commits, an integer ≥ 0. For files,
   * which are read as fast as they come: with fewer commits each connection waits less.
   * @default 0: it commits
   * @internal
   */
  patienceMs?: number | undefined
  /**
   * Ends the stream soon, and cuts nothing off: what is not committed is rolled back, batches that wait are
   * dropped, and what was committed is reported, with its rejected rows. The stream is then destroyed with
   * the signal's reason. Unlike `signal`, it waits some seconds for the server, and for the dead letter.
   * @internal
   */
  gracefulSignal?: AbortSignal | undefined
  /** The table, as the caller has introspected it: the stream does not ask again. @internal */
  described?: Table | undefined
  /** Returns what the dead letter keeps of an item that has no row. @internal */
  rejectedItem?: ((item: Item) => unknown) | undefined
  /**
   * Says that rows may come before the rows of their own table that they refer to, in a later batch. A batch
   * that a foreign key refuses is then written together with the batches after it, up to a bound. Called at
   * the end of the stream: returns true if the input was complete, so that rows without parents are rejected.
   * Needs `concurrency: 1`.
   * @internal
   */
  awaitsParents?: (() => boolean) | undefined
  /**
   * Counts rejected rows for the streams of several threads, whose `rejectLimit` is then one.
   * @internal
   */
  rejectCounter?: Int32Array | undefined
}
