import { REPAIRS, type Repair } from '../../sources/repairs.ts'
import { shellWord } from '../../sources/shell-word.ts'
import type { Stats } from '../../types.ts'
import { formatCount, plural } from '../../values/format-count.ts'
import { COMMAND } from './command-name.ts'

/** Returns `orders: 10,000 rows committed in 10 batches, 0.21 s, 47,619 rows/s`. */
export function committedLine(
  table: string,
  stats: Readonly<Stats>,
  elapsedMs: number,
  rowsSkipped = 0,
): string {
  const { rowsCommitted, rowsUnchanged, rowsRejected, batchesCommitted } = stats
  const seconds = elapsedMs / 1000
  const rate = `${formatCount(Math.round((rowsCommitted + rowsUnchanged) / seconds))} rows/s`
  const counts = [
    `${plural(rowsCommitted, 'row')} committed in ${plural(batchesCommitted, 'batch', 'batches')}`,
    ...(rowsUnchanged > 0 ? [`${formatCount(rowsUnchanged)} unchanged`] : []),
    ...(rowsRejected > 0 ? [`${formatCount(rowsRejected)} rejected`] : []),
    ...(rowsSkipped > 0 ? [`${formatCount(rowsSkipped)} written before`] : []),
  ]
  return `${table}: ${counts.join(', ')}, ${seconds.toFixed(2)} s, ${rate}`
}

/** Returns the message of a load that was interrupted before its first row. */
export function interruptedLine(table: string): string {
  return `${table}: interrupted; ${committedSoFar(0, false)}`
}

/**
 * Returns how many rows a load that ends early has committed.
 * @param mayBeMore the server has not answered a COMMIT
 */
export function committedSoFar(rowsCommitted: number, mayBeMore: boolean): string {
  const known = `${plural(rowsCommitted, 'row')} committed`
  return mayBeMore ? `${known}, and perhaps more: the server has not answered a COMMIT` : known
}

/** @param rowsWritten how many rows the server still has */
export function regressedLine(resume: string, rowsWritten: number): string {
  const from = rowsWritten === 0 ? 'from the first row' : `after row ${formatCount(rowsWritten)}`
  return `--resume ${resume}: the server has lost rows that it had committed; reading again ${from}`
}

/** Returns that the one transaction of a load was rolled back, and that the load begins again. */
export function undoneLine(table: string, reason: string, source: string): string {
  return `${table}: ${reason}; nothing is committed; reading ${source} again from the first row`
}

/** Returns how many records were repaired, and where the first of them is. */
export function repairLine({ kind, count, exampleLine, exampleFile }: Repair): string {
  const example = `for example line ${exampleLine} of ${exampleFile}`
  return `${plural(count, 'record')} repaired: ${REPAIRS[kind]}; ${example}`
}

/** Returns that rejected rows are in no file, because --reject-limit is given and --rejects is not. */
export function unkeptLine(rows: number): string {
  return `${plural(rows, 'row')} rejected and not kept: --rejects FILE keeps such rows`
}

/** Returns what to do with rejected rows. */
export function replayHint(
  file: string,
  { table, identity }: { table: string; identity?: string | undefined },
  rows: number,
): string {
  const them = rows === 1 ? 'it' : 'them'
  const options = `--table ${shellWord(table)}${identity === undefined ? '' : ` --identity ${identity}`}`
  const next = `correct ${them} and run: ${COMMAND} replay ${shellWord(file)} ${options}`
  return `${plural(rows, 'row')} rejected, in ${file}; ${next}`
}

/** Says that a file was written to while it was read, as a log is that grows. */
export function writtenToLine(file: string): string {
  return `${file}: was written to while it was read: its last row may be cut short, or rows may be missing`
}
