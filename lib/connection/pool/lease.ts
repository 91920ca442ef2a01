import { isError } from '../../values/is-error.ts'
import { MAX_TIMER_MS } from '../../values/time/timer-limit.ts'
import { DeadlineError, NoFreeClient } from '../deadline-error.ts'
import type { PgClientLike, PgPoolLike } from '../pg-types.ts'
import { connectionSurvives } from '../server-error.ts'
import { usePlainMode } from './driver-modes.ts'
import { guardPool } from './guard-pool.ts'
import { heldPool } from './held-pool.ts'

/** How long a client, and then its answers, are waited for by callers that set no limit, in milliseconds. */
export const DEFAULT_WAIT_MS = 120_000

/** How a stream ends the work that is done for it. */
export interface StopSignals {
  /** Stop soon: start nothing new, roll back. */
  readonly stop: AbortSignal
  /** Stop now: connections are ended, and no answer of the server is waited for. */
  readonly kill: AbortSignal
}

/**
 * A client that is checked out of a pool. While it is out it has an error listener (an 'error' event without
 * one ends the process). It goes back exactly once: whole, or marked as broken so that the pool closes it.
 */
export class Lease {
  readonly client: PgClientLike
  /** What has ended the connection; undefined while it is usable. */
  broken: Error | undefined
  readonly #kill: AbortSignal
  readonly #lost = new AbortController()
  readonly #restoreModes: () => void
  #released = false

  /**
   * Checks a client out. Rejects when `stop` aborts first, or when no client has come within `waitMs`; a
   * client that comes later goes straight back.
   */
  static async take(pool: PgPoolLike, { stop, kill }: StopSignals, waitMs: number): Promise<Lease> {
    stop.throwIfAborted()
    guardPool(pool)
    const connecting = pool.connect()
    try {
      const client = unlessEnded(unlessAborted(connecting, stop), pool)
      return new Lease(checked(await withDeadline(client, waitMs), pool), kill)
    } catch (error) {
      connecting.then(
        client => client?.release?.(),
        () => {},
      )
      throw error instanceof DeadlineError ? (noFreeClient(pool, waitMs) ?? error) : error
    }
  }

  /**
   * Lends a client to one piece of work that answers within `waitMs`, then gives it back, or ends it if the
   * work has broken it.
   */
  static async use<T>(
    pool: PgPoolLike,
    work: (client: PgClientLike, lease: Lease) => Promise<T>,
    waitMs: number = DEFAULT_WAIT_MS,
    signals: StopSignals = neverStopped(),
  ): Promise<T> {
    const lease = await Lease.take(pool, signals, waitMs)
    try {
      return await lease.within(waitMs, work(lease.client, lease))
    } catch (error) {
      lease.noteFailure(error)
      throw error
    } finally {
      lease.release()
    }
  }

