import { types } from 'node:util'
import { kindOf } from '../../values/kind-of.ts'
import type { PlannedColumn } from '../plan/planned-columns.ts'

/** What an item does to the row of its key. */
export type Operation = 'upsert' | 'delete'

/** `operation` threw, or returned neither 'upsert' nor 'delete'. */
export class OperationError extends Error {
  override readonly name = 'OperationError'
}

/**
 * Calls the user's `operation`.
 * @throws OperationError, whose message completes the sentence `` `operation` … ``
 */
export function askOperation<Item>(operation: (item: Item) => unknown, item: Item): Operation {
  let answer: unknown
  try {
    answer = operation(item)
  } catch (cause) {
    throw new OperationError('threw', { cause })
  }
  if (answer === 'upsert' || answer === 'delete') return answer
  if (types.isPromise(answer)) {
    answer.catch(() => {}) // nothing else handles its rejection
    throw new OperationError('returned a Promise: it has to be synchronous')
  }
  throw new OperationError(`returned ${shownAnswer(answer)}, and not 'upsert' or 'delete'`)
}

/** Shows a short word, which is something like 'DELETE' and not a value of the row. */
function shownAnswer(answer: unknown): string {
  return typeof answer === 'string' && /^[a-z]{0,8}$/i.test(answer) ? `'${answer}'` : kindOf(answer)
}

/** Returns the first column of a delete's key without a value. NULL is not one, because it equals nothing. */
export function missingKey(
  row: object,
  keys: readonly PlannedColumn[],
): { readonly column: string; readonly cause?: unknown } | undefined {
  for (const { name, read } of keys) {
    try {
      const value = read(row)
      if (value === null || value === undefined) return { column: name }
    } catch (cause) {
      return { column: name, cause }
    }
  }
  return undefined
}
