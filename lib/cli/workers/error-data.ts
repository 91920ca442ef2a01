import { PgBatchError, type PgBatchErrorCode, type PgBatchErrorDetails } from '../../errors.ts'
import { isAggregateError, isError } from '../../values/is-error.ts'
import { noteSentText, sentValueOf } from '../../write/transaction/sent-value.ts'
import { TypeMismatch } from '../columns/type-mismatch.ts'

/** An error as plain data, because threads do not share objects, and a copy would lose its class. */
export interface ErrorData {
  readonly kind: 'writer' | 'mismatch' | 'several' | 'other'
  readonly name: string
  readonly message: string
  readonly stack: string | undefined
  /** Its other properties: the SQLSTATE and the context of an error of the server, for example. */
  readonly more: Readonly<Record<string, unknown>>
  /** The reason of a PgBatchError. */
  readonly reason?: string
  readonly cause?: ErrorData | undefined
  /** The errors of an AggregateError. */
  readonly errors?: readonly ErrorData[]
  /** The value that the server refused. */
  readonly sentText?: string | undefined
}

export function dataOfError(thrown: unknown): ErrorData {
  const error = isError(thrown) ? thrown : new Error(String(thrown))
  const { name, message, stack, cause } = error
  return {
    kind: kindOf(error),
    name,
    message,
    stack,
    more: plainProperties(error),
    ...(error instanceof PgBatchError ? { reason: error.reason } : {}),
    ...(cause === undefined ? {} : { cause: dataOfError(cause) }),
    ...(isAggregateError(error) ? { errors: error.errors.map(each => dataOfError(each)) } : {}),
    sentText: sentValueOf(error),
  }
}

/**
 * Returns an error with the class, the properties and the causes of the one in the other thread.
 * @param batchIdOf returns the number that a batch has in this thread
 */
export function errorOfData(data: ErrorData, batchIdOf?: (batchId: number) => number): Error {
  const { batchId } = data.more
  if (batchIdOf && typeof batchId === 'number') {
    return errorOfData({ ...data, more: { ...data.more, batchId: batchIdOf(batchId) } })
  }
  const cause = data.cause && errorOfData(data.cause)
  const error = newError(data, cause)
  if (data.sentText !== undefined) noteSentText(error, data.sentText)
  return error
}

function kindOf(error: Error): ErrorData['kind'] {
  if (error instanceof TypeMismatch) return 'mismatch'
  if (error instanceof PgBatchError) return 'writer'
  return isAggregateError(error) ? 'several' : 'other'
}

/** Returns the properties that are no objects. */
function plainProperties(error: Error): Record<string, unknown> {
  const entries = Object.entries(error).filter(([, value]) => !['object', 'function'].includes(typeof value))
  return Object.fromEntries(entries)
}

function newError(data: ErrorData, cause: Error | undefined): Error {
  const { kind, name, message, stack, more, reason = '', errors = [] } = data
  const { code, ...details } = more as unknown as PgBatchErrorDetails & { readonly code: PgBatchErrorCode }
  if (kind === 'mismatch') return new TypeMismatch(code, reason, more as { column: string; hint: string })
  const options = cause ? { cause } : {}
  if (kind === 'writer') return new PgBatchError(code, reason, { ...details, ...options })
  const error =
    kind === 'several'
      ? new AggregateError(
          errors.map(data => errorOfData(data)),
          message,
          options,
        )
      : new Error(message, options)
  Object.assign(error, more)
  // not enumerable, as the constructor of the original made it
  Object.defineProperty(error, 'name', { value: name, configurable: true, writable: true })
  if (stack !== undefined) error.stack = stack
  return error
}
