import { expect } from 'chai'
import { useFolder } from '../../../support/folder.ts'
import { useDatabase } from '../../../support/servers/database.ts'
import { run } from '../support.ts'

/** Loads files of prices and notes into the table `t`, by workers and by one thread. */
export function usePriced() {
  const database = useDatabase()
  const file = useFolder()
  const env = () => ({ DATABASE_URL: database.connectionString })

  beforeEach(() =>
    database.pool.query(`
      DROP TABLE IF EXISTS t, made; -- no key: a row that is written twice stays twice
      CREATE TABLE t (id int, price numeric, note text)`),
  )

  const load = (...words: string[]) => run(['load', '-t', 't', '--batch-size', '100', ...words], env())

  const note = (id: number) =>
    ['plain', '', '"a, b"', '"two\nlines"', '"say ""hi"""', 'žluťoučký'][id % 6] as string
  const line = (id: number) => `${id},${id % 7 === 0 ? '' : `${id}.5`},${note(id)}\n`
  const csv = (rows: number, first = 1) =>
    `id,price,note\n${Array.from({ length: rows }, (_, i) => line(first + i)).join('')}`

  /** What the table holds, whatever the order. */
  async function stored() {
    const { rows } = await database.pool.query(
      `SELECT count(*)::int AS rows, count(DISTINCT id)::int AS distinct,
        md5(string_agg(t::text, '|' ORDER BY id)) AS sum FROM t`,
    )
    return rows[0]
  }

  async function storedByOne(...words: string[]) {
    const { status, stderr } = await load('--workers', '1', ...words)
    expect(status, stderr).to.equal(0)
    const found = await stored()
    await database.pool.query('TRUNCATE t')
    return found
  }

  return { database, file, env, load, csv, stored, storedByOne }
}
