import { isError } from '../values/is-error.ts'
/** Hands items to `onDiscard`; what that throws, or rejects with, is a process warning, for nobody is left to fail. */
export async function discard<T>(onDiscard: (items: T[]) => void | Promise<void>, items: T[]): Promise<void> {
  try {
    await onDiscard(items)
  } catch (thrown) {
    const { stack, message } = asError(thrown)
    process.emitWarning(`onDiscard failed: ${message}`, { type: 'PgBatchWarning', detail: stack ?? '' })
  }
}

export function asError(thrown: unknown): Error {
  return isError(thrown) ? thrown : new Error('Something that is no Error was thrown', { cause: thrown })
}
