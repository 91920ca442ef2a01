import type { PgBatchError } from '../../errors.ts'

/**
 * Returns true for an error that another attempt would meet again, with each batch alone or row by row: there is no
 * connection, the outcome is not known, the server has forgotten commits, the stream has ended.
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
