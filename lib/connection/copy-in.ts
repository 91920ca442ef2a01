import { MAX_TIMER_MS } from '../values/time/timer-limit.ts'
import type { PgClientLike, PgConnectionLike } from './pg-types.ts'
import { noteStatementError } from './server-error.ts'
import { queryMessage, SimpleQuery } from './simple-query.ts'
import { Submittable } from './submittable.ts'

/** How many bytes each piece leaves free at its start, for the header of its CopyData message. */
export const COPY_HEADER_BYTES = 5

const COPY_DATA = 0x64 // 'd'
const COPY_DONE = Buffer.from([0x63, 0, 0, 0, 4]) // 'c'

/**
 * How much may wait in the socket before `write` asks for a pause; about the size of a kernel's send buffer.
 */
const MAX_UNSENT_BYTES = 512 * 1024

/** A larger piece leaves at once, so that the server works on it while further ones are made. */
const MAX_CORKED_BYTES = 16 * 1024

/**
 * One COPY … FROM STDIN, from the statement to the server's ReadyForQuery.
 *
 *     submitted ──CopyInResponse──▶ copying ──end()──▶ ending ──ReadyForQuery──▶ settled
 *         └──────────error──────────────┴────abort()─────┴────────error────────▶ settled
 *
 * Data and their end may be sent in `submitted` already: that saves a round trip.
 *
 * A Submittable of `pg` like pg-copy-streams' `from()`. We do not use that one because 7.0.0
 * (1) writes to the socket twice for each chunk, once for its header and once for its data;
 * (2) throws out of the socket's 'drain' event when the server's error came while it waited for that event;
 * (3) never closes when it is destroyed before CopyInResponse, unless an answer still comes;
 * (4) calls back at once when it is destroyed after `end()`, so that the outcome is lost;
 * (5) throws out of pg's handler when ReadyForQuery comes after `destroy()`.
 * It also cannot read the rows of other statements in the same query string, such as a transaction's ticket.
 *
 * @see https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-COPY
 */
export class CopyIn extends Submittable {
  /** Text values of the rows that statements before the COPY have returned, in order. */
  readonly precedingRows: string[][] = []
  /** Text values of the rows that statements after the COPY have returned. */
  readonly followingRows: string[][] = []

  /** How many rows the server has stored; undefined until it has reported that. */
  storedRows: number | undefined

  /**
   * The longest time of a timer. pg would end the COPY after its own `query_timeout`, but a COPY
   * stays open for as long as rows come. The caller applies `query_timeout` to each answer that it waits for.
   */
  readonly query_timeout = MAX_TIMER_MS

  readonly #client: PgClientLike
  readonly #textToSend: string
  readonly #ready: Promise<void>
  #resolveReady!: () => void
  #connection: PgConnectionLike | undefined
  /** The socket keeps what is written, for a moment. */
  #isCorked = false
  #copying = false
  #aborted = false
  #error: Error | undefined
  /** Ends the writes that wait for the socket. */
  readonly #waits = new Set<(error?: Error) => void>()

  /**
   * Sends a query string to the server; one of its statements is a COPY … FROM STDIN.
   * @param statement the COPY
   */
  static open(client: PgClientLike, textToSend: string, statement = textToSend): CopyIn {
    const copy = new CopyIn(client, textToSend, statement)
    copy.submitTo(client)
    return copy
  }

