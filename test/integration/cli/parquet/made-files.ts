import { useFolder } from '../../../support/folder.ts'
import type { MadeColumn } from '../../../support/parquet.ts'
import { useDatabase } from '../../../support/servers/database.ts'
import { run } from '../support.ts'

/**
 * Gives each test of the surrounding `describe` an empty table `events` and no table `made`, and what loads
 * Parquet files that it makes.
 */
export function useParquet() {
  const database = useDatabase()
  const file = useFolder()

  beforeEach(() =>
    database.pool.query(`
      DROP TABLE IF EXISTS made, events, pg_batch_resume, pg_batch_checkpoint;
      CREATE TABLE events ("Event Id" int, note text)`),
  )

  const load = (...words: string[]) => run(['load', ...words], { DATABASE_URL: database.connectionString })
  const query = async (text: string) =>
    (await database.pool.query({ text, rowMode: 'array' })).rows as unknown[][]
  const counts = async (table: string, id = 'id') =>
    (await query(`SELECT count(*)::int, count(DISTINCT ${id})::int, sum(${id})::int FROM ${table}`))[0]
  const exactly = (n: number) => [n, n, (n * (n + 1)) / 2]

  const text = { type: 'BYTE_ARRAY', converted_type: 'UTF8' } as const
  const column = (name: string, element: MadeColumn['schema'][number], ...data: unknown[]): MadeColumn => ({
    name,
    schema: [element],
    data,
  })
  const listOf = (element: MadeColumn['schema'][number]): MadeColumn['schema'] => [
    { converted_type: 'LIST', num_children: 1 },
    { name: 'list', repetition_type: 'REPEATED', num_children: 1 },
    { name: 'element', ...element },
  ]

  return { database, file, load, query, counts, exactly, text, column, listOf }
}
