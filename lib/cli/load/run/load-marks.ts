import type { Stats } from '../../../types.ts'
import { combineStats } from '../../../writable/combine-stats.ts'

/** The counts of a load when its first `rows` rows were settled. */
export interface LoadMark {
  readonly rows: number
  readonly stats: Readonly<Stats>
}

/** The counts of a load at each of its commits. They are needed if the server loses the last commits. */
export class LoadMarks {
  readonly #marks: LoadMark[]

  constructor(first: LoadMark) {
    this.#marks = [first]
  }

  add(mark: LoadMark): void {
    this.#marks.push(mark)
  }

  /** Returns the counts of the first `rows` rows. Rows between two commits count as skipped. */
  at(rows: number): LoadMark {
    const mark = this.#marks.findLast(mark => mark.rows <= rows) ?? { ...this.#marks[0]!, rows }
    const between = rows - mark.rows
    const { stats } = mark
    return {
      rows,
      stats: {
        ...stats,
        rowsReceived: stats.rowsReceived - stats.rowsPending + between,
        rowsSkipped: stats.rowsSkipped + between,
        rowsPending: 0,
      },
    }
  }
}

/** Returns the sum of all counts, with the state of the later run. */
export function addStats(earlier: Readonly<Stats>, later: Readonly<Stats>): Stats {
  const { state, oldestPendingMs } = later
  return { ...combineStats([earlier, later]), state, oldestPendingMs }
}
