/**
 * The longest gap between two observations of the server. A server that crashed twice within one gap, and gave a lost
 * id to another transaction in between, would not be noticed; a busy event loop must not break the watch either.
 */
const GAP_MS = 250

/**
 * A lost connection is noticed at once, unless the network is silent. One that is reported longer after COMMIT may have
 * been lost long before.
 */
const PROMPT_MS = 1000

/**
 * What one transaction's stream has seen of the server since it sent COMMIT: whether the server can have crashed, come
 * up, worked for others and crashed again without being noticed. All times are those of `performance.now()`.
 *
 *     COMMIT sent ──▶ connection lost ──▶ down ──▶ down ──▶ … ──▶ recovery begins ──▶ up: the question is answered
 *          └─ at most PROMPT_MS ─┘ └────── each at most GAP_MS after the one before ──────┘
 *
 * The server itself keeps no count of its crashes. It only knows when the last recovery began.
 */
export class ServerWatch {
  readonly #ticketAt: number
  readonly #sentAt: number
  /** When the connection was lost, where that was noticed promptly. */
  #lostAt: number | undefined
  #sawDown = false
  /** Up to here the server has not come up after a crash, or only for less than a gap. */
  #until: number
  /** The server was up from here on, or earlier: a recovery that began later is not the first one. */
  #upFrom = Number.POSITIVE_INFINITY

  /**
   * @param ticketAt when the transaction's ticket was received
   * @param sentAt when COMMIT was sent
   */
  constructor(ticketAt: number, sentAt: number) {
    this.#ticketAt = ticketAt
    this.#sentAt = sentAt
    this.#until = sentAt
  }

  /** Notes that the connection was reported as lost. A deadline that passed is no such report. */
  lost(at: number): void {
    if (this.#lostAt !== undefined || at - this.#sentAt > PROMPT_MS) return
    this.#lostAt = at
    this.#until = at
  }

  /** Notes that a question found the server down. */
  sawDown(askedAt: number, answeredAt: number): void {
    this.#sawDown = true
    if (answeredAt - this.#until <= GAP_MS) this.#until = Math.max(this.#until, askedAt)
  }

  /**
   * Notes that a question found the server up. At first that may be the server that is about to crash.
   * @param upFrom the server was up then, or came up later
   */
  sawUp(upFrom: number, answeredAt: number): void {
    const isAtFirst = !this.#sawDown && answeredAt - (this.#lostAt ?? this.#sentAt) <= GAP_MS
    if (!isAtFirst) this.#upFrom = Math.min(this.#upFrom, upFrom)
  }

  /**
   * Returns true when the server cannot have come up between COMMIT and its last recovery: there was one crash only.
   * The recovery has begun between `earliest` and `latest`.
   */
  isFirstRecovery(earliest: number, latest: number): boolean {
    // one that began before the loss was noticed: the loss was noticed late
    if (this.#lostAt === undefined || earliest < this.#lostAt) return latest - this.#sentAt <= GAP_MS
    return latest <= this.#upFrom && latest - this.#until <= GAP_MS
  }

  /**
   * Returns true when a commit, `sinceTicketMs` after the ticket by the server's clock, is the transaction's own: it came
   * within `maxMs` of COMMIT, too soon for a server that crashes, starts and works for others first.
   */
  isOwnCommit(sinceTicketMs: number, maxMs = GAP_MS): boolean {
    return this.#ticketAt + sinceTicketMs - this.#sentAt <= maxMs
  }
}
