import { seededRandom } from '../../test/support/random.ts'
import { type BenchRow, benchRows } from '../support/rows.ts'

const SEED = 50

/** The text of stored rows before they are updated. */
export const STORED_NAME = 'stored before'

export interface UpsertRows {
  readonly stored: readonly BenchRow[]
  readonly written: readonly BenchRow[]
}

/** Rows to write, in random order of their keys; half of the keys are stored with other values. */
export function upsertRows(count: number): UpsertRows {
  const rows = benchRows(count)
  const stored = rows
    .filter(({ id }) => id % 2 === 0)
    .map(row => ({ ...row, name: STORED_NAME, quantity: 0, created_at: new Date(0) }))
  return { stored, written: shuffled(rows) }
}

/** A seeded Fisher–Yates shuffle. */
function shuffled<T>(items: readonly T[]): T[] {
  const random = seededRandom(SEED)
  const result = [...items]
  for (let last = result.length - 1; last > 0; last--) {
    const other = random.integer(0, last)
    ;[result[last], result[other]] = [result[other]!, result[last]!]
  }
  return result
}
