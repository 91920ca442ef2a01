import type { Trial } from './trial.ts'

const COLUMNS: readonly (readonly [title: string, cell: (trial: Trial) => string | number])[] = [
  ['trial', ({ name }) => name],
  ['seed', ({ seed }) => seed],
  ['produced', ({ produced }) => produced],
  ['stored', ({ stored }) => stored],
  ['distinct', ({ distinct }) => distinct],
  ['kills', ({ kills }) => kills],
  ['generations', ({ generations }) => generations],
  ['assignments', ({ assignments }) => assignments],
  ['redelivered', ({ redelivered }) => redelivered],
  ['skipped', ({ skipped }) => skipped],
  ['outages', ({ outages }) => outages],
  ['gave up', ({ gaveUp }) => gaveUp.length],
]

/** A line for each trial. */
export function showTrials(trials: readonly Trial[]): string {
  const rows = [
    COLUMNS.map(([title]) => title),
    ...trials.map(trial =>
      COLUMNS.map(([, cell]) => {
        const value = cell(trial)
        return typeof value === 'number' ? value.toLocaleString('en-US') : value
      }),
    ),
  ]
  const widths = COLUMNS.map((_, column) => Math.max(...rows.map(row => row[column]!.length)))
  const lines = rows.map(row =>
    row
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]!)))
      .join('  '),
  )
  return [lines[0], widths.map(width => '-'.repeat(width)).join('  '), ...lines.slice(1)].join('\n')
}
