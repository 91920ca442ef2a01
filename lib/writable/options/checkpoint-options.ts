import type { TableName } from '../../types.ts'
import type { Position } from '../../write/checkpoint/position.ts'

/** Ties each item to its position in its source. */
export interface CheckpointOptions<Item> {
  /**
   * Identifies the stream. Writers with the same name share their positions, and only one of them can commit
   * at a time.
   */
  name: string
  /**
   * Returns an item's position. Offsets grow within a partition, and may have gaps. Several items of one
   * offset, such as the rows of one message, need an `index` that counts them from 0. Without it the second
   * one fails the stream with OFFSET_REPEATED.
   */
  position: (item: Item) => Position
  /** The table of positions, created if it does not exist. @default 'pg_batch_checkpoint' */
  table?: TableName | undefined
  /**
   * The result of {@link readCheckpoint}, if the source starts after it. The stream fails with
   * CHECKPOINT_REGRESSED if the server has lower positions at the time of the first transaction.
   * @default none
   */
  startsAfter?: ReadonlyMap<string, bigint> | undefined
}
