import type { PgBatchError } from '../../errors.ts'

/**
 * Returns true for an error that each batch alone, or each row alone, would meet again: there is no
 * connection, the outcome is not known, the server has lost commits, the stream has ended.
 */
export function isFinal({ retryable, outcome, code }: PgBatchError): boolean {
  return (
    retryable ||
    outcome === 'unknown' ||
    outcome === 'committed' ||
    code === 'ABORTED' ||
    code === 'OFFSET_REPEATED' ||
    code === 'CHECKPOINT_REGRESSED' ||
    code === 'CONNECTION'
  )
}
