import type { PgBatchError } from '../../errors.ts'
import { conditionName } from '../../write/faults/sqlstate-names.ts'

/** One kind of fault among the rejected rows. */
export interface RejectReason {
  /** The SQLSTATE, or the library's own code if the row was never sent. */
  readonly code: string
  /** PostgreSQL's name of the SQLSTATE. */
  readonly name: string
  readonly count: number
  /** The number in its file, from 1, of the first such row. */
  readonly exampleRow: number | undefined
  /** The file of that row. Undefined if there is only one file. */
  readonly exampleFile?: string | undefined
}

/** Counts rejected rows by their fault. */
export class RejectReasons {
  readonly #reasons = new Map<string, Pick<RejectReason, 'exampleRow' | 'exampleFile'> & { count: number }>()

  add(error: PgBatchError, row: number | undefined, file?: string): void {
    const code = codeOf(error)
    const known = this.#reasons.get(code)
    if (known) known.count++
    else this.#reasons.set(code, { count: 1, exampleRow: row, exampleFile: file })
  }

  /** Returns the reasons, the most frequent one first. */
  list(): RejectReason[] {
    return [...this.#reasons]
      .map(([code, reason]) => ({ code, name: conditionName(code) ?? 'not sent', ...reason }))
      .sort((a, b) => b.count - a.count)
  }
}

export function codeOf(error: PgBatchError): string {
  return error.sqlState ?? error.code
}
