/**
 * The longest gap between two observations of the server. Within one gap a server may crash twice and give a
 * lost id to another transaction without being noticed. A busy event loop must not break the watch either.
 */
const GAP_MS = 250

/**
 * A lost connection is reported at once, unless the network is silent. One that is reported longer after
 * COMMIT may have been lost long before.
 */
const PROMPT_MS = 1000

/**
 * What the stream of one transaction has seen of the server since it sent COMMIT: whether the server can have
 * crashed, started, worked for others and crashed again without being noticed. All times are those of
 * `performance.now()`.
 *
 *     COMMIT sent ──▶ connection lost ──▶ down ──▶ down ──▶ … ──▶ recovery begins ──▶ up: answered
 *          └─ at most PROMPT_MS ─┘ └────── each at most GAP_MS after the one before ──────┘
 *
 * The server keeps no count of its crashes. It only knows when the last recovery began.
 */
export class ServerWatch {
  readonly #ticketAt: number
  readonly #sentAt: number
  /** When the connection was lost; undefined if that was not reported promptly. */
  #lostAt: number | undefined
  #sawDown = false
  /** Until then the server has not started after a crash, or only for less than a gap. */
  #until: number
  /** The server was up then, or earlier: a recovery that began later is not the first one. */
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

  /** Notes that the connection was reported as lost. A deadline that has passed is not such a report. */
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
   * Returns true when the server cannot have been up between COMMIT and its last recovery, which began
   * between `earliest` and `latest`: there was only one crash.
   */
  isFirstRecovery(earliest: number, latest: number): boolean {
    // a recovery that began before the loss was reported: the report came late
    if (this.#lostAt === undefined || earliest < this.#lostAt) return latest - this.#sentAt <= GAP_MS
    return latest <= this.#upFrom && latest - this.#until <= GAP_MS
  }

  /**
   * Returns true when a commit, `sinceTicketMs` after the ticket by the server's clock, is the transaction's
   * own: it came within `maxMs` of COMMIT, too soon for a server that first crashes, starts and works for
   * others.
   */
  isOwnCommit(sinceTicketMs: number, maxMs = GAP_MS): boolean {
    return this.#ticketAt + sinceTicketMs - this.#sentAt <= maxMs
  }
}
