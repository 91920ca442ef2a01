import { expect } from 'chai'
import type pg from 'pg'
import { INTROSPECTION_SQL, introspectionValues } from '../../../lib/table/introspect.ts'
import { readTable } from '../../../lib/table/read-table.ts'
import { requireSameTypes, TABLE_CHANGED_SETTING } from '../../../lib/table/statements.ts'
import { useDatabase } from '../../support/servers/database.ts'
import { usePools } from '../../support/servers/pools.ts'
import { METHODS, options, valuesOf, write } from '../../support/writing.ts'

/** A value of each type, as the server shows it. */
const VALUES = {
  int4range: '[1,5)',
  tstzrange: '["2026-01-05 12:00:00+00",)',
  nummultirange: '{[1.5,2],[3,4)}',
  'bit(3)': '101',
  varbit: '10101',
  macaddr: '08:00:2b:01:02:03',
  macaddr8: '08:00:2b:ff:fe:01:02:03',
  oid: '4294967295',
  regclass: '4000000000',
  pg_lsn: '16/B374D848',
  '"char"': 'x',
  money: '-$12.50',
  xml: '<a>é</a>',
  pair: '(1,"a b")',
  'pair[]': '{"(1,a)","(2,)"}',
  'ext.hstore': '"a"=>"1", "b"=>NULL',
  'ext.ltree': 'Top.Science',
}

describe('types of which few tables have one', () => {
  const db = useDatabase()
  const makePool = usePools(db)
  const columns = Object.keys(VALUES).map((type, i) => ({ name: `c${i}`, type }))
  const row = Object.fromEntries(columns.map(({ name, type }) => [name, given(type)]))

  function given(type: string): unknown {
    const text = VALUES[type as keyof typeof VALUES]
    return type === 'money' ? -12.5 : type.endsWith('[]') ? ['(1,a)', '(2,)'] : text
  }

  before(async () => {
    await db.pool.query(`CREATE SCHEMA ext; CREATE EXTENSION hstore SCHEMA ext; CREATE EXTENSION ltree SCHEMA ext;
      CREATE TYPE pair AS (a int, b text)`)
  })

  beforeEach(async () => {
    const list = columns.map(({ name, type }) => `${name} ${type}`).join(', ')
    await db.pool.query(`DROP TABLE IF EXISTS t; CREATE TABLE t (${list})`)
  })

  for (const way of METHODS) {
    it(`are stored alike, by ${way.title}`, async () => {
      const { pool } = makePool({ options: '-c TimeZone=UTC -c lc_monetary=C' })
      await write([[row, row]], { pool, table: 't', ...options(way) })
      const texts = columns.map(({ name }) => `${name}::text`).join(', ')
      const expected = Object.values(VALUES)
      expect(await valuesOf(pool, `SELECT ${texts} FROM t`)).to.deep.equal([expected, expected])
    })
  }

  it('have amounts of money only as long as lc_monetary stays', async () => {
    const client: pg.PoolClient = await db.pool.connect()
    try {
      await client.query("SET lc_monetary = 'C'; CREATE TEMP TABLE paid (amounts money[])")
      const { rows } = await client.query(INTROSPECTION_SQL, introspectionValues({ name: 'paid' }))
      const statement = requireSameTypes({ name: 'paid' }, readTable(rows[0]).columns)
      await client.query(statement)
      await client.query("SET lc_monetary = 'POSIX'")
      const error = await client.query(statement).catch(error => error)
      expect(error.message).to.include(TABLE_CHANGED_SETTING)
    } finally {
      client.release()
    }
  })
})
