import { allowListeners } from './listener-limit.ts'

/** The one listener of a signal, for all that waits for it to abort. */
interface Listening {
  readonly runs: Set<() => void>
  readonly stop: () => void
}

/** EventTarget compares each listener with those before it: 10,000 rows with one signal took seconds. */
const listening = new WeakMap<AbortSignal, Listening>()

/**
 * Calls `run` once when a signal aborts that has not aborted yet. Many listeners of one signal cause no
 * warning, and cost no more than those of many signals.
 * @returns a function that stops listening; calling it again does nothing
 */
export function onAbort(signal: AbortSignal, run: () => void): () => void {
  const { runs, stop } = listening.get(signal) ?? listen(signal)
  const own = (): void => run()
  runs.add(own)
  return () => {
    if (runs.delete(own) && runs.size === 0) stop()
  }
}

function listen(signal: AbortSignal): Listening {
  const runs = new Set<() => void>()
  const runAll = (): void => {
    for (const run of runs) {
      try {
        run()
      } catch (error) {
        process.nextTick(() => {
          throw error // as EventTarget does: the others are still called
        })
      }
    }
  }
  const stop = (): void => {
    listening.delete(signal)
    signal.removeEventListener('abort', runAll)
    allowListeners(signal, -1)
  }
  allowListeners(signal, 1)
  signal.addEventListener('abort', runAll, { once: true })
  listening.set(signal, { runs, stop })
  return { runs, stop }
}
