import { expect } from 'chai'
import { useDatabase } from '../../../support/servers/database.ts'
import { type Ended, run } from '../support.ts'

/** Gives each test of the surrounding `describe` an empty table `orders`, what loads it and what reads it. */
export function useOrders() {
  const database = useDatabase()

  beforeEach(() =>
    database.pool.query(`
      DROP TABLE IF EXISTS orders;
      CREATE TABLE orders (
        id bigint PRIMARY KEY, note text DEFAULT 'none', total numeric, paid boolean, ordered date, doc jsonb, tags int8[]
      )`),
  )

  const load = (words: readonly string[], input?: string | Buffer): Promise<Ended> =>
    run(['load', ...words], { DATABASE_URL: database.connectionString }, input)

  async function stored(columns: string): Promise<unknown[][]> {
    const { rows } = await database.pool.query({
      text: `SELECT ${columns} FROM orders ORDER BY id`,
      rowMode: 'array',
    })
    return rows as unknown[][]
  }

  return { database, load, stored }
}

/** Fails unless the command has printed one line, without a value. */
export function expectOneLine(stderr: string): void {
  expect(stderr).to.match(/^pg-batch: [^\n]+\n$/)
  expect(stderr).not.to.contain('secret')
}
