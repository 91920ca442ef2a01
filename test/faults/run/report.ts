import type { FaultKind } from '../cases/fault-kind.ts'
import type { Counts } from './count.ts'

/** What came of one case, or of all of a kind. */
export interface Line extends Omit<Counts, 'garbled'> {
  name: string
  cases: number
  fired: number
  hung: number
  unknown: number
  restarts: number
}

const NUMBERS = [
  'cases',
  'fired',
  'sent',
  'stored',
  'distinct',
  'rejected',
  'lost',
  'doubled',
  'hung',
  'unknown',
  'restarts',
] as const

/** One line for each kind of fault, and their sum. */
export function makeTable(results: readonly Omit<Line, 'cases'>[]): string {
  const lines = new Map<string, Line>()
  const total = emptyLine('all')
  for (const result of results) {
    const { name } = result
    let line = lines.get(name)
    if (!line) {
      line = emptyLine(name)
      lines.set(name, line)
    }
    for (const sum of [line, total]) {
      sum.cases++
      for (const key of NUMBERS) if (key !== 'cases') sum[key] += result[key]
    }
  }
  return layOut([...lines.values(), total])
}

/** Fewer of a kind's faults than this have fired: the kind has shown nothing. */
const LEAST_FIRED = 0.8

/**
 * Names the kinds of which too few faults have fired. One may miss, also where a kind has planned a few only.
 */
export function kindsThatMissed(
  results: readonly { readonly fired: number; readonly case: { readonly kind: FaultKind } }[],
): string[] {
  const kinds = new Map<FaultKind, { planned: number; fired: number }>()
  for (const { fired, case: fault } of results) {
    const sum = kinds.get(fault.kind) ?? { planned: 0, fired: 0 }
    kinds.set(fault.kind, { planned: sum.planned + fault.kind.faultsPerCase, fired: sum.fired + fired })
  }
  return [...kinds]
    .filter(([, { planned, fired }]) => fired < Math.min(LEAST_FIRED * planned, Math.max(1, planned - 1)))
    .map(([{ name }, { planned, fired }]) => `${name}, ${fired} of ${planned}`)
}

function emptyLine(name: string): Line {
  return { name, ...(Object.fromEntries(NUMBERS.map(key => [key, 0])) as Omit<Line, 'name'>) }
}

function layOut(lines: readonly Line[]): string {
  const cells = [
    ['fault', ...NUMBERS],
    ...lines.map(line => [line.name, ...NUMBERS.map(key => line[key].toLocaleString('en-US'))]),
  ]
  const widths = cells[0]!.map((_, column) => Math.max(...cells.map(row => row[column]!.length)))
  const rows = cells.map(row =>
    row
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]!)))
      .join('  '),
  )
  const rule = widths.map(width => '-'.repeat(width)).join('  ')
  return [rows[0], rule, ...rows.slice(1, -1), rule, rows.at(-1)].join('\n')
}
