import { formatCount } from '../../values/format-count.ts'
import { clock } from '../terminal/units.ts'
import { etaMs, type LoadCounts, rowsPerSecond, rowsSoFar, shareDone } from './load-counts.ts'
import { retryLine } from './retry-line.ts'
import { LINE_INTERVAL_MS, type Watcher } from './watcher.ts'

/** Prints a line every few seconds, for logs and pipes. A load that ends sooner prints none. */
export function lineWatcher(write: (line: string) => void): Watcher {
  let timer: NodeJS.Timeout | undefined
  let table = ''
  return {
    begin(title, counts) {
      table = title.table
      timer = setInterval(() => write(progressLine(table, counts())), LINE_INTERVAL_MS)
    },
    retry: event => write(`${table}: ${retryLine(event)}`),
    reject() {},
    note: write,
    end: () => clearInterval(timer),
  }
}

/** Returns `orders: 45%, 1,234,567 rows committed, 123,456 rows/s, 0:12 left, 3 rejected`. */
export function progressLine(table: string, counts: LoadCounts): string {
  const share = shareDone(counts)
  const left = etaMs(counts)
  const parts = [
    ...(share === undefined ? [] : [`${Math.floor(share * 100)}%`]),
    rowsSoFar(counts),
    `${formatCount(rowsPerSecond(counts))} rows/s`,
    ...(left === undefined ? [] : [`${clock(left)} left`]),
    ...(counts.rowsUnchanged > 0 ? [`${formatCount(counts.rowsUnchanged)} unchanged`] : []),
    ...(counts.rowsSkipped > 0 ? [`${formatCount(counts.rowsSkipped)} skipped`] : []),
    ...(counts.rowsRejected > 0 ? [`${formatCount(counts.rowsRejected)} rejected`] : []),
  ]
  return `${table}: ${parts.join(', ')}`
}
