import { setTimeout as sleep } from 'node:timers/promises'
import { PgBatchError } from '../../../lib/index.ts'
import type { LoadShape } from '../cases/cases.ts'
import type { Database } from '../servers/server.ts'
import type { Tables } from './tables.ts'

const COUNT = 200

/**
 * Rows that a table holds before a replacement, numbered down from -1. They are there as long as the load
 * fails, and gone once it has succeeded: `countRows` takes one that is left for a row that does not belong.
 */
export class OldRows {
  readonly #database: Database
  readonly #table: string
  readonly #count: number

  static async store(
    database: Database,
    { target }: Tables,
    whole: NonNullable<LoadShape['whole']>,
  ): Promise<OldRows> {
    const count = whole === 'replace' ? COUNT : 0
    await database.query(
      `INSERT INTO ${target} SELECT -n, 1, 1, 'old' FROM generate_series(1, ${count}) AS numbers(n)`,
    )
    return new OldRows(database, target, count)
  }

  private constructor(database: Database, table: string, count: number) {
    this.#database = database
    this.#table = table
    this.#count = count
  }

  /** Returns what is wrong where a load that has written nothing, as it says, has changed the table. */
  async complaintAfter(error: Error): Promise<string | undefined> {
    if (!(error instanceof PgBatchError) || !['rolled-back', 'not-sent'].includes(error.outcome)) {
      return undefined
    }
    const { old, others } = await this.#look()
    if (old === this.#count && others === 0) return undefined
    return `the table has ${old} old rows of ${this.#count} and ${others} others after a load with the outcome ${error.outcome}`
  }

  /** Asks until the server is back. */
  async #look(): Promise<{ old: number; others: number }> {
    const text = `SELECT count(*) FILTER (WHERE n < 0)::int AS old,
      count(*) FILTER (WHERE n >= 0)::int AS others FROM ${this.#table}`
    for (;;) {
      const rows = await this.#database.query(text).catch(() => [])
      if (rows[0]) return rows[0] as { old: number; others: number }
      await sleep(20)
    }
  }
}
