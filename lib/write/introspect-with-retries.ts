import type { PgBatchError } from '../errors.ts'
import { pause } from './faults/pause.ts'
import { mayRetry, type Retry, type RetryPolicy, retryDelayMs } from './faults/retry.ts'
import { isNameFailure } from './faults/transient.ts'
import { type IntrospectedPlan, type IntrospectOptions, introspectPlan } from './plan/introspect-plan.ts'
import type { WriteRequest } from './plan/write-request.ts'

/** How long a host name that has never resolved is tried again: it is probably mistyped. */
const UNKNOWN_NAME_MS = 5000

/**
 * Introspects the table, and tries again as the option `retry` says.
 * @throws PgBatchError, `outcome: 'not-sent'`
 */
export async function introspectWithRetries<Item>(
  request: WriteRequest<Item> & { readonly retry: RetryPolicy },
  asking: IntrospectOptions,
  onRetry: (retry: Retry) => void,
): Promise<IntrospectedPlan<Item>> {
  const started = performance.now()
  let resolved = false
  for (let attempt = 1; ; attempt++) {
    try {
      return await introspectPlan(request, asking)
    } catch (thrown) {
      const error = thrown as PgBatchError
      const elapsedMs = performance.now() - started
      resolved ||= !isNameFailure(error.cause)
      const leftMs = resolved ? Number.POSITIVE_INFINITY : UNKNOWN_NAME_MS - elapsedMs
      if (!error.retryable || leftMs <= 0 || !mayRetry(request.retry, error, attempt, elapsedMs)) throw error
      const delayMs = Math.min(leftMs, retryDelayMs(request.retry, attempt, Math.random()))
      onRetry({ error, attempt, delayMs })
      await pause(delayMs, asking.signals.stop, error)
    }
  }
}