  private constructor(client: PgClientLike, textToSend: string, statement: string) {
    super(statement)
    this.#client = client
    this.#textToSend = textToSend
    this.#ready = new Promise(resolve => {
      this.#resolveReady = resolve
    })
  }

  /** Resolves when the server takes data: the rows of preceding statements have come, too. */
  async ready(): Promise<void> {
    await this.#ready
    if (this.#error) throw this.#error
  }

  /** `ready()` while the server has not answered the statement; undefined after that. */
  get unanswered(): Promise<void> | undefined {
    return this.#copying || this.#error ? undefined : this.ready()
  }

  /**
   * Sends one piece, whose first {@link COPY_HEADER_BYTES} bytes are free. The piece belongs to the socket
   * from now on. Returns a promise when the caller should wait before it sends more.
   *
   * Does not wait for CopyInResponse, which would cost a round trip: a server whose statement fails ignores
   * the CopyData and CopyDone that follow, as the protocol says for a client that does not know of the error
   * yet.
   * @throws the server's error as soon as it is known
   */
  write(piece: Buffer): Promise<void> | undefined {
    if (this.#error) throw this.#error
    piece[0] = COPY_DATA
    piece.writeInt32BE(piece.length - 1, 1)
    if (!this.#connection) return this.ready().then(() => this.#send(piece)) // pg has not submitted it yet
    return this.#send(piece)
  }

  /** Sends what was written so far, in one packet. */
  #uncork(): void {
    if (this.#isCorked) this.#connection!.stream.uncork?.()
    this.#isCorked = false
  }

  #send(piece: Buffer): Promise<void> | undefined {
    if (this.#error) throw this.#error
    const { stream } = this.#connection!
    if (piece.length > MAX_CORKED_BYTES) this.#uncork()
    // a socket that does not count what waits in it, such as Neon's, reports each piece by its callback
    if (stream.writableLength !== undefined && stream.writableLength < MAX_UNSENT_BYTES) {
      stream.write(piece)
      return undefined
    }
    return this.#sent(stream, piece)
  }

  /**
   * Resolves when the socket has sent a piece, or the COPY settles: pg reports a socket that breaks. It is no
   * race with `settled`, in which each piece of a long COPY would leave 300 bytes.
   */
  #sent(stream: PgConnectionLike['stream'], piece: Buffer): Promise<void> {
    return new Promise((resolve, reject) => {
      const end = (error?: Error): void => {
        this.#waits.delete(end)
        if (error) reject(error)
        else resolve()
      }
      this.#waits.add(end)
      // three arguments, because some sockets do not look for the callback in the place of the encoding
      stream.write(piece, undefined, () => end())
    })
  }

  /** Ends the data; resolves when the server has taken every row, and rejects with its error otherwise. */
  async end(): Promise<void> {
    if (!this.#connection) await this.ready()
    if (this.#error) throw this.#error
    this.#connection!.stream.write(COPY_DONE)
    await this.settled
  }

  /**
   * Ends the data, and sends a query string after their end without waiting. The server runs it even if the
   * COPY fails. `settled` reports about the COPY.
   * @throws the server's error if it is known already; then nothing is sent
   */
  endBefore(text: string): SimpleQuery {
    if (this.#error) throw this.#error
    this.#connection!.stream.write(Buffer.concat([COPY_DONE, queryMessage(text)]))
    return SimpleQuery.follow(this.#client, text)
  }

  /** Makes the COPY fail, and resolves when the server has answered. Its error is the expected answer. */
  async abort(): Promise<void> {
    this.#aborted = true
    if (this.#copying && !this.#error) this.#connection!.sendCopyFail('aborted by the client')
    await this.settled.catch(() => {})
  }

  // --- what pg calls -------------------------------------------------------------------------------------

  submit(connection: PgConnectionLike): void {
    this.#connection = connection
    const { stream } = connection
    stream.cork?.()
    this.#isCorked = true
    connection.query(this.#textToSend)
    // by then a small batch and its COMMIT have been written, too
    process.nextTick(() => this.#uncork())
  }

  handleRowDescription(): void {}

  handleDataRow(message: { fields: string[] }): void {
    const rows = this.#copying ? this.followingRows : this.precedingRows
    rows.push(message.fields)
  }

  handleCommandComplete(message?: { text: string }): void {
    const stored = /^COPY (\d+)$/.exec(message?.text ?? '')
    if (stored) this.storedRows = Number(stored[1])
  }

  handleCopyInResponse(): void {
    this.#copying = true
    if (this.#aborted) this.#connection!.sendCopyFail('aborted by the client')
    this.#resolveReady()
  }

  override handleError(error: Error): void {
    if (!this.#copying) noteStatementError(error)
    this.#error = error
    this.#copying = false
    this.#resolveReady()
    for (const end of this.#waits) end(error)
    super.handleError(error)
  }

  override handleReadyForQuery(): void {
    this.#copying = false
    this.#resolveReady()
    for (const end of this.#waits) end()
    super.handleReadyForQuery()
  }
}
