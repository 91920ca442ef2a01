import { readFile } from 'node:fs/promises'
import { useFolder } from '../../../support/folder.ts'
import { useDatabase } from '../../../support/servers/database.ts'
import { run } from '../support.ts'

/** Gives each test of the surrounding `describe` an empty table `people`, what loads it and what reads it. */
export function usePeople() {
  const database = useDatabase()
  const file = useFolder()

  beforeEach(() =>
    database.pool.query(`
      DROP TABLE IF EXISTS all_people CASCADE;
      DROP TABLE IF EXISTS people;
      CREATE TABLE people (id int PRIMARY KEY, age int CHECK (age >= 0), doc jsonb)`),
  )

  const pgBatch = (...words: string[]) => run(words, { DATABASE_URL: database.connectionString })
  let names = 0
  /** Returns a path at which there is no file. */
  const fresh = () => file(`unused-${names++}`, '').then(path => `${path}.rejects.ndjson`)

  async function linesOf(path: string): Promise<Record<string, unknown>[]> {
    const text = await readFile(path, 'utf8')
    return text
      .trimEnd()
      .split('\n')
      .map(line => JSON.parse(line))
  }

  /** Ordered by their place in the input: two connections reject in the order of their commits. */
  async function inOrder(path: string): Promise<Record<string, unknown>[]> {
    return (await linesOf(path)).sort((a, b) => Number(a.source_offset) - Number(b.source_offset))
  }

  async function stored(): Promise<unknown[]> {
    const { rows } = await database.pool.query('SELECT id, age, doc FROM people ORDER BY id')
    return rows
  }

  return { database, file, pgBatch, fresh, linesOf, inOrder, stored }
}
