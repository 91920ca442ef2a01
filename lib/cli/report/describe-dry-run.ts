import { hexText } from '../../sources/hex-text.ts'
import type { Source } from '../../sources/open-source.ts'
import type { SourceRow } from '../../sources/rows.ts'
import { LongNumber, RawJson, toJsonText } from '../../values/exact-json.ts'
import { plural } from '../../values/format-count.ts'
import type { ColumnChoice } from '../columns/choose-columns.ts'
import { printedTable } from '../terminal/printed-table.ts'
import { cut, shortened, visible, visibleSql } from '../terminal/visible.ts'

/** What a load would do. */
export interface DryRun extends ColumnChoice {
  /** The first rows, at most {@link SHOWN_ROWS}. */
  readonly head: readonly SourceRow[]
  /** The table, and what happens to it. */
  readonly table: string
  /** The columns of the table. Those that the rows have are shown. */
  readonly columns: readonly string[]
  /** Why the slower format of COPY is used, if it is. */
  readonly format?: string | undefined
  /** The CREATE TABLE statement. */
  readonly sql?: string
}

export const SHOWN_ROWS = 5
const CELL_WIDTH = 24

/** Describes the plan and the first rows. */
export function describeDryRun(source: Source, plan: DryRun, width: number): string {
  const rows = plan.head.map(row => plan.rename?.(row) ?? row)
  const renamed = plan.pairs.filter(([key, column]) => key !== column)
  return [
    'Dry run: nothing is written.',
    shownLine(`  input:   ${source.name} (${source.description})`),
    shownLine(`  table:   ${plan.table}`),
    ...(renamed.length > 0
      ? [shownLine(`  mapped:  ${renamed.map(([key, column]) => `"${key}" = ${column}`).join(', ')}`)]
      : []),
    ...(plan.format ? [shownLine(`  format:  ${plan.format}`)] : []),
    ...(plan.sql ? visibleSql(`${plan.sql};`).map(cut) : []),
    ...drawRows(rows, plan.columns, width),
  ].join('\n')
}

function drawRows(rows: readonly SourceRow[], columns: readonly string[], width: number): string[] {
  if (rows.length === 0) return ['There are no rows.']
  const present = columns.filter(name => rows.some(row => name in row))
  const shown = fitting(present, rows, width)
  const table = printedTable({ head: shown.map(short), style: { head: [], border: [], compact: true } })
  for (const row of rows) table.push(shown.map(name => short(cell(row[name]))))
  const left = present.slice(shown.length)
  const others = left.length === 0 ? '' : `, and ${plural(left.length, 'more column')}: ${left.join(', ')}`
  return [table.toString(), shownLine(`The first ${plural(rows.length, 'row')}${others}`)]
}

/** Makes names from files and data safe to print. */
function shownLine(line: string): string {
  return visible(cut(line))
}

/** Returns as many columns as fit the width, but at least one. */
function fitting(columns: readonly string[], rows: readonly SourceRow[], width: number): string[] {
  let used = 1
  const fits = columns.findIndex((name, index) => {
    used += Math.max(short(name).length, ...rows.map(row => short(cell(row[name])).length)) + 3
    return used > width && index > 0
  })
  return fits < 0 ? [...columns] : columns.slice(0, fits)
}

function cell(value: unknown): string {
  if (value === null || value === undefined) return value === null ? 'NULL' : 'DEFAULT'
  if (value instanceof LongNumber || value instanceof RawJson) return value.text
  if (Buffer.isBuffer(value)) return hexText(value)
  return typeof value === 'object' ? toJsonText(value) : String(value)
}

/** Returns a text in one line, without control characters. */
function short(text: string): string {
  const line = text.replace(/\p{Cc}+/gu, ' ')
  return shortened(line, CELL_WIDTH)
}
