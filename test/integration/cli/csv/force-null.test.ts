import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { expect } from 'chai'
import { from as copyFrom } from 'pg-copy-streams'
import { useDatabase } from '../../../support/servers/database.ts'
import { run } from '../support.ts'

const TABLE = 'id int, n int, day date, x text, j jsonb, p point'
const NULLS = ['n', 'day', 'x', 'j', 'p']

describe('pg-batch load --force-null', () => {
  const database = useDatabase()
  const env = () => ({ DATABASE_URL: database.connectionString })

  beforeEach(() => database.pool.query(`DROP TABLE IF EXISTS t, made; CREATE TABLE t (${TABLE})`))

  async function stored(): Promise<unknown[]> {
    return (await database.pool.query('SELECT id, n, day::text, x, j, p::text FROM t ORDER BY id')).rows
  }

  const text = (nothing: string) =>
    `id,n,day,x,j,p\n1,"${nothing}","${nothing}","${nothing}","${nothing}","${nothing}"\n2,,,,,\n` +
    `3,"7","2026-01-05"," ","{""a"":""""}","(1,2)"\n`

  for (const nothing of ['', 'NA', '\\N']) {
    for (const way of [[], ['--on-conflict', 'id']]) {
      it(`stores what COPY with FORCE_NULL stores of "${nothing}", ${way.join(' ') || 'by COPY'}`, async () => {
        await database.pool.query('ALTER TABLE t ADD UNIQUE (id)')
        const written = text(nothing)
        const input = nothing === '' ? written : written.replace('2,,,,,', `2${`,"${nothing}"`.repeat(5)}`)
        const client = await database.pool.connect()
        try {
          const options = `FORMAT csv, HEADER, NULL '${nothing}', FORCE_NULL (${NULLS.join(', ')})`
          await pipeline(Readable.from([input]), client.query(copyFrom(`COPY t FROM STDIN (${options})`)))
        } finally {
          client.release()
        }
        const expected = await stored()
        await database.pool.query('TRUNCATE t')
        const words = ['load', '-', '-t', 't', '--force-null', '--null', nothing, ...way]
        const { status, stderr } = await run(words, env(), input)
        expect(status, stderr).to.equal(0)
        expect(await stored()).to.deep.equal(expected)
        expect(expected[0]).to.deep.equal({ id: 1, n: null, day: null, x: null, j: null, p: null })
      })
    }
  }

  it('ignores these texts when it infers types', async () => {
    const { status, stderr } = await run(
      ['load', '-', '-t', 'made', '--create', '--force-null'],
      env(),
      'a,b\n"",""\n"1","x"\n',
    )
    expect(status, stderr).to.equal(0)
    const { rows } = await database.pool.query('SELECT * FROM made ORDER BY a')
    expect(rows).to.deep.equal([
      { a: 1, b: 'x' },
      { a: null, b: null },
    ])
  })

  it('is suggested if an empty field in quotes is not a value of its column', async () => {
    const { stderr } = await run(['load', '-', '-t', 't'], env(), 'id,n\n1,""\n')
    expect(stderr).to.equal(
      'pg-batch: standard input: row 1 (line 2): not a valid integer for "n" (22P02); ' +
        'it is empty and in quotes: --force-null makes it NULL; nothing committed\n',
    )
    const other = await run(['load', '-', '-t', 't'], env(), 'id,n\n1,"x"\n')
    expect(other.stderr).not.to.contain('--force-null')
  })
})
