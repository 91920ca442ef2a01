import { expect } from 'chai'
import { INTROSPECTION_SQL, introspectionValues } from '../../../lib/table/introspect.ts'
import { useDatabase } from '../../support/servers/database.ts'
import { usePools } from '../../support/servers/pools.ts'
import { countOf, failureOf, METHODS, options, valuesOf, write } from '../../support/writing.ts'

describe('columns that only the server fills', () => {
  const db = useDatabase()
  const makePool = usePools(db)

  beforeEach(async () => {
    await db.pool.query(`DROP TABLE IF EXISTS filled;
      CREATE TABLE filled (id int GENERATED ALWAYS AS IDENTITY, n int, twice int GENERATED ALWAYS AS (n * 2) STORED)`)
  })

  for (const way of METHODS) {
    it(`are left out when no columns are named, by ${way.title}`, async () => {
      await write([[{ n: 5 }, { n: 6 }]], { pool: makePool().pool, table: 'filled', ...options(way) })
      expect(await valuesOf(db.pool, 'SELECT id, n, twice FROM filled ORDER BY id')).to.deep.equal([
        [1, 5, 10],
        [2, 6, 12],
      ])
    })

    for (const column of ['id', 'twice']) {
      it(`are refused when \`columns\` names them: ${column}, by ${way.title}`, async () => {
        const error = await failureOf(
          write<object>([[{ n: 5 }]], {
            pool: makePool().pool,
            table: 'filled',
            columns: ['n', column] as never,
            ...options(way),
          }),
        )
        expect(error).to.include({ code: 'COLUMN_NOT_FOUND', outcome: 'not-sent', column })
        expect(error.message).to.match(/GENERATED ALWAYS AS.*leave it out/)
      })

      it(`are refused when a row has a value for them: ${column}, by ${way.title}`, async () => {
        const error = await failureOf(
          write<object>([[{ n: 5 }, { n: 6, [column]: 1 }]], {
            pool: makePool().pool,
            table: 'filled',
            ...options(way),
          }),
        )
        expect(error).to.include({ code: 'ROW_INVALID', outcome: 'not-sent', column, rowIndex: 1 })
        expect(error.message).to.contain('GENERATED ALWAYS AS')
        expect(await countOf(db.pool, 'filled')).to.equal(0)
      })
    }
  }

  it('are found by a query that the server does not compile, which would take longer than to run it', async () => {
    const explained = `EXPLAIN (FORMAT JSON) ${INTROSPECTION_SQL}`
    const { rows } = await db.pool.query(explained, introspectionValues({ name: 'filled' }))
    const [{ Plan: plan }] = rows[0]['QUERY PLAN']
    expect(plan['Total Cost']).to.be.within(1, 25_000) // the default of the limit is 100,000
  })

  it('lists the existing columns for one that does not exist', async () => {
    const error = await failureOf(
      write<object>([[{ n: 5 }]], { pool: makePool().pool, table: 'filled', columns: ['N'] as never }),
    )
    expect(error).to.include({ code: 'COLUMN_NOT_FOUND', outcome: 'not-sent', column: 'N' })
    expect(error.message).to.contain('which has: id, n, twice')
  })

  it('no longer counts a dropped column', async () => {
    await db.pool.query('CREATE TABLE shrunk (a int, b int, c int); ALTER TABLE shrunk DROP COLUMN b')
    await write([[{ a: 1, c: 3 }]], { pool: makePool().pool, table: 'shrunk', method: 'copy' })
    expect(await valuesOf(db.pool, 'SELECT * FROM shrunk')).to.deep.equal([[1, 3]])
    const error = await failureOf(write([[{ b: 1 }]], { pool: makePool().pool, table: 'shrunk' }))
    expect(error).to.include({ code: 'ROW_INVALID', column: 'b' })
  })
})
