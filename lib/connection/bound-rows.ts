import type { PgClientLike, PgConnectionLike } from './pg-types.ts'
import { queryMessage, SimpleQuery } from './simple-query.ts'
import { Submittable } from './submittable.ts'

/** A parameter as it travels: text, or bytes in the type's binary form. */
export type BoundValue = string | Buffer | null

/** A statement with parameters, and the rows that it runs for, one after the other. */
export interface BoundStatement {
  readonly text: string
  readonly rows: readonly (readonly BoundValue[])[]
  /** The statement returns rows. */
  readonly returns: boolean
}

/** A column of a statement's result. */
export interface ResultColumn {
  readonly name: string
  readonly dataTypeID: number
}

/** What the server has answered for one row. */
export interface RowAnswer {
  /** How many rows the statement has changed, by its command tag. */
  readonly changed: number
  readonly columns: readonly ResultColumn[]
  /** The text values of the rows that the statement returned. */
  readonly rows: readonly (readonly (string | null)[])[]
}

/** How much travels in one write to the socket. */
const WRITE_BYTES = 64 * 1024

/**
 * Runs statements once for each of their rows, in one round trip: a Parse for each statement, a Bind and an
 * Execute for each row, and one Sync. Each answer belongs to its row by its position in the protocol,
 * whatever triggers do, and the first row without an answer is the one that has failed. All statements are
 * unnamed, so that a pooler in transaction mode may be in between.
 *
 * A Submittable of `pg`, as CopyIn is one.
 * @see https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-PIPELINING
 */
export class BoundRows extends Submittable {
  /** The answers so far, in the order of the rows. */
  readonly answers: RowAnswer[] = []
  readonly #statements: readonly BoundStatement[]
  readonly #next: string | undefined
  #columns: readonly ResultColumn[] = []
  #rows: (readonly (string | null)[])[] = []

  static open(client: PgClientLike, statements: readonly BoundStatement[]): BoundRows {
    const rows = new BoundRows(statements)
    rows.submitTo(client)
    return rows
  }

  /**
   * Runs the statements, and sends a query string after the rows without waiting. The server runs the string
   * even if a row fails.
   */
  static openBefore(
    client: PgClientLike,
    statements: readonly BoundStatement[],
    text: string,
  ): { rows: BoundRows; next: SimpleQuery } {
    const rows = new BoundRows(statements, text)
    rows.submitTo(client)
    return { rows, next: SimpleQuery.follow(client, text) }
  }

  private constructor(statements: readonly BoundStatement[], next?: string) {
    super(statements[0]!.text)
    this.#statements = statements
    this.#next = next
  }

  // --- what pg calls -------------------------------------------------------------------------------------

  submit({ stream }: PgConnectionLike): void {
    for (const piece of inPieces(messagesOf(this.#statements, this.#next))) stream.write(piece)
  }

  handleRowDescription({ fields }: { fields: readonly ResultColumn[] }): void {
    this.#columns = fields
  }

  handleDataRow({ fields }: { fields: readonly (string | null)[] }): void {
    this.#rows.push(fields)
  }

  handleCommandComplete({ text }: { text: string }): void {
    const changed = Number(/\d+$/.exec(text)?.[0] ?? 0)
    this.answers.push({ changed, columns: this.#columns, rows: this.#rows })
    this.#rows = []
  }
}

function* messagesOf(
  statements: readonly BoundStatement[],
  next: string | undefined,
): Generator<Buffer, void> {
  for (const { text, rows, returns } of statements) {
    yield message('P', '\0', text, '\0\0\0')
    if (returns) yield message('D', 'S\0')
    for (const row of rows) {
      yield bind(row)
      yield EXECUTE
    }
  }
  yield SYNC
  if (next !== undefined) yield queryMessage(next)
}

/** Returns the messages that run a statement once. */
export function executeMessages(text: string, values: readonly BoundValue[] = []): Buffer[] {
  return [message('P', '\0', text, '\0\0\0'), bind(values), EXECUTE]
}

/** Ends what travels together: after an error the server skips messages up to this one. */
export const SYNC = message('S')

/** A message of a type and of text, for which the length is filled in. */
function message(type: string, ...parts: readonly string[]): Buffer {
  const body = Buffer.from(parts.join(''))
  const bytes = Buffer.allocUnsafe(5 + body.length)
  bytes.write(type, 0, 'latin1')
  bytes.writeInt32BE(4 + body.length, 1)
  body.copy(bytes, 5)
  return bytes
}

/** Executes the unnamed portal, for any number of rows. */
const EXECUTE = message('E', '\0\0\0\0\0')

/** Binds the unnamed statement to the unnamed portal, whose results are text. */
function bind(values: readonly BoundValue[]): Buffer {
  const lengths = values.map(value =>
    value === null ? -1 : typeof value === 'string' ? Buffer.byteLength(value) : value.length,
  )
  const room = lengths.reduce((sum, length) => sum + 4 + Math.max(0, length), 0)
  const bytes = Buffer.allocUnsafe(5 + 2 + 2 + 2 * values.length + 2 + room + 2)
  bytes[0] = 0x42 // 'B'
  bytes.writeInt32BE(bytes.length - 1, 1)
  bytes.writeInt16BE(0, 5) // two empty names
  let at = bytes.writeUInt16BE(values.length, 7)
  for (const value of values) at = bytes.writeInt16BE(typeof value === 'object' && value ? 1 : 0, at)
  at = bytes.writeUInt16BE(values.length, at)
  for (const [index, value] of values.entries()) {
    at = bytes.writeInt32BE(lengths[index]!, at)
    if (typeof value === 'string') at += bytes.write(value, at)
    else if (value) at += value.copy(bytes, at)
  }
  bytes.writeInt16BE(0, at)
  return bytes
}

function* inPieces(messages: Iterable<Buffer>): Generator<Buffer, void> {
  let piece: Buffer[] = []
  let length = 0
  for (const bytes of messages) {
    piece.push(bytes)
    length += bytes.length
    if (length < WRITE_BYTES) continue
    yield Buffer.concat(piece, length)
    piece = []
    length = 0
  }
  if (length > 0) yield Buffer.concat(piece, length)
}
