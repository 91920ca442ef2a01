import { constants } from 'node:os'

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

export interface Interruption {
  /**
   * Aborts at the first signal, with an `Interrupted`. At the second signal the process ends at once, with
   * the status of the first.
   */
  readonly signal: AbortSignal
  /**
   * The status that a shell expects of a process that a signal ended: 130 for Ctrl-C. Undefined before a
   * signal.
   */
  status(): number | undefined
}

/** The reason of the abort. */
class Interrupted extends Error {
  /** What ends the process at once: `Ctrl-C again`. */
  readonly again: string

  constructor(name: NodeJS.Signals) {
    super(`Interrupted by ${name}`)
    this.again = name === 'SIGINT' ? 'Ctrl-C again' : `a second ${name}`
  }
}

export function listenForSignals(): Interruption {
  const controller = new AbortController()
  let status: number | undefined
  const stop = (name: NodeJS.Signals) => {
    // the server rolls back what is open when its client is gone
    if (status !== undefined) process.exit(status)
    status = 128 + constants.signals[name]
    controller.abort(new Interrupted(name))
  }
  for (const signal of SIGNALS) process.on(signal, stop)
  return { signal: controller.signal, status: () => status }
}

/** Returns what is printed at the first signal: `Stopping: …; Ctrl-C again stops at once.` */
export function stoppingLine({ reason }: AbortSignal, doing: string): string {
  const again = reason instanceof Interrupted ? reason.again : 'Ctrl-C again'
  return `Stopping: ${doing}; ${again} stops at once.`
}

/** Does work that cannot be stopped. At a signal it prints what the command waits for. */
export async function announced<T>(
  { signal, notify, doing }: { signal: AbortSignal; notify: (line: string) => void; doing: string },
  work: () => Promise<T>,
): Promise<T> {
  return whileRunning(signal, () => notify(stoppingLine(signal, doing)), work)
}

/** Calls `stop` if the signal comes during the work. */
export async function whileRunning<T>(
  signal: AbortSignal,
  stop: () => void,
  work: () => Promise<T>,
): Promise<T> {
  signal.addEventListener('abort', stop, { once: true })
  try {
    return await work()
  } finally {
    signal.removeEventListener('abort', stop)
  }
}
