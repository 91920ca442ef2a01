import {
  checkFunction,
  checkObject,
  checkWaitMs,
  expectOption,
  integerOrInfinityFrom,
} from '../../options/checks.ts'
import { defaultsTo, resolveOptions } from '../../options/option-table.ts'
import type { RetryPolicy } from '../../write/faults/retry.ts'

const RETRY_OPTIONS = Object.freeze({
  retries: defaultsTo(10, integerOrInfinityFrom(0)),
  minDelayMs: defaultsTo(100, checkWaitMs),
  maxDelayMs: defaultsTo(5000, checkWaitMs),
  maxElapsedMs: defaultsTo(Number.POSITIVE_INFINITY, checkWaitMs),
  shouldRetry: defaultsTo(() => true, checkFunction<RetryPolicy['shouldRetry']>),
})

export const DEFAULT_RETRY: RetryPolicy = resolveOptions('retry', RETRY_OPTIONS, {})

export function checkRetry(name: string, value: unknown): RetryPolicy {
  if (value === false) return { ...DEFAULT_RETRY, retries: 0 }
  const hint = typeof value === 'number' ? `write \`{ retries: ${value} }\`` : undefined
  const policy = resolveOptions(name, RETRY_OPTIONS, checkObject(name, value, hint), `${name}.`)
  const { minDelayMs, maxDelayMs } = policy
  const expected = `a number ≥ \`${name}.minDelayMs\` (${minDelayMs})`
  expectOption(`${name}.maxDelayMs`, maxDelayMs, expected, maxDelayMs >= minDelayMs)
  return policy
}
