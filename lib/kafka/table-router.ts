import { PgBatchError } from '../errors.ts'
import type { TableName } from '../types.ts'
import type { ResolvedKafkaOptions } from './kafka-options.ts'
import { type KafkaMessage, messageName } from './messages/kafka-message.ts'

/** How many messages without a table may wait for a first table. */
const HELD_MESSAGES = 1000

/** How many messages may be skipped while others wait for a table. */
const SKIPPED_MESSAGES = 10_000

/**
 * Finds each message's table. A message whose table cannot be found, because its value cannot be read for
 * example, is rejected by the stream of the next message's table, since only a table's stream can reject.
 * Before the first table it is held.
 */
export class TableRouter<Value> {
  readonly #tableOf: ResolvedKafkaOptions<Value>['tableOf']
  readonly #maxHeld: number
  #held: KafkaMessage<Value>[] = []
  #skipped = 0
  readonly #misplaced = new WeakMap<KafkaMessage<Value>, PgBatchError>()

  constructor({ tableOf, writable }: Pick<ResolvedKafkaOptions<Value>, 'tableOf' | 'writable'>) {
    this.#tableOf = tableOf
    this.#maxHeld = Math.min(writable.rejectLimit, HELD_MESSAGES)
  }

  /** Returns a message's table; null to skip it; undefined if `table` threw, which `errorOf` explains. */
  tableOf(message: KafkaMessage<Value>): TableName | null | undefined {
    try {
      return this.#tableOf(message) ?? null
    } catch (cause) {
      const known = cause instanceof PgBatchError && cause.code === 'ROW_INVALID'
      const what = `\`table\` threw for ${messageName(message)}`
      const error = known ? cause : new PgBatchError('ROW_INVALID', what, { outcome: 'not-sent', cause })
      this.#misplaced.set(message, error)
      return undefined
    }
  }

  errorOf(message: KafkaMessage<Value>): PgBatchError | undefined {
    return this.#misplaced.get(message)
  }

  /** @throws PgBatchError, if as many messages are held as may be rejected */
  hold(message: KafkaMessage<Value>): void {
    if (this.#held.length >= this.#maxHeld) throw this.errorOf(message)!
    this.#held.push(message)
  }

  /**
   * Notes a skipped message. While a message is held, its partition's offset cannot be committed, and
   * everything that was read after it stays in memory.
   * @throws PgBatchError, if so many were skipped that no table is likely to come
   */
  noteSkipped(): void {
    const [held] = this.#held
    if (!held || ++this.#skipped < SKIPPED_MESSAGES) return
    throw new PgBatchError(
      'ROW_INVALID',
      `\`table\` threw for ${messageName(held)}, and returned no table for the ${SKIPPED_MESSAGES} ` +
        'messages after it. A message is rejected by the stream of its table, and no table has a stream yet',
      { outcome: 'not-sent', cause: this.errorOf(held) },
    )
  }

  get held(): number {
    return this.#held.length
  }

  /** Returns the held messages, in order, and holds them no longer. */
  release(): KafkaMessage<Value>[] {
    this.#skipped = 0
    return this.#held.splice(0)
  }
}
