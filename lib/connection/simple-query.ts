import type { PgClientLike, PgConnectionLike } from './pg-types.ts'
import { Submittable } from './submittable.ts'

/**
 * Several statements in one query string. Unlike a query of `pg`'s own it keeps what was answered before an
 * error, and its message may be sent right after that of another query, without waiting for the answer to it.
 *
 * A Submittable of `pg`, as CopyIn is one.
 * @see https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-MULTI-STATEMENT
 */
export class SimpleQuery extends Submittable {
  /** The command tags of the statements that were carried out so far. */
  readonly tags: string[] = []
  /** Text values of the rows that they have returned, in order. */
  readonly rows: string[][] = []
  readonly #textToSend: string | undefined

  /** Sends a query. */
  static open(client: PgClientLike, text: string): SimpleQuery {
    return new SimpleQuery(client, text, text)
  }

  /**
   * Waits for the answers to a query that another one sends after its own last message, see
   * {@link queryMessage}. Call it while the other one waits for its answer.
   */
  static follow(client: PgClientLike, text: string): SimpleQuery {
    return new SimpleQuery(client, text, undefined)
  }

  private constructor(client: PgClientLike, text: string, textToSend: string | undefined) {
    super(text)
    this.#textToSend = textToSend
    this.submitTo(client)
  }

  // --- what pg calls -------------------------------------------------------------------------------------

  submit(connection: PgConnectionLike): void {
    if (this.#textToSend !== undefined) connection.query(this.#textToSend)
  }

  handleRowDescription(): void {}

  handleDataRow({ fields }: { fields: string[] }): void {
    this.rows.push(fields)
  }

  handleCommandComplete({ text }: { text: string }): void {
    this.tags.push(text)
  }
}

/** The protocol's Query message. */
export function queryMessage(text: string): Buffer {
  const bytes = Buffer.from(`Q\0\0\0\0${text}\0`)
  bytes.writeInt32BE(bytes.length - 1, 1)
  return bytes
}
