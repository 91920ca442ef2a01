import { expect } from 'chai'
import pg from 'pg'
import { aroundThePooler } from '../../../support/servers/around-pooler.ts'
import { useDatabase } from '../../../support/servers/database.ts'
import { failureOf, valuesOf, write } from '../../../support/writing.ts'

describe('the settings of a session', () => {
  const db = useDatabase()
  let pool: pg.Pool

  beforeEach(() => db.pool.query('DROP TABLE IF EXISTS t; CREATE TABLE t (id int, name text)'))
  afterEach(() => pool.end())

  function makePool(setting: string): void {
    pool = new pg.Pool({ connectionString: aroundThePooler(db, 'a setting of the session') })
    pool.on('connect', client => void client.query(`SET ${setting}`))
  }

  it('are refused where texts would be stored as other characters', async () => {
    makePool("client_encoding = 'LATIN1'")
    const failed = await failureOf(write([[{ id: 1, name: 'ä' }]], { pool, table: 't' }))
    expect(failed).to.include({ code: 'REFUSED', outcome: 'not-sent' })
    expect(failed.message).to.contain('a `client_encoding` other than UTF8')
  })

  it('are refused where a NULL in an array would be stored as a text', async () => {
    makePool('array_nulls = off')
    await write([[{ id: 1, name: 'ä' }]], { pool, table: 't' })
    await db.pool.query('ALTER TABLE t ADD tags text[]')
    await write([[{ id: 2, name: 'ö' }]], { pool, table: 't', columns: ['id', 'name'] })
    const failed = await failureOf(write([[{ id: 3, tags: ['a', null] }]], { pool, table: 't' }))
    expect(failed).to.include({ code: 'REFUSED', outcome: 'not-sent' })
    expect(failed.message).to.contain('`array_nulls` off')
    expect(await valuesOf(db.pool, 'SELECT * FROM t')).to.deep.equal([
      [1, 'ä', null],
      [2, 'ö', null],
    ])
  })

  for (const setting of [
    'standard_conforming_strings = off',
    'quote_all_identifiers = on',
    "bytea_output = 'escape'",
    "datestyle = 'German'",
    "client_encoding = 'SQL_ASCII'",
    "search_path = ''",
    'transform_null_equals = on',
    'extra_float_digits = -15',
  ]) {
    it(`do not change what is stored: ${setting}`, async () => {
      makePool(setting)
      const name = "a\\'ä"
      await db.pool.query(
        `ALTER TABLE t ADD PRIMARY KEY (id), ADD "odd \\ '" bytea, ADD at date, ADD f float8`,
      )
      const row = { id: 1, name, "odd \\ '": Buffer.from([0, 92]), at: '2024-02-01', f: 0.1 }
      for (const way of [{}, { copyFormat: 'text' }, { method: 'insert' }, { onConflict: {} }] as const) {
        const onConflict = { target: ['id'], action: 'update' } as const
        const options = 'onConflict' in way ? { onConflict } : way
        await db.pool.query('TRUNCATE t')
        await write([[row, { ...row, id: 2 }]], { pool, table: 'public.t', ...options })
        expect(await valuesOf(db.pool, 'SELECT *, at::text FROM t WHERE id = 2')).to.deep.equal([
          [2, name, Buffer.from([0, 92]), new Date(2024, 1, 1), 0.1, '2024-02-01'],
        ])
      }
    })
  }
})
