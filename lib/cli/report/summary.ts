import { basename } from 'node:path'
import { REPAIRS, type Repair } from '../../sources/repairs.ts'
import { formatCount, plural } from '../../values/format-count.ts'
import { printedTable } from '../terminal/printed-table.ts'
import { bytes, duration } from '../terminal/units.ts'
import { shortened, visible } from '../terminal/visible.ts'
import { type LoadCounts, rowsPerSecond } from '../watch/load-counts.ts'
import type { RejectReason } from '../watch/reject-reasons.ts'

/** The kinds of faults that are listed one by one, at most: the table should fit a screen. */
const REASONS = 10

/** Returns the table at the end of a load. It is at most 80 columns wide. */
export function summaryTable(
  table: string,
  counts: LoadCounts,
  reasons: readonly RejectReason[],
  repairs: readonly Repair[] = [],
): string {
  const { rowsRead, rowsCommitted, rowsUnchanged, rowsRejected, rowsSkipped, retries } = counts
  const lines = printedTable({
    style: { head: [], border: [], compact: true },
    colAligns: ['left', 'right', 'left'],
  })
  lines.push(
    [{ content: short(table, 60), colSpan: 3 }],
    ['rows read', formatCount(rowsRead), ''],
    ['committed', formatCount(rowsCommitted), `${formatCount(rowsPerSecond(counts))} rows/s`],
    ...unlessNone('unchanged', rowsUnchanged, 'sent, without effect'),
    ...unlessNone('rejected', rowsRejected, share(rowsRejected, rowsRead - rowsSkipped)),
    ...reasons.slice(0, REASONS).map(reasonLine),
  )
  if (reasons.length > REASONS) lines.push(['  others', '', plural(reasons.length - REASONS, 'kind')])
  if (repairs.length > 0) {
    const sum = repairs.reduce((sum, { count }) => sum + count, 0)
    lines.push(['repaired', formatCount(sum), ''], ...repairs.map(repairCells))
  }
  lines.push(
    ...unlessNone('skipped', rowsSkipped, 'written by an earlier run'),
    ['batches', formatCount(counts.batches), `in ${plural(counts.transactions, 'transaction')}`],
    ...unlessNone('retries', retries, ''),
    ['bytes', bytes(counts.bytesRead), `read; ${bytes(counts.bytesSent)} sent`],
    ['time', duration(counts.elapsedMs), ''],
  )
  return lines.toString()
}

/** Returns a line, or none for a count of 0. */
function unlessNone(name: string, count: number, note: string): string[][] {
  return count === 0 ? [] : [[name, formatCount(count), note]]
}

function repairCells({ kind, count, exampleLine }: Repair): string[] {
  return ['', formatCount(count), `${REPAIRS[kind]}, line ${formatCount(exampleLine)}`]
}

function reasonLine({ code, name, count: n, exampleRow, exampleFile }: RejectReason): string[] {
  const example = exampleRow === undefined ? '' : `, row ${formatCount(exampleRow)}`
  if (exampleFile === undefined) return [`  ${code}`, formatCount(n), `${short(name, 28)}${example}`]
  return [`  ${code}`, formatCount(n), `${short(name, 16)}${example} of ${short(basename(exampleFile), 14)}`]
}

function share(part: number, whole: number): string {
  if (part === 0 || whole <= 0) return ''
  const percent = (part / whole) * 100
  return percent < 0.01 ? 'less than 0.01%' : `${Number(percent.toPrecision(2))}% of those read`
}

function short(text: string, length: number): string {
  return shortened(visible(text), length)
}
