import { expect } from 'chai'
import { PgBatchWritable } from '../../../../lib/writable/pg-batch-writable.ts'
import { useDatabase } from '../../../support/servers/database.ts'
import { usePools } from '../../../support/servers/pools.ts'
import { rowsOf, valuesOf } from '../../../support/writing.ts'
import { load } from '../load.ts'
import { WAYS } from './bad-rows.ts'

/** Rows of one batch with and without a value for a column with a DEFAULT travel apart. */
describe('a batch of mixed shapes with bad rows', () => {
  const db = useDatabase()
  const makePool = usePools(db)

  for (const way of WAYS) {
    const start = (rejectLimit: number) =>
      new PgBatchWritable<Record<string, unknown>>({
        pool: makePool().pool,
        table: 't',
        ...way.options,
        rejectLimit,
        retry: false,
      })

    it(`stores the good rows of every shape, by ${way.title}`, async () => {
      await db.pool.query(
        'DROP TABLE IF EXISTS t; CREATE TABLE t (id int PRIMARY KEY, n int CHECK (n >= 0), kind text DEFAULT $$none$$)',
      )
      const rows = rowsOf(60, id => ({
        id,
        n: id % 7 === 3 ? -1 : id,
        ...(id % 3 === 0 ? {} : { kind: `k${id % 3}` }),
      }))
      const writable = start(60)
      const rejected = await load([rows], writable)
      const bad = rows.filter(({ n }) => n < 0).map(({ id }) => id)
      expect(rejected.map(({ index }) => index).sort((a, b) => a - b)).to.deep.equal(bad)
      const right = rows.filter(({ n }) => n >= 0).map(({ id, n, kind = 'none' }) => [id, n, kind])
      expect(await valuesOf(db.pool, 'SELECT * FROM t ORDER BY id')).to.deep.equal(right)
    })

    it(`keeps rows that refer to rows of another shape, whichever comes first, by ${way.title}`, async () => {
      await db.pool.query(`DROP TABLE IF EXISTS t; CREATE TABLE t (id int PRIMARY KEY, kind text DEFAULT 'none',
        up int REFERENCES t DEFERRABLE INITIALLY DEFERRED)`)
      // row 2k refers to row 2k + 1, which is of another shape; row 2k + 1 to row 2k + 2; the last to none
      const rows: Record<string, unknown>[] = rowsOf(40, id => ({
        id,
        up: id === 39 ? null : id + 1,
        ...(id % 2 ? { kind: 'odd' } : {}),
      }))
      rows[20] = { id: 100, up: 999 }
      rows[19]!.up = 21
      const rejected = await load([rows], start(1))
      expect(rejected.map(({ index }) => index)).to.deep.equal([20])
      expect(await valuesOf(db.pool, 'SELECT count(*)::int FROM t')).to.deep.equal([[39]])
    })

    if (!('onConflict' in way.options)) {
      it(`rejects the second of two rows with one unique key, as row after row would, by ${way.title}`, async () => {
        const shapes = [{ kind: 'given' }, {}, { n: 1 }, { n: 2, kind: 'both' }]
        const pairs = shapes.flatMap((one, a) => shapes.map((other, b) => [one, other, a, b] as const))
        for (const [one, other, a, b] of pairs) {
          await db.pool.query(`DROP TABLE IF EXISTS t; CREATE TABLE t (
            id int UNIQUE, n int DEFAULT 7, kind text DEFAULT 'none')`)
          const rows: Record<string, unknown>[] = rowsOf(40, id => ({ id, ...shapes[id % 4] }))
          rows[13] = { id: 100, ...one }
          rows[14] = { id: 100, ...other }
          rows[30] = { id: 100, ...one }
          const rejected = await load([rows], start(2))
          const title = `shapes ${a} and ${b}`
          expect(
            rejected.map(({ index, error }) => [index, error.rowIndex, error.sqlState]).sort(),
            title,
          ).to.eql([
            [14, 14, '23505'],
            [30, 30, '23505'],
          ])
          const kept = { n: 7, kind: 'none', ...one }
          expect(await valuesOf(db.pool, 'SELECT n, kind FROM t WHERE id = 100'), title).to.deep.equal([
            [kept.n, kept.kind],
          ])
        }
      })
      continue
    }
    it(`leaves what row after row would, whatever their shapes, by ${way.title}`, async () => {
      await db.pool.query(
        `DROP TABLE IF EXISTS t; CREATE TABLE t (id int PRIMARY KEY, n int CHECK (n >= 0), kind text DEFAULT 'none')`,
      )
      const rows = rowsOf(60, n => ({ id: n % 5, n, ...(n % 2 ? { kind: 'odd' } : {}) }))
      // the last n of each key; a kind that no row brings stays
      const last = rows.slice(-5).map(({ id, n }) => [id, n, 'odd'])
      rows.splice(30, 0, { id: 100, n: -1 })
      const rejected = await load([rows], start(1))
      expect(rejected.map(({ index }) => index)).to.deep.equal([30])
      expect(await valuesOf(db.pool, 'SELECT * FROM t ORDER BY id')).to.deep.equal(last)
    })
  }
})
