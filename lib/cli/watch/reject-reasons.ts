import type { PgBatchError } from '../../errors.ts'
import { conditionName } from '../../write/faults/sqlstate-names.ts'

/** One kind of fault among the rejected rows. */
export interface RejectReason {
  /** The SQLSTATE, or the library's own code where the row was never sent. */
  readonly code: string
  /** PostgreSQL's name of the SQLSTATE. */
  readonly name: string
  readonly count: number
  /** The first row of them, by its number in its file, from 1. */
  readonly exampleRow: number | undefined
  /** The file; undefined when there is only one. */
  readonly exampleFile?: string | undefined
}

/** Counts rejected rows by what was wrong with them. */
export class RejectReasons {
  readonly #reasons = new Map<string, Pick<RejectReason, 'exampleRow' | 'exampleFile'> & { count: number }>()

  add(error: PgBatchError, row: number | undefined, file?: string): void {
    const code = codeOf(error)
    const known = this.#reasons.get(code)
    if (known) known.count++
    else this.#reasons.set(code, { count: 1, exampleRow: row, exampleFile: file })
  }

  /** The most frequent first. */
  list(): RejectReason[] {
    return [...this.#reasons]
      .map(([code, reason]) => ({ code, name: conditionName(code) ?? 'not sent', ...reason }))
      .sort((a, b) => b.count - a.count)
  }
}

export function codeOf(error: PgBatchError): string {
  return error.sqlState ?? error.code
}
