import { constants } from 'node:os'

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

export interface Interruption {
  /** Aborts at the first signal. At the second the process ends at once, with the status of the first. */
  readonly signal: AbortSignal
  /** What a shell expects of a process that a signal ended: 130 for Ctrl-C. Undefined before. */
  status(): number | undefined
}

export function listenForSignals(): Interruption {
  const controller = new AbortController()
  let status: number | undefined
  const stop = (name: NodeJS.Signals) => {
    // the server rolls back what is open when its client is gone
    if (status !== undefined) process.exit(status)
    status = 128 + constants.signals[name]
    controller.abort()
  }
  for (const signal of SIGNALS) process.on(signal, stop)
  return { signal: controller.signal, status: () => status }
}
