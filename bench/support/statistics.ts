/** A summary of several runs of one case. */
export interface Summary {
  readonly median: number
  readonly min: number
  readonly max: number
}

export function median(samples: readonly number[]): number {
  const sorted = samples.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

export function summarize(samples: readonly number[]): Summary {
  return { median: median(samples), min: Math.min(...samples), max: Math.max(...samples) }
}

/** Formats a summary as `412 (398–430)`: the median, the least and the greatest. */
export function showSummary({ median, min, max }: Summary, unit = 1): string {
  return `${significant(median / unit)} (${significant(min / unit)}–${significant(max / unit)})`
}

/** Formats a number with at most three significant digits: the spread shows that more would be noise. */
export function significant(value: number): string {
  const digits = value >= 100 ? 0 : value >= 10 ? 1 : 2
  return value.toFixed(digits)
}

/** Returns the nearest-rank quantile of the samples, for `part` from 0 to 1. */
export function quantile(samples: readonly number[], part: number): number {
  const sorted = samples.toSorted((a, b) => a - b)
  return sorted[Math.max(0, Math.ceil(part * sorted.length) - 1)]!
}
