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

  it('refuses a line end of another kind than the first, as COPY does, unless it is --lenient', async () => {
    const text = 'x\nAda\nGra\rce\nEd\n'
    let refusal: unknown
    await byCopy(text, ', HEADER').catch(error => (refusal = error))
    expect(refusal).to.match(/unquoted carriage return found in data/)
    const env = { DATABASE_URL: database.connectionString }
    const refused = await run(['load', '-', '-t', 't'], env, text)
    expect(refused.status).to.equal(1)
    expect(refused.stderr).to.contain('line 3 has a line end of another kind than the first line')
    expect(await stored()).to.deep.equal([])
    const lenient = await run(['load', '-', '-t', 't', '--lenient'], env, text)
    expect(lenient.status, lenient.stderr).to.equal(0)
    expect(lenient.stderr).to.contain('1 record repaired: other line ends than the first')
    expect(await stored()).to.deep.equal(['Ada', 'Gra', 'ce', 'Ed'])
  })
})
