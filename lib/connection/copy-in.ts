import type { PgClientLike, PgConnectionLike } from './pg-types.ts'
import { noteStatementError } from './server-error.ts'

/** The bytes that each piece leaves free at its start, for the header of its CopyData message. */
export const COPY_HEADER_BYTES = 5

const COPY_DATA = 0x64 // 'd'
const COPY_DONE = Buffer.from([0x63, 0, 0, 0, 4]) // 'c'

/** How much may wait in the socket before `write` asks for a pause; about what a kernel's send buffer takes. */
const MAX_UNSENT_BYTES = 512 * 1024

/**
 * One COPY … FROM STDIN, from the statement to the server's ReadyForQuery.
 *
 * It is a Submittable of `pg` of our own instead of pg-copy-streams, since it has to (1) put header and data in one
 * socket write, (2) read rows of other statements in the same query string, (3) settle in every
 * case: pg-copy-streams leaves a 'drain' listener behind that throws once an error has cleared its connection,
 * and calls back at once when destroyed after CopyDone, before the outcome is known.
 *
 *     submitted ──CopyInResponse──▶ copying ──end()──▶ ending ──ReadyForQuery──▶ settled
 *         └──────────error──────────────┴────abort()─────┴────────error────────▶ settled
 *
 * Data, and the end of them, may be sent in `submitted` already.
 *
 * @see https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-COPY
 */
export class CopyIn {
  /** Text values of the rows that statements before the COPY returned, in order. */
  readonly precedingRows: string[][] = []
  /** The same of statements behind it. */
  readonly followingRows: string[][] = []

  /** How many rows the server says it has stored; undefined until it has said so. */
  storedRows: number | undefined

  /**
   * pg would end the COPY after its `query_timeout`, though it stays open for as long as rows come: the longest time that
   * a timer takes. The caller applies `query_timeout` to each answer that it waits for.
   */
  readonly query_timeout = 2 ** 31 - 1

  readonly #text: string
  readonly #ready: Promise<void>
  /** Resolves at ReadyForQuery, rejects with what made the COPY fail. */
  readonly settled: Promise<void>
  #resolveReady!: () => void
  #resolveSettled!: () => void
  #rejectSettled!: (error: Error) => void
  #connection: PgConnectionLike | undefined
  #copying = false
  #aborted = false
  #error: Error | undefined

  /** Sends `text`, of whose statements one is a COPY … FROM STDIN, to the server. */
  static open(client: PgClientLike, text: string): CopyIn {
    const copy = new CopyIn(text)
    // pg takes any object with submit(); its types know only those of its own
    ;(client.query as unknown as (submittable: CopyIn) => void).call(client, copy)
    return copy
  }

  private constructor(text: string) {
    this.#text = text
    this.#ready = new Promise(resolve => {
      this.#resolveReady = resolve
    })
    this.settled = new Promise((resolve, reject) => {
      this.#resolveSettled = resolve
      this.#rejectSettled = reject
    })
    this.settled.catch(() => {}) // whoever writes, ends or aborts hears of it
  }

  /** Resolves when the server takes data, so that rows of preceding statements have come, too. */
  async ready(): Promise<void> {
    await this.#ready
    if (this.#error) throw this.#error
  }

  /** `ready()` while the server has not answered the statement; undefined after that. */
  get unanswered(): Promise<void> | undefined {
    return this.#copying || this.#error ? undefined : this.ready()
  }

  /**
   * Sends one piece, whose first {@link COPY_HEADER_BYTES} bytes are free. The piece belongs to the socket from now
   * on. Returns a promise when the caller should wait before it sends more.
   *
   * It does not wait for CopyInResponse, which would cost a round trip: a server whose statement fails ignores the
   * CopyData and CopyDone behind it, as the protocol has it for a client that has not yet heard of an error.
   * @throws the server's error as soon as it is known
   */
  write(piece: Buffer): Promise<void> | undefined {
    if (this.#error) throw this.#error
    piece[0] = COPY_DATA
    piece.writeInt32BE(piece.length - 1, 1)
    if (!this.#connection) return this.ready().then(() => this.#send(piece)) // pg has not submitted it yet
    return this.#send(piece)
  }

  #send(piece: Buffer): Promise<void> | undefined {
    if (this.#error) throw this.#error
    const { stream } = this.#connection!
    // a socket that does not count what waits in it, as Neon's, reports each piece by its callback
    if (stream.writableLength !== undefined && stream.writableLength < MAX_UNSENT_BYTES) {
      stream.write(piece)
      return undefined
    }
    // Three arguments, since some sockets do not look for the callback in the place of the encoding.
    // The error, if the socket breaks meanwhile, comes from pg through `settled`.
    const sent = new Promise<void>(resolve => stream.write(piece, undefined, () => resolve()))
    return Promise.race([sent, this.settled])
  }

  /** Ends the data; resolves when the server has taken every row, and rejects with its error otherwise. */
  async end(): Promise<void> {
    if (!this.#connection) await this.ready()
    if (this.#error) throw this.#error
    this.#connection!.stream.write(COPY_DONE)
    await this.settled
  }

  /** Makes the COPY fail, and resolves when the server has answered; its error is what was asked for. */
  async abort(): Promise<void> {
    this.#aborted = true
    if (this.#copying && !this.#error) this.#connection!.sendCopyFail('aborted by the client')
    await this.settled.catch(() => {})
  }

  // --- what pg calls -------------------------------------------------------------------------------------

  submit(connection: PgConnectionLike): void {
    this.#connection = connection
    connection.query(this.#text)
  }

  /** pg replaces this by its own when query_timeout is set, and expects it to be called at the end. */
  callback(): void {}

  handleRowDescription(): void {}

  handleDataRow(message: { fields: string[] }): void {
    const rows = this.#copying ? this.followingRows : this.precedingRows
    rows.push(message.fields)
  }

  handleCommandComplete(message?: { text: string }): void {
    const stored = /^COPY (\d+)$/.exec(message?.text ?? '')
    if (stored) this.storedRows = Number(stored[1])
  }

  handleEmptyQuery(): void {}

  handleCopyInResponse(): void {
    this.#copying = true
    if (this.#aborted) this.#connection!.sendCopyFail('aborted by the client')
    this.#resolveReady()
  }

  handleError(error: Error): void {
    this.callback()
    if (!this.#copying) noteStatementError(error)
    this.#error = error
    this.#copying = false
    this.#resolveReady()
    this.#rejectSettled(error)
  }

  handleReadyForQuery(): void {
    this.callback()
    this.#copying = false
    this.#resolveReady()
    this.#resolveSettled()
  }
}
