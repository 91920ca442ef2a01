/** How much is written together at most, so that memory is bounded. */
const TOGETHER = Object.freeze({ rows: 1_000_000, bytes: 64 * 1024 * 1024 })

/**
 * Returns how many rows the next attempt takes, where rows were refused that may refer to later ones: twice
 * as many as the last one, so that the cost stays linear. The same number at the bounds: no later rows are
 * waited for.
 * @param rows how many rows the last attempt had
 * @param bytes how many bytes of them were sent
 */
export function rowsOfNextAttempt(rows: number, bytes: number): number {
  return bytes < TOGETHER.bytes ? Math.max(rows, Math.min(2 * rows, TOGETHER.rows)) : rows
}
