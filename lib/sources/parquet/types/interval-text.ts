import { timeText } from '../../../values/time/temporal-text.ts'

/**
 * Returns a Parquet interval as PostgreSQL's text. It has twelve bytes: months, days and milliseconds.
 * @see https://github.com/apache/parquet-format/blob/master/LogicalTypes.md#interval
 */
export function intervalText(bytes: Uint8Array): string {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const [months, days, ms] = [view.getUint32(0, true), view.getUint32(4, true), view.getUint32(8, true)]
  return `${months} mons ${days} days ${timeText(BigInt(ms), 3, 'six')}`
}