  private constructor(client: PgClientLike, kill: AbortSignal) {
    this.client = client
    this.#kill = kill
    this.#restoreModes = usePlainMode(client)
    client.on?.('error', this.#onError)
    kill.addEventListener('abort', this.#onKill)
  }

  readonly #onError = (error: Error): void => {
    this.broken ??= error
    this.#lost.abort(this.broken)
  }

  readonly #onKill = (): void => this.end(this.#kill.reason as Error)

  /** Ends the connection, and rejects what waits for its answers. */
  end(reason: Error): void {
    this.broken ??= reason
    this.#lost.abort(this.broken)
    this.release()
  }

  /** Marks the client as broken if its connection does not survive the error. */
  noteFailure(error: unknown): void {
    if (!connectionSurvives(error)) this.broken ??= error as Error
  }

  /** Returns what has ended the connection where pg only reports that it has ended. */
  explained(error: unknown): unknown {
    return this.broken && saysNotQueryable(error) ? this.broken : error
  }

  /** Waits for work that may depend on more than this connection, but no longer than the connection lasts. */
  async whileConnected<T>(work: Promise<T>): Promise<T> {
    return unlessAborted(work, this.#lost.signal)
  }

  /**
   * Waits for the server's answer, at most `ms`; then ends the connection and rejects with a DeadlineError.
   */
  async within<T>(ms: number, answer: Promise<T>): Promise<T> {
    try {
      return await withDeadline(answer, ms)
    } catch (error) {
      if (error instanceof DeadlineError) this.end(error)
      throw error
    }
  }

  /** Gives the client back, or ends its connection when it is `broken`. Further calls do nothing. */
  release(): void {
    if (this.#released) return
    this.#released = true
    this.#kill.removeEventListener('abort', this.#onKill)
    if (!this.broken) this.#restoreModes()
    this.client.release(this.broken)
    // a connection that is being ended may still report why: that listener stays with it
    if (!this.broken) this.client.removeListener?.('error', this.#onError)
  }
}

/** How long after a pool was ended its waiting callers learn of it at the latest. */
const LOOK_MS = 200

/**
 * Waits for a client, at most until the pool is ended: pg's pool then leaves waiting callers without an
 * answer, and rejects only those that come later, with this message.
 */
async function unlessEnded<T>(connecting: Promise<T>, pool: PgPoolLike): Promise<T> {
  if (!('ending' in pool)) return connecting
  let look: NodeJS.Timeout | undefined
  const ended = new Promise<never>((_, reject) => {
    const message = 'Cannot use a pool after calling end on the pool'
    look = setInterval(() => pool.ending && reject(new Error(message)), LOOK_MS)
  })
  try {
    return await Promise.race([connecting, ended])
  } finally {
    clearInterval(look)
  }
}

/** Returns true for pg's refusal of a query on a client whose connection has ended. */
function saysNotQueryable(error: unknown): boolean {
  return isError(error) && error.message.endsWith('and is not queryable')
}

/** Returns the error of a pool whose clients are all in use, as the counts of pg's pool show it. */
function noFreeClient(pool: PgPoolLike, waitMs: number): NoFreeClient | undefined {
  const { options, totalCount = 0, idleCount = 0, waitingCount = 0 } = pool as PgPoolLike & PoolCounts
  const max = options?.max
  if (max === undefined || totalCount < max || idleCount > 0 || waitingCount === 0) return undefined
  return new NoFreeClient(waitMs, max)
}

/** @see https://node-postgres.com/apis/pool */
interface PoolCounts {
  readonly options?: { readonly max?: number }
  readonly totalCount?: number
  readonly idleCount?: number
  /** Calls of `connect()` that wait for a client which is in use. */
  readonly waitingCount?: number
}

function checked(client: PgClientLike | undefined, pool: PgPoolLike): PgClientLike {
  if (typeof client?.query === 'function' && typeof client.release === 'function') return client
  const held = heldPool(pool)
  const hint = held ? `pass its \`${held}\`, which is the pool` : 'is `pool` a Client, not a Pool?'
  throw new TypeError(
    `Expected \`pool.connect()\` to resolve to a client with \`query\` and \`release\`: ${hint}`,
  )
}

/** Returns signals for work that belongs to no stream. */
function neverStopped(): StopSignals {
  return { stop: new AbortController().signal, kill: new AbortController().signal }
}

/** Waits for `promise`, at most `ms`, or as long as a timer can; then rejects with a DeadlineError. */
export async function withDeadline<T>(promise: Promise<T>, ms: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new DeadlineError(ms)), Math.min(ms, MAX_TIMER_MS))
  })
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}

/** Waits for `promise`, at most until `signal` aborts; then rejects with its reason. */
export async function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  promise.catch(() => {}) // handled here, because it is not waited for when the signal has aborted already
  signal.throwIfAborted()
  let onAbort!: () => void
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => reject(signal.reason)
    signal.addEventListener('abort', onAbort, { once: true })
  })
  try {
    return await Promise.race([promise, aborted])
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}
