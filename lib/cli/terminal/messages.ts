import type { Stats } from '../../types.ts'

/** `orders: 10,000 rows committed in 10 batches, 0.21 s, 47,619 rows/s` */
export function committedLine(
  table: string,
  stats: Readonly<Stats>,
  elapsedMs: number,
  rowsSkipped = 0,
): string {
  const { rowsCommitted, rowsUnchanged, rowsRejected, batchesCommitted } = stats
  const seconds = elapsedMs / 1000
  const rate = `${count(Math.round((rowsCommitted + rowsUnchanged) / seconds))} rows/s`
  const amounts = [
    `${plural(rowsCommitted, 'row')} committed in ${plural(batchesCommitted, 'batch', 'batches')}`,
    ...(rowsUnchanged > 0 ? [`${count(rowsUnchanged)} unchanged`] : []),
    ...(rowsRejected > 0 ? [`${count(rowsRejected)} rejected`] : []),
    ...(rowsSkipped > 0 ? [`${count(rowsSkipped)} written before`] : []),
  ]
  return `${table}: ${amounts.join(', ')}, ${seconds.toFixed(2)} s, ${rate}`
}

/** @param next what running the command again does */
export function interruptedLine(table: string, rowsCommitted: number, next?: string): string {
  const hint = next === undefined ? '' : `; ${next}`
  return `${table}: interrupted; ${plural(rowsCommitted, 'row')} committed${hint}`
}

/** @param rowsWritten how many the server still has */
export function regressedLine(resume: string, rowsWritten: number): string {
  const from = rowsWritten === 0 ? 'from the first row' : `after row ${count(rowsWritten)}`
  return `--resume ${resume}: the server has lost rows that it had committed; reading again ${from}`
}

/** What to do with rejected rows. */
export function replayHint(file: string, table: string, rows: number): string {
  const them = rows === 1 ? 'it loads' : 'they load'
  return `${plural(rows, 'row')} rejected, in ${file}. Mended, ${them} by: pg-batch replay ${file} --table ${table}`
}

export function plural(n: number, one: string, many = `${one}s`): string {
  return `${count(n)} ${n === 1 ? one : many}`
}

/** 1234567 as `1,234,567`; by Intl, whose start takes as long as to connect, the same. */
export function count(n: number): string {
  return String(n).replace(/\B(?=(?:\d{3})+$)/g, ',')
}
