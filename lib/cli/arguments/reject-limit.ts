/** How many rows may be rejected before a load fails: a number of them, or a share of the rows read so far. */
export type RejectLimit = { readonly rows: number } | { readonly percent: number }

/** Before this many rows a share says little: one bad row in the first ten would be 10%. */
const JUDGED_FROM_ROWS = 1000

/** `10`, `0.5%`; undefined for anything else. */
export function parseRejectLimit(text: string): RejectLimit | undefined {
  const [, number = '', percent] = /^(\d{1,9}(?:\.\d{1,6})?)(%?)$/.exec(text) ?? []
  const value = Number(number)
  if (number === '') return undefined
  if (percent) return value <= 100 ? { percent: value } : undefined
  return Number.isInteger(value) ? { rows: value } : undefined
}

/**
 * True when so many rejected rows are too many. A number of rows is the writer's own business, which then rejects no
 * further row; a share is judged after each commit from the 1,000th row on, and at the end.
 */
export function isOverLimit(
  limit: RejectLimit | undefined,
  counts: { rejected: number; settled: number; atEnd: boolean },
): boolean {
  const { rejected, settled, atEnd } = counts
  if (!limit || 'rows' in limit || (!atEnd && settled < JUDGED_FROM_ROWS)) return false
  return rejected * 100 > limit.percent * settled
}

/** The `rejectLimit` of the writer. */
export function writerLimit(limit: RejectLimit | undefined, wantsRejects: boolean): number {
  if (limit && 'rows' in limit) return limit.rows
  return limit || wantsRejects ? Number.POSITIVE_INFINITY : 0
}
