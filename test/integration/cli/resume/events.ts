import { useFolder } from '../../../support/folder.ts'
import { useDatabase } from '../../../support/servers/database.ts'
import { run } from '../support.ts'

/** Loads a file into the table `events`, and reads back what it holds. */
export function useEvents() {
  const database = useDatabase()
  const file = useFolder()

  beforeEach(() =>
    database.pool.query(`
      DROP TABLE IF EXISTS events, other, pg_batch_resume, pg_batch_checkpoint;
      CREATE TABLE events (id int, note text); -- no key: a row that is written twice stays twice
      CREATE TABLE other (id int, note text)`),
  )

  const env = () => ({ DATABASE_URL: database.connectionString })
  const load = (path: string, name: string, ...words: string[]) =>
    run(['load', path, '-t', 'events', '--resume', name, '--batch-size', '1000', ...words], env())

  const csv = (rows: number, more = '') =>
    `id,note\n${Array.from({ length: rows }, (_, i) => `${i + 1},"row ${i + 1}, of many${more}"`).join('\n')}\n`

  async function stored(): Promise<{ rows: number; distinct: number; sum: string }> {
    const { rows } = await database.pool.query(
      'SELECT count(*)::int AS rows, count(DISTINCT id)::int AS distinct, sum(id)::text AS sum FROM events',
    )
    return rows[0]
  }
  const exactly = (rows: number) => ({ rows, distinct: rows, sum: String((rows * (rows + 1)) / 2) })

  return { database, file, env, load, csv, stored, exactly }
}
