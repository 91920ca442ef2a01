import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { expect } from 'chai'
import { from as copyFrom } from 'pg-copy-streams'
import { useDatabase } from '../../../support/servers/database.ts'
import { run } from '../support.ts'

describe('pg-batch load, of CSV with one column,', () => {
  const database = useDatabase()

  async function stored(): Promise<(string | null)[]> {
    const { rows } = await database.pool.query('SELECT x FROM t ORDER BY ctid')
    return rows.map(({ x }) => x)
  }

  const emptied = () => database.pool.query('DROP TABLE IF EXISTS t; CREATE TABLE t (x text)')

  async function byCopy(text: string, options: string): Promise<(string | null)[]> {
    await emptied()
    const client = await database.pool.connect()
    try {
      await pipeline(
        Readable.from([text]),
        client.query(copyFrom(`COPY t FROM STDIN (FORMAT csv${options})`)),
      )
    } finally {
      client.release()
    }
    return stored()
  }

  const texts = [
    '\n\nb\n\n""\n\n',
    '\n\n',
    '\r\n\r\na\r\n\r\n',
    '""\n\n',
    ' \n\n\t\n',
    '\n"\n"\n\n',
    '\nNA\n\n"NA"',
  ]
  for (const text of texts) {
    it(`stores what COPY stores of ${JSON.stringify(text)}, with a header and without`, async () => {
      for (const nulls of ['', 'NA']) {
        for (const header of [true, false]) {
          const input = header ? `x\n${text}`.replace(/\n/, text.includes('\r') ? '\r\n' : '\n') : text
          const expected = await byCopy(input, `, NULL '${nulls}'${header ? ', HEADER' : ''}`)
          await emptied()
          const words = ['--null', nulls, '--concurrency', '1', ...(header ? [] : ['--no-header'])]
          const env = { DATABASE_URL: database.connectionString }
          const { status, stderr } = await run(['load', '-', '-t', 't', ...words], env, input)
          expect(status, stderr).to.equal(0)
          expect(await stored()).to.deep.equal(expected)
        }
      }
    })
  }
})
