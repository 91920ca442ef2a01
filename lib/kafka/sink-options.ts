import type { PgPoolLike } from '../connection/pg-types.ts'
import type { TableName } from '../types.ts'
import type { PgBatchWritableOptions } from '../writable/options.ts'
import type { CommittedPositions } from '../write/checkpoint/committed-positions.ts'
import type { ResolvedKafkaOptions } from './kafka-options.ts'
import type { KafkaMessage } from './messages/kafka-message.ts'
import { rowOf } from './messages/message-row.ts'
import { kafkaPosition } from './offsets/position.ts'
import type { TableRouter } from './table-router.ts'

/** One table, and what its stream needs besides the user's options. */
export interface SinkContext<Value> {
  readonly table: TableName
  /** `tableKey(table)` */
  readonly name: string
  readonly pool: PgPoolLike
  readonly router: TableRouter<Value>
  /** The positions that all tables have committed. */
  readonly committed: CommittedPositions
  /** Called with the messages that are committed, rejected or skipped. */
  readonly done: (messages: readonly KafkaMessage<Value>[]) => void
}

/** Returns the options of one table's PgBatchWritable. */
export function sinkOptions<Value>(
  { passed, checkpoint, toRow, writable }: ResolvedKafkaOptions<Value>,
  { table, name, pool, router, committed, done }: SinkContext<Value>,
): PgBatchWritableOptions<KafkaMessage<Value>, object> {
  const { operation } = passed as { operation?: (message: KafkaMessage<Value>) => unknown }
  // messages with the same key are in one partition, and stay in order
  const order = { laneOf: (message: KafkaMessage<Value>) => message.partition, position: kafkaPosition }
  const fence = checkpoint && {
    checkpoint: {
      name: fenceName(checkpoint.name, name),
      table: checkpoint.table,
      position: kafkaPosition,
      committed,
    },
  }
  return {
    ...(checkpoint ? {} : order),
    ...passed,
    pool,
    connectionString: undefined,
    table,
    toRow: message => {
      const misplaced = router.errorOf(message)
      if (misplaced) throw misplaced
      return rowOf(message, { toRow, operation }) as object | null
    },
    afterCommit: async (batch, settled) => {
      await writable.afterCommit?.(batch, settled)
      done(batch)
    },
    ...fence,
  }
}

/** Returns the name of one table's checkpoint. */
export function fenceName(name: string, table: string): string {
  return `${name}:${table}`
}
