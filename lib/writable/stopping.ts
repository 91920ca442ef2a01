import { setMaxListeners } from 'node:events'
import type { StopSignals } from '../connection/pool/lease.ts'

/** How long the server may take to answer after a stream has been stopped; then its connections are ended. */
const GRACE_MS = 400

/** Stops the work of a stream: first by the signal `stop`, and by `kill` if that takes too long. */
export class Stopping {
  readonly #stop = new AbortController()
  readonly #kill = new AbortController()
  readonly signals: StopSignals = { stop: this.#stop.signal, kill: this.#kill.signal }
  #grace: NodeJS.Timeout | undefined

  constructor() {
    setMaxListeners(0, this.#stop.signal, this.#kill.signal) // each lane listens, and each wait of a lane
  }

  get hasBegun(): boolean {
    return this.#stop.signal.aborted
  }

  /**
   * Stops the work.
   * @param killReason why connections are ended, if it comes to that. Default: the reason
   */
  begin(reason: Error, killReason = reason): void {
    this.#stop.abort(reason)
    this.#grace = setTimeout(() => this.#kill.abort(killReason), GRACE_MS)
  }

  /** Notes that the work has stopped. */
  done(): void {
    clearTimeout(this.#grace)
  }
}
