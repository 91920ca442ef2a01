/** How many rows may be rejected before a load fails: a number, or a share of the rows read so far. */
export type RejectLimit = { readonly rows: number } | { readonly percent: number }

/** A share of fewer rows says little: one bad row in the first ten would be 10%. */
const JUDGED_FROM_ROWS = 1000

/** Reads `10` or `0.5%`. Returns undefined for any other text. */
export function parseRejectLimit(text: string): RejectLimit | undefined {
  const [, number = '', percent] = /^(\d{1,9}(?:\.\d{1,6})?)(%?)$/.exec(text) ?? []
  const value = Number(number)
  if (number === '') return undefined
  if (percent) return value <= 100 ? { percent: value } : undefined
  return Number.isInteger(value) ? { rows: value } : undefined
}

/**
 * Returns true if too many rows are rejected. A share is compared after each commit, from the 1,000th row on,
 * and at the end. The writer itself enforces a number of rows.
 */
export function isOverLimit(
  limit: RejectLimit | undefined,
  counts: { rejected: number; settled: number; atEnd: boolean },
): boolean {
  const { rejected, settled, atEnd } = counts
  if (!limit || 'rows' in limit || (!atEnd && settled < JUDGED_FROM_ROWS)) return false
  return rejected * 100 > limit.percent * settled
}

/** Returns the `rejectLimit` of the writer. */
export function writerLimit(limit: RejectLimit | undefined, wantsRejects: boolean): number {
  if (limit && 'rows' in limit) return limit.rows
  return limit || wantsRejects ? Number.POSITIVE_INFINITY : 0
}
