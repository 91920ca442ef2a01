import { readFile } from 'node:fs/promises'
import { useFolder } from '../../../support/folder.ts'
import { useDatabase } from '../../../support/servers/database.ts'
import { run } from '../support.ts'

/**
 * Gives each test of the surrounding `describe` an empty table `t`, and what loads a file with malformed
 * records into it.
 */
export function useMalformed() {
  const database = useDatabase()
  const file = useFolder()
  const pgBatch = (...words: string[]) => run(words, { DATABASE_URL: database.connectionString })
  let names = 0

  beforeEach(() =>
    database.pool.query(
      'DROP VIEW IF EXISTS shown; DROP TABLE IF EXISTS t, pg_batch_resume, pg_batch_rejects; CREATE TABLE t (id int, name text)',
    ),
  )

  /** Loads with --rejects; returns the rejected rows in the order of the file. */
  async function load(name: string, content: string | Buffer, ...words: string[]) {
    const path = await file(`${names++}-${name}`, content as string)
    const rejects = `${path}.rejects.ndjson`
    const ended = await pgBatch('load', path, '-t', 't', '--rejects', rejects, ...words)
    const text = await readFile(rejects, 'utf8').catch(() => '')
    const lines = text
      .split('\n')
      .filter(line => line !== '')
      .map(line => JSON.parse(line))
    const inOrder = lines.sort((a, b) => Number(a.source_offset) - Number(b.source_offset))
    const rejected = inOrder.map(({ source_offset, message, row }) => [Number(source_offset), message, row])
    return { ended, rejected, path, rejects }
  }

  const rows = async (table = 't') =>
    (await database.pool.query(`SELECT id, name FROM ${table} ORDER BY id`)).rows

  return { database, file, pgBatch, load, rows }
}
