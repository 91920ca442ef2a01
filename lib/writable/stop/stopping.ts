import { setMaxListeners } from 'node:events'
import type { StopSignals } from '../../connection/pool/lease.ts'

/** How long the server may take to answer after a stream has been stopped; then its connections are ended. */
const GRACE_MS = 400

/** The same where the stream is asked to end soon. */
const GRACEFUL_MS = 3000

/**
 * Stops the work of a stream:
 *
 *     gracefully: a lane failed, or a signal   stop ──▶ kill, if the server takes too long
 *     at once: the stream is destroyed         stop ──▶ kill and cut
 *
 * `cut` also ends what follows a COMMIT, such as the rejected rows on their way to the dead letter.
 */
export class Stopping {
  readonly #stop = new AbortController()
  readonly #kill = new AbortController()
  readonly #cut = new AbortController()
  readonly signals: StopSignals = { stop: this.#stop.signal, kill: this.#kill.signal }
  readonly cut: AbortSignal = this.#cut.signal
  readonly #timers: NodeJS.Timeout[] = []

  constructor() {
    // each lane listens, and each wait of a lane
    setMaxListeners(0, this.#stop.signal, this.#kill.signal, this.#cut.signal)
  }

  get hasBegun(): boolean {
    return this.#stop.signal.aborted
  }

  /** Stops the work, and waits for what follows a COMMIT. */
  beginGracefully(reason: Error, graceMs = GRACEFUL_MS): void {
    this.#stop.abort(reason)
    this.#timers.push(setTimeout(() => this.#kill.abort(reason), graceMs))
  }

  /** Stops the work after the failure of a lane. */
  beginAfterFailure(reason: Error): void {
    this.beginGracefully(reason, GRACE_MS)
  }

  /**
   * Stops the work.
   * @param killReason why connections are ended, if it comes to that. Default: the reason
   */
  begin(reason: Error, killReason = reason): void {
    this.#stop.abort(reason)
    const end = (): void => {
      this.#kill.abort(killReason)
      this.#cut.abort(killReason)
    }
    this.#timers.push(setTimeout(end, GRACE_MS))
  }

  /** Notes that the work has stopped. */
  done(): void {
    for (const timer of this.#timers) clearTimeout(timer)
  }
}
