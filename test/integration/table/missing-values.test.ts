import { expect } from 'chai'
import { useDatabase } from '../../support/database.ts'
import { usePools } from '../../support/pools.ts'
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

  for (const type of ['varchar(3)', 'char(3)', 'bit(3)']) {
    it(`is refused where its DEFAULT is too long, and not shortened: ${type}`, async () => {
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

  it('goes by INSERT where COPY would read a value otherwise: an interval of certain fields', async () => {
    await db.pool.query(
      'DROP TABLE IF EXISTS d; CREATE TABLE d (id int PRIMARY KEY, v interval minute to second)',
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
