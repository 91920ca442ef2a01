import { expect } from 'chai'
import { INTROSPECTION_SQL, introspectionValues } from '../../../lib/table/introspect.ts'
import { readTable } from '../../../lib/table/read-table.ts'
import { useDatabase } from '../../support/servers/database.ts'
import { usePools } from '../../support/servers/pools.ts'
import { failureOf, rowsOf, valuesOf, write } from '../../support/writing.ts'

const UPSERT = { target: ['id'], action: 'update' } as const

/** A column, and what INSERT gives a row that has no value for it. */
const COLUMNS: readonly [title: string, type: string][] = [
  ['a domain whose DEFAULT was dropped, over one that has one', 'dropped_default'],
  ['a domain that was made before its base had a DEFAULT', 'earlier'],
  ['a domain with a DEFAULT', 'defaulted'],
  ["a domain's DEFAULT under the column's", 'defaulted DEFAULT 9'],
]

describe('a missing value', () => {
  const db = useDatabase()
  const makePool = usePools(db)

  before(() =>
    db.pool.query(`CREATE DOMAIN defaulted AS int DEFAULT 7;
      CREATE DOMAIN dropped_default AS defaulted; ALTER DOMAIN dropped_default DROP DEFAULT;
      CREATE DOMAIN base AS int; CREATE DOMAIN earlier AS base; ALTER DOMAIN base SET DEFAULT 7`),
  )

  for (const [title, type] of COLUMNS) {
    for (const way of ['copy', 'insert', 'upsert by copy', 'upsert by insert'] as const) {
      it(`gets what INSERT gives it: ${title}, ${way}`, async () => {
        await db.pool.query(`DROP TABLE IF EXISTS d; CREATE TABLE d (id int PRIMARY KEY, v ${type}, w int);
          INSERT INTO d (id) VALUES (0)`)
        const rows: object[] = rowsOf(4, index => (index % 2 ? { id: index + 1 } : { id: index + 1, w: 1 }))
        await write([[...rows, { id: 9, v: 1 }]], {
          pool: makePool().pool,
          table: 'd',
          method: way.endsWith('copy') ? 'copy' : 'insert',
          ...(way.startsWith('upsert') ? { onConflict: UPSERT } : {}),
        })
        const [[expected]] = (await valuesOf(db.pool, 'SELECT v FROM d WHERE id = 0')) as [[unknown]]
        expect(await valuesOf(db.pool, 'SELECT v FROM d WHERE id BETWEEN 1 AND 8')).to.deep.equal(
          rowsOf(4, () => [expected]),
        )
      })
    }
  }

  it('is looked for only in columns that have a DEFAULT', async () => {
    await db.pool.query(`DROP TABLE IF EXISTS d;
      CREATE TABLE d (a int, b text DEFAULT 'x', c defaulted, e earlier, f serial,
      g int GENERATED ALWAYS AS (a + 1) STORED)`)
    const { rows } = await db.pool.query(INTROSPECTION_SQL, introspectionValues({ name: 'd' }))
    const withDefault = readTable(rows[0]).columns.filter(column => column.hasDefault)
    expect(withDefault.map(({ name, defaultSql }) => [name, defaultSql])).to.deep.equal([
      ['b', "'x'::text"],
      ['c', '7'],
      ['f', "nextval('d_f_seq'::regclass)"],
    ])
  })

  it('is known to come of a volatile function, which an operator or a domain may hide', async () => {
    await db.pool.query(`CREATE FUNCTION counted(int, int) RETURNS int VOLATILE LANGUAGE sql AS 'SELECT 1';
      CREATE FUNCTION added(int, int) RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT $1 + $2';
      CREATE OPERATOR +! (LEFTARG = int, RIGHTARG = int, FUNCTION = counted);
      CREATE OPERATOR +? (LEFTARG = int, RIGHTARG = int, FUNCTION = added);
      CREATE DOMAIN counts AS int DEFAULT 1 +! 2; CREATE DOMAIN counts_too AS counts;
      DROP TABLE IF EXISTS d; CREATE TABLE d (a int DEFAULT 1 +! 2, b int DEFAULT 1 +? 2, c counts_too,
      d counts DEFAULT 3, e int DEFAULT counted(1, 2), f int DEFAULT 1 + 2, g int)`)
    const { rows } = await db.pool.query(INTROSPECTION_SQL, introspectionValues({ name: 'd' }))
    const volatile = readTable(rows[0]).columns.filter(column => column.hasVolatileDefault)
    // d: the domain's own DEFAULT would be called for no row, and this is not looked into
    expect(volatile.map(({ name }) => name)).to.deep.equal(['a', 'c', 'd', 'e'])
  })

  for (const type of ['varchar(3)', 'char(3)', 'bit(3)']) {
    it(`is refused, and not shortened, where its DEFAULT is too long: ${type}`, async () => {
      const longer = type === 'bit(3)' ? "B'1111'" : "'1111'"
      await db.pool.query(`DROP TABLE IF EXISTS d; CREATE TABLE d (id int PRIMARY KEY, v ${type});
        CREATE OR REPLACE FUNCTION longer() RETURNS ${type.replace('(3)', type === 'bit(3)' ? ' varying' : '')}
          LANGUAGE sql AS $$ SELECT ${longer} $$;
        ALTER TABLE d ALTER v SET DEFAULT longer()`)
      const rows: object[] = [{ id: 1 }, { id: 2, v: '111' }]
      for (const method of ['copy', 'insert'] as const) {
        const error = await failureOf(
          write([rows], { pool: makePool().pool, table: 'd', method, onConflict: UPSERT }),
        )
        expect(error.sqlState, method).to.match(/^220(01|26)$/)
      }
      await db.pool.query('DROP TABLE d; DROP FUNCTION longer')
    })
  }

  it("gets the parent's identity in a partition, where INSERT does the same", async () => {
    await db.pool.query(`DROP TABLE IF EXISTS d;
      CREATE TABLE d (id int GENERATED BY DEFAULT AS IDENTITY, v int, PRIMARY KEY (id))
      PARTITION BY RANGE (id); CREATE TABLE part PARTITION OF d FOR VALUES FROM (0) TO (1000)`)
    const inserted = await db.pool.query('INSERT INTO part (v) VALUES (0)').then(
      () => true,
      () => false, // until PostgreSQL 17
    )
    const rows: object[] = [{ v: 1 }, { id: 500, v: 2 }]
    const written = write([rows], { pool: makePool().pool, table: 'part', onConflict: UPSERT })
    if (!inserted) expect(await failureOf(written)).to.include({ sqlState: '23502' })
    else {
      await written
      expect(await valuesOf(db.pool, 'SELECT * FROM d ORDER BY v')).to.deep.equal([
        [1, 0],
        [2, 1],
        [500, 2],
      ])
    }
  })

  for (const method of ['copy', 'insert'] as const) {
    it(`is in \`excluded\` the DEFAULT that INSERT into a view takes, of an update-only, too: ${method}`, async () => {
      await db.pool.query(`DROP TABLE IF EXISTS d CASCADE;
        CREATE TABLE d (id int PRIMARY KEY, "v w" int DEFAULT 7, n defaulted DEFAULT 8, m int DEFAULT 9);
        CREATE VIEW inner_d AS SELECT m AS mm, n, "v w", id, (SELECT d.m FROM d LIMIT 1) AS other FROM d;
        ALTER VIEW inner_d ALTER mm SET DEFAULT 10; ALTER VIEW inner_d RENAME "v w" TO v;
        CREATE VIEW outer_d AS SELECT id, v, n, mm FROM inner_d; INSERT INTO d VALUES (1, 0, 0, 0)`)
      const update = Object.fromEntries(['v', 'n', 'mm'].map(name => [name, `excluded.${name}`]))
      const onConflict = { target: ['id'], action: 'update', mode: 'update-only', update } as const
      await write([[{ id: 1 }]], { pool: makePool().pool, table: 'outer_d', method, onConflict })
      expect(await valuesOf(db.pool, 'SELECT v, n, mm FROM outer_d')).to.deep.equal([[7, 8, 10]])
    })
  }

  it('goes by INSERT where COPY would read it differently: an interval with restricted fields', async () => {
    await db.pool.query(
      'DROP TABLE IF EXISTS d CASCADE; CREATE TABLE d (id int PRIMARY KEY, v interval minute to second)',
    )
    const values = ['04:05', '1 2:03', '00:00:07', '5']
    for (const [id, value] of values.entries())
      await db.pool.query('INSERT INTO d VALUES ($1, $2)', [id, value])
    await write<object>([values.map((v, id) => ({ id: id + 10, v }))], { pool: makePool().pool, table: 'd' })
    const stored = (from: number) =>
      valuesOf(db.pool, `SELECT v::text FROM d WHERE id / 10 = ${from} ORDER BY id`)
    expect(await stored(1)).to.deep.equal(await stored(0))
  })
})
