import { PgBatchError } from '../errors.ts'
import { parseJson, withLongNumbers } from './messages/json-value.ts'
import { type KafkaMessage, placeName } from './messages/kafka-message.ts'

export interface RowOptions<Value> {
  readonly toRow: ((message: KafkaMessage<Value>) => unknown) | undefined
  /** The option `operation` of PgBatchWritable. */
  readonly operation: ((message: KafkaMessage<Value>) => unknown) | undefined
}

/** What `toRow` of PgBatchWritable is: a tombstone is skipped unless it is a delete, and long numbers keep their digits. */
export function rowOf<Value>(message: KafkaMessage<Value>, { toRow, operation }: RowOptions<Value>): unknown {
  if (message.isTombstone) {
    if (operation?.(message) !== 'delete') return null
    return toRow ? toRow(message) : keyAsRow(message)
  }
  const row: unknown = toRow ? toRow(message) : message.value
  return message.hasLongNumbers && typeof row === 'object' && row !== null ? withLongNumbers(row) : row
}

/** A key that is a JSON object has the columns of the row to delete, as Debezium's keys have. */
function keyAsRow(message: KafkaMessage): unknown {
  try {
    const { value, long } = parseJson(message.keyBytes ?? Buffer.alloc(0))
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
      return long ? withLongNumbers(value) : value
    }
  } catch {
    // said below
  }
  throw new PgBatchError(
    'ROW_INVALID',
    `The key of ${placeName(message)} is no JSON object, and there is no value: \`toRow\` has to say what to delete`,
    { outcome: 'not-sent' },
  )
}
