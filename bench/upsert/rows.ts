import { seededRandom } from '../../test/support/random.ts'
import { type BenchRow, benchRows } from '../support/rows.ts'

const SEED = 50

/** What stored rows are called until they are updated. */
export const STORED_NAME = 'stored before'

export interface UpsertRows {
  readonly stored: readonly BenchRow[]
  readonly written: readonly BenchRow[]
}

/** Rows to write, in no order of their keys, and the half of them that is there already with other values. */
export function upsertRows(count: number): UpsertRows {
  const rows = benchRows(count)
  const stored = rows
    .filter(({ id }) => id % 2 === 0)
    .map(row => ({ ...row, name: STORED_NAME, quantity: 0 }))
  return { stored, written: shuffled(rows) }
}

/** Fisher and Yates, the same each time. */
function shuffled<T>(items: readonly T[]): T[] {
  const random = seededRandom(SEED)
  const result = [...items]
  for (let last = result.length - 1; last > 0; last--) {
    const other = random.integer(0, last)
    ;[result[last], result[other]] = [result[other]!, result[last]!]
  }
  return result
}
