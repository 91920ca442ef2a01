/**
 * Returns the first index from `low` to `high` for which `isBefore` is false, or `high`. It has to be true
 * for all indexes before that one.
 */
export function partitionPoint(low: number, high: number, isBefore: (index: number) => boolean): number {
  while (low < high) {
    const middle = (low + high) >> 1
    if (isBefore(middle)) low = middle + 1
    else high = middle
  }
  return low
}
