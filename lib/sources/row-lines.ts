/** The runs that are kept, at most twice as many: a few megabytes. Rows of older runs are written already. */
const MAX_RUNS = 100_000

/** Rows whose lines are equally far apart. */
interface Run {
  /** The number of the first row, and its line, from 1. */
  readonly row: number
  readonly line: number
  /** How many lines each row takes. */
  step: number
  rows: number
}

/** Remembers on which line each row of a file begins. Rows that take equally many lines take no memory. */
export class RowLines {
  readonly #runs: Run[] = []
  #last: Run | undefined
  #rows = 0

  /** Adds the line of the next row, or of several rows on lines that follow each other. */
  add(line: number, rows = 1): void {
    const last = this.#last
    if (last?.rows === 1) last.step = line - last.line
    const follows = last && line === last.line + last.rows * last.step && (rows === 1 || last.step === 1)
    if (follows) last.rows += rows
    else this.#begin({ row: this.#rows + 1, line, step: 1, rows })
    this.#rows += rows
  }

  /** Returns the line of a row. Rows count from 1. Undefined if it is not known, or no longer. */
  readonly lineOf = (row: number): number | undefined => {
    const run = this.#runs.findLast(each => each.row <= row)
    if (!run || row >= run.row + run.rows) return undefined
    return run.line + (row - run.row) * run.step
  }

  #begin(run: Run): void {
    this.#last = run
    this.#runs.push(run)
    if (this.#runs.length === 2 * MAX_RUNS) this.#runs.splice(0, MAX_RUNS)
  }
}
