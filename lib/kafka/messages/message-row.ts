import { PgBatchError } from '../../errors.ts'
import { parseJson, withLongNumbers } from './json-value.ts'
import { type KafkaMessage, messageName } from './kafka-message.ts'

export interface RowOptions<Value> {
  readonly toRow: ((message: KafkaMessage<Value>) => unknown) | undefined
  /** The option `operation` of PgBatchWritable. */
  readonly operation: ((message: KafkaMessage<Value>) => unknown) | undefined
}

/**
 * Makes a row of a message. A tombstone is skipped, unless it is a delete. Numbers that JavaScript would
 * round keep their digits.
 */
export function rowOf<Value>(message: KafkaMessage<Value>, { toRow, operation }: RowOptions<Value>): unknown {
  if (message.isTombstone) {
    if (operation?.(message) !== 'delete') return null
    return toRow ? toRow(message) : keyAsRow(message)
  }
  const row: unknown = toRow ? toRow(message) : message.value
  return message.hasLongNumbers && typeof row === 'object' && row !== null ? withLongNumbers(row) : row
}

/** Returns the key as a row: a JSON object with the columns of the row to delete, as in Debezium's keys. */
function keyAsRow(message: KafkaMessage): unknown {
  try {
    const { value, long } = parseJson(message.keyBytes ?? Buffer.alloc(0))
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
      return long ? withLongNumbers(value) : value
    }
  } catch {
    // reported below
  }
  throw new PgBatchError(
    'ROW_INVALID',
    `The key of ${messageName(message)} is not a JSON object, and there is no value: ` +
      'let `toRow` return the row to delete',
    { outcome: 'not-sent' },
  )
}
