import { useFolder } from '../../../support/folder.ts'
import { useDatabase } from '../../../support/servers/database.ts'
import { run } from '../support.ts'

/**
 * Gives the surrounding `describe` a database in which each test begins without a table `t`, and what loads
 * a CSV text into `t`.
 */
export function useTextLoads() {
  const database = useDatabase()
  const file = useFolder()
  let names = 0
  const pgBatch = (...words: string[]) => run(words, { DATABASE_URL: database.connectionString })
  const load = async (content: string, ...words: string[]) => {
    const path = await file(`${names++}.csv`, content)
    return { path, ...(await pgBatch('load', path, '-t', 't', ...words)) }
  }
  const stored = async () => {
    const { fields, rows } = await database.pool.query({ text: 'SELECT * FROM t', rowMode: 'array' })
    return [fields.map(({ name }) => name), ...rows]
  }

  beforeEach(() => database.pool.query('DROP TABLE IF EXISTS t'))

  return { database, load, stored }
}
