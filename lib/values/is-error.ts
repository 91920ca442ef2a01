import { types } from 'node:util'

/** Returns whether a value is an Error of any realm: Jest gives each test file globals of its own. */
export function isError(value: unknown): value is Error {
  return types.isNativeError(value) || value instanceof Error
}

/**
 * Returns whether a value is an Error that holds several, as a connection attempt to several addresses
 * throws.
 */
export function isAggregateError(value: unknown): value is AggregateError {
  return isError(value) && 'errors' in value && Array.isArray(value.errors)
}
