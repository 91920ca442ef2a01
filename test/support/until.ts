import { setTimeout as delay } from 'node:timers/promises'

const POLL_MS = 5

/** Waits until a condition holds; fails with its name when it does not in time. */
export async function until(
  what: string,
  condition: () => boolean | Promise<boolean>,
  timeoutMs = 5000,
): Promise<void> {
  const deadline = performance.now() + timeoutMs
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`Not within ${timeoutMs} ms: ${what}`)
    await delay(POLL_MS)
  }
}

/** Fails when the promise has not settled within the time; what it settled with is passed on. */
export async function settlesWithin<T>(ms: number, promise: Promise<T>): Promise<T> {
  const timer = new AbortController()
  const late = delay(ms, undefined, { signal: timer.signal }).then(
    () => {
      throw new Error(`Did not settle within ${ms} ms`)
    },
    () => new Promise<never>(() => {}),
  )
  try {
    return await Promise.race([promise, late])
  } finally {
    timer.abort()
  }
}
