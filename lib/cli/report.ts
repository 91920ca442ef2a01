import type { Stats } from '../types.ts'

/** `orders: 10,000 rows committed in 10 batches, 0.21 s, 47,619 rows/s` */
export function committedLine(table: string, stats: Readonly<Stats>, elapsedMs: number): string {
  const { rowsCommitted, batchesCommitted } = stats
  const seconds = elapsedMs / 1000
  const rate = `${count(Math.round(rowsCommitted / seconds))} rows/s`
  const amounts = `${plural(rowsCommitted, 'row')} committed in ${plural(batchesCommitted, 'batch', 'batches')}`
  return `${table}: ${amounts}, ${seconds.toFixed(2)} s, ${rate}`
}

export function interruptedLine(table: string, rowsCommitted: number): string {
  return `${table}: interrupted; ${plural(rowsCommitted, 'row')} committed`
}

export function plural(n: number, one: string, many = `${one}s`): string {
  return `${count(n)} ${n === 1 ? one : many}`
}

export function count(n: number): string {
  return n.toLocaleString('en-US')
}
