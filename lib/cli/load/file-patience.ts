import type { LoadPlan } from './load-plan.ts'

/** A slower disk or network gets more commits. */
const FILE_PATIENCE_MS = 20

/**
 * Returns how long a transaction waits for the next rows before it commits. A pipe may pause, so
 * the rows that have come are committed without a wait.
 */
export function patienceMsOf({ meter }: Pick<LoadPlan, 'meter'>): number {
  return meter.bytesTotal === undefined ? 0 : FILE_PATIENCE_MS
}
