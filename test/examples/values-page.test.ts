import { readFileSync } from 'node:fs'
import { expect } from 'chai'
import pg from 'pg'
import { PgBatchError } from '../../lib/errors.ts'
import { useDatabase } from '../support/servers/database.ts'
import { write } from '../support/writing.ts'

const page = readFileSync(new URL('../../docs/values.md', import.meta.url), 'utf8')

interface Example {
  readonly type: string
  /** A JavaScript expression. */
  readonly value: string
  /** The stored value's text, or the SQLSTATE of the error. */
  readonly stored: string
}

/** The rows of every table `| type | JavaScript value | stored |`. */
function readExamples(): Example[] {
  const [, ...tables] = page.split('| type | JavaScript value | stored |\n| --- | --- | --- |\n')
  return tables.flatMap(text => {
    const rows = text.split('\n\n', 1)[0]!.split('\n')
    return rows.map(row => {
      const [, type, value, stored = ''] = /^\| `(.+)` \| `(.+)` \| (?:\*empty\*|`(.+)`) \|$/.exec(row) ?? []
      if (value === undefined) throw new Error(`This row of docs/values.md cannot be read: ${row}`)
      return { type: type!, value, stored }
    })
  })
}

/** A data exception. */
const SQLSTATE = /^22[0-9A-Z]{3}$/

const WAYS = [
  { title: 'COPY', options: { method: 'copy' } },
  { title: 'text COPY', options: { method: 'copy', copyFormat: 'text' } },
  { title: 'INSERT', options: { method: 'insert' } },
] as const

describe('docs/values.md', () => {
  const db = useDatabase()
  const examples = readExamples()
  const zone = process.env.TZ
  let pool: pg.Pool

  before(() => {
    process.env.TZ = 'Europe/Berlin'
    pool = new pg.Pool({ connectionString: db.connectionString, options: '-c TimeZone=UTC', max: 1 })
  })
  after(async () => {
    await pool.end()
    if (zone === undefined) delete process.env.TZ
    else process.env.TZ = zone
  })

  it('has examples of many types', () => {
    expect(new Set(examples.map(({ type }) => type)).size).to.be.at.least(25)
    expect(examples.length).to.be.at.least(75)
  })

  for (const { type, value, stored } of examples) {
    for (const { title, options } of WAYS) {
      it(`${value} in ${type} by ${title} is ${stored}`, async () => {
        await pool.query(`DROP TABLE IF EXISTS t; CREATE TABLE t (v ${type})`)
        const row = { v: new Function(`return (${value})`)() as unknown }
        const failure = await write([[row]], { pool, table: 't', ...options }).then(
          () => undefined,
          (error: unknown) => error,
        )
        if (SQLSTATE.test(stored)) {
          expect(failure).to.be.instanceOf(PgBatchError).and.include({ sqlState: stored })
          return
        }
        expect(failure).to.equal(undefined)
        const { rows } = await pool.query('SELECT v::text FROM t')
        expect(rows).to.deep.equal([{ v: stored }])
      })
    }
  }
})
