import { isError } from '../values/is-error.ts'

/**
 * Hands items to `onDiscard`. What it throws or rejects with becomes a process warning: the stream has failed
 * already.
 */
export async function discard<T>(onDiscard: (items: T[]) => void | Promise<void>, items: T[]): Promise<void> {
  try {
    await onDiscard(items)
  } catch (thrown) {
    const { stack, message } = asError(thrown)
    process.emitWarning(`onDiscard failed: ${message}`, { type: 'PgBatchWarning', detail: stack ?? '' })
  }
}

/** Returns what was thrown, if it is an Error; otherwise an Error with it as `cause`. */
export function asError(thrown: unknown): Error {
  return isError(thrown) ? thrown : new Error('A value that is not an Error was thrown', { cause: thrown })
}
