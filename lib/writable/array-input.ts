import { describe } from '../options/checks.ts'

/**
 * Returns a shallow copy of an array, its holes filled with undefined; anything else as it is, for `_write`
 * to reject.
 */
export function copyOf(items: unknown): unknown {
  return Array.isArray(items) ? [...items] : items
}

export function notAnArray(items: unknown): TypeError {
  const got = describe(items)
  const message = `Expected an array of items, got ${got}: put a BatchTransform before PgBatchWritable`
  return Object.assign(new TypeError(message), { code: 'ERR_INVALID_ARG_TYPE' })
}
