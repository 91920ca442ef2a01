import { expect } from 'chai'
import type { OnConflict } from '../../../../lib/writable/options/on-conflict.ts'
import { useDatabase } from '../../../support/servers/database.ts'
import { usePools } from '../../../support/servers/pools.ts'
import { failureOf, METHODS, options, valuesOf, write } from '../../../support/writing.ts'

interface Row {
  readonly id: number
  readonly hits: number
}

describe('mistakes in the SQL of onConflict', () => {
  const db = useDatabase()
  const makePool = usePools(db)

  before(() => db.pool.query('CREATE TABLE t (id int PRIMARY KEY, hits int)'))

  const upsert = (conflict: Omit<OnConflict<Row>, 'target' | 'action'>, way: object = {}) =>
    write<Row>([[{ id: 1, hits: 1 }]], {
      pool: makePool().pool,
      table: 't',
      onConflict: { target: ['id'], action: 'update', ...conflict },
      ...way,
    })

  const mistakes = [
    [{ update: { hits: 'stored.hits + 1 +' } }, 'onConflict.update.hits', '42601'],
    [{ update: { hits: 'stored.hit + excluded.hits' } }, 'onConflict.update.hits', '42703'],
    [{ update: { hits: 'hits + 1' } }, 'onConflict.update.hits', '42702'],
    [{ update: { hits: 'add(stored.hits, 1)' } }, 'onConflict.update.hits', '42883'],
    [{ where: 'old.hits < 3' }, 'onConflict.where', '42P01'],
    [{ where: 'stored.hits', mode: 'update-only' }, 'onConflict.where', '42804'],
  ] as const
  for (const [conflict, option, sqlState] of mistakes) {
    it(`are named with the option and the SQL: ${JSON.stringify(conflict)}`, async () => {
      for (const way of METHODS) {
        const error = await failureOf(upsert(conflict, options(way)))
        expect(error).to.include({ code: 'REFUSED', outcome: 'not-sent', sqlState, retryable: false })
        const sql = 'where' in conflict ? conflict.where : conflict.update.hits
        expect(error.message)
          .to.match(new RegExp(`^\`${option}\` is not valid SQL, ".*": .+ \\(SQLSTATE ${sqlState}\\)`))
          .and.contain(JSON.stringify(sql))
          .and.contain('name columns as `stored.a`')
      }
    })
  }

  it('are not seen in SQL that ends with a comment', async () => {
    await upsert({
      update: { hits: 'coalesce(stored.hits, 0) + excluded.hits -- counts' },
      where: 'true -- always',
    })
    expect(await valuesOf(db.pool, 'SELECT hits FROM t')).to.deep.equal([[1]])
  })
})

describe('SQL of onConflict that calls a function which reads the table', () => {
  const db = useDatabase()
  const makePool = usePools(db)

  before(() =>
    db.pool.query(`CREATE TABLE t (id int PRIMARY KEY, hits int);
      CREATE FUNCTION "Next"() RETURNS int STABLE LANGUAGE sql AS 'SELECT max(hits) + 1 FROM t';
      CREATE FUNCTION next() RETURNS int LANGUAGE plpgsql AS 'BEGIN RETURN "Next"(); END';
      CREATE FUNCTION following(t) RETURNS int LANGUAGE sql AS 'SELECT "Next"()';
      CREATE FUNCTION after(int, int) RETURNS int LANGUAGE sql AS 'SELECT "Next"()';
      CREATE OPERATOR @@@ (FUNCTION = after, LEFTARG = int, RIGHTARG = int)`),
  )

  for (const call of [
    '"Next"()',
    'Next()',
    'public.next ()',
    'next/**/()',
    'stored.following',
    'stored.hits @@@ 1',
  ]) {
    for (const way of METHODS) {
      it(`sees what the rows before have left, by ${call} and ${way.title}`, async () => {
        await db.pool.query('TRUNCATE t; INSERT INTO t SELECT g, 0 FROM generate_series(1, 9) g')
        const ids = Array.from({ length: 600 }, (_, index) => (((index * 7) % 11) % 9) + 1)
        await write<Row>([ids.map(id => ({ id, hits: 1 }))], {
          pool: makePool().pool,
          table: 't',
          onConflict: { target: ['id'], action: 'update', update: { hits: call } },
          ...options(way),
        })
        const expected = Array.from({ length: 9 }, (_, index) => [ids.lastIndexOf(index + 1) + 1])
        expect(await valuesOf(db.pool, 'SELECT hits FROM t ORDER BY id')).to.deep.equal(expected)
      })
    }
  }
})
