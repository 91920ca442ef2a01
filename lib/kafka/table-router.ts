import { PgBatchError } from '../errors.ts'
import type { TableName } from '../types.ts'
import type { ResolvedKafkaOptions } from './kafka-options.ts'
import { type KafkaMessage, placeName } from './messages/kafka-message.ts'

/** Messages without a table that wait for a first one. */
const HELD_MESSAGES = 1000

/** Messages that no table gets, while others wait. */
const SKIPPED_MESSAGES = 10_000

/**
 * Finds the tables of messages. One for which none can be told, since its value cannot be read, say, is rejected from
 * whichever table comes next, for rejecting is what a table's stream does; until there is a first one it is held.
 */
export class TableRouter<Value> {
  readonly #tableOf: ResolvedKafkaOptions<Value>['tableOf']
  readonly #most: number
  #held: KafkaMessage<Value>[] = []
  #skipped = 0
  readonly #misplaced = new WeakMap<KafkaMessage<Value>, PgBatchError>()

  constructor({ tableOf, writable }: Pick<ResolvedKafkaOptions<Value>, 'tableOf' | 'writable'>) {
    this.#tableOf = tableOf
    this.#most = Math.min(writable.rejectLimit, HELD_MESSAGES)
  }

  /** A message's table, null for none; undefined when it cannot be told, which `errorOf` explains. */
  tableOf(message: KafkaMessage<Value>): TableName | null | undefined {
    try {
      return this.#tableOf(message) ?? null
    } catch (cause) {
      const known = cause instanceof PgBatchError && cause.code === 'ROW_INVALID'
      const what = `\`table\` threw for ${placeName(message)}`
      const error = known ? cause : new PgBatchError('ROW_INVALID', what, { outcome: 'not-sent', cause })
      this.#misplaced.set(message, error)
      return undefined
    }
  }

  errorOf(message: KafkaMessage<Value>): PgBatchError | undefined {
    return this.#misplaced.get(message)
  }

  /** @throws PgBatchError, when as many are held as may be rejected */
  hold(message: KafkaMessage<Value>): void {
    if (this.#held.length >= this.#most) throw this.errorOf(message)!
    this.#held.push(message)
  }

  /**
   * Notes a message that no table gets. Where one is held, its partition's offset waits, and memory for what was read
   * after it.
   * @throws PgBatchError, when so many have come that no table is to be expected
   */
  noteSkipped(): void {
    const [held] = this.#held
    if (!held || ++this.#skipped < SKIPPED_MESSAGES) return
    throw new PgBatchError(
      'ROW_INVALID',
      `\`table\` threw for ${placeName(held)}, and named none for ${SKIPPED_MESSAGES} messages since: there is no table from which to reject it`,
      { outcome: 'not-sent', cause: this.errorOf(held) },
    )
  }

  get held(): number {
    return this.#held.length
  }

  /** What was held, in order, and is not any more. */
  release(): KafkaMessage<Value>[] {
    this.#skipped = 0
    return this.#held.splice(0)
  }
}
