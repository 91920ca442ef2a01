import { expect } from 'chai'
import type { PgBatchErrorCode } from '../../../../lib/errors.ts'
import type { OnConflict } from '../../../../lib/writable/options/on-conflict.ts'
import { useDatabase } from '../../../support/servers/database.ts'
import { usePools } from '../../../support/servers/pools.ts'
import { batchesOf, failureOf, METHODS, options, rowsOf, valuesOf, write } from '../../../support/writing.ts'

describe('onConflict', () => {
  const db = useDatabase()
  const makePool = usePools(db)

  beforeEach(async () => {
    await db.pool.query(`DROP TABLE IF EXISTS stock;
      CREATE TABLE stock (id serial, place text, n int, note text DEFAULT 'none',
      CONSTRAINT stock_key PRIMARY KEY (id),
        CONSTRAINT stock_place UNIQUE (place, n))`)
  })

  const stored = () => valuesOf(db.pool, 'SELECT id, place, n, note FROM stock ORDER BY id')
  const seed = () =>
    db.pool.query(`INSERT INTO stock VALUES (1, 'a', 1, 'old'), (2, 'b', 2, 'old');
      SELECT setval('stock_id_seq', 100)`)

  for (const way of METHODS) {
    describe(`by ${way.title}`, () => {
      const upsert = (batches: Record<string, unknown>[][], onConflict: OnConflict) =>
        write(batches, { pool: makePool().pool, table: 'stock', onConflict, ...options(way) })

      const ROWS = [
        { id: 1, place: 'x', n: 10, note: 'new' },
        { id: 3, place: 'c', n: 3, note: 'new' },
      ]
      const byConstraint = { constraint: 'stock_key' }
      const CASES: readonly [title: string, onConflict: OnConflict, row1: unknown[]][] = [
        ["'update' sets every column", { target: ['id'], action: 'update' }, [1, 'x', 10, 'new']],
        ['a constraint may be the target', { target: byConstraint, action: 'update' }, [1, 'x', 10, 'new']],
        [
          'sets what `update` names',
          { target: ['id'], action: 'update', update: ['n'] },
          [1, 'a', 10, 'old'],
        ],
        ["'nothing' keeps the row there was", { target: ['id'], action: 'nothing' }, [1, 'a', 1, 'old']],
        ["'nothing' needs no target", { action: 'nothing' }, [1, 'a', 1, 'old']],
        ["'nothing' takes a constraint", { target: byConstraint, action: 'nothing' }, [1, 'a', 1, 'old']],
      ]
      for (const [title, onConflict, row1] of CASES) {
        it(title, async () => {
          await seed()
          await upsert([ROWS], onConflict)
          expect(await stored()).to.deep.equal([row1, [2, 'b', 2, 'old'], [3, 'c', 3, 'new']])
        })
      }

      it('matches composite targets in any order of their columns', async () => {
        await seed()
        const rows = [
          { place: 'a', n: 1, note: 'hit' },
          { place: 'a', n: 2, note: 'miss' },
        ]
        await upsert([rows], { target: ['n', 'place'], action: 'update', update: ['note'] })
        const found = await valuesOf(
          db.pool,
          `SELECT place, n, note FROM stock WHERE note <> 'old' ORDER BY n`,
        )
        expect(found).to.deep.equal([
          ['a', 1, 'hit'],
          ['a', 2, 'miss'],
        ])
      })

      it('lets the last row of a key win, in a batch of 3,000 and across batches', async () => {
        const rows = rowsOf(9000, index => ({ id: index % 1000, note: `v${index}` }))
        const { stats } = await upsert(batchesOf(rows, 3000), { target: ['id'], action: 'update' })
        expect(stats.rowsCommitted).to.equal(9000)
        const right = `SELECT count(*)::int, count(*) FILTER (WHERE note = 'v' || (id + 8000))::int
          FROM stock`
        expect(await valuesOf(db.pool, right)).to.deep.equal([[1000, 1000]])
      })

      it('applies rows of a key in their order, each with its own columns', async () => {
        const rows = [
          { id: 1, note: 'first' },
          { id: 2 },
          { id: 2, note: 'last' },
          { id: 1 },
          { id: 3 },
          { id: 3, note: null },
        ]
        await upsert([rows], { target: ['id'], action: 'update' })
        expect(await valuesOf(db.pool, 'SELECT id, note FROM stock ORDER BY id')).to.deep.equal([
          [1, 'first'],
          [2, 'last'],
          [3, null],
        ])
      })

      it("keeps the first row of a key with 'nothing', also across rows of different shapes", async () => {
        const rows = [
          { id: 9, note: 'x' },
          { id: 1 },
          { id: 1, note: 'late' },
          { id: 2, note: 'early' },
          { id: 2 },
          { id: 9, note: 'y' },
        ]
        await upsert([rows], { target: ['id'], action: 'nothing' })
        expect(await valuesOf(db.pool, 'SELECT id, note FROM stock ORDER BY id')).to.deep.equal([
          [1, 'none'],
          [2, 'early'],
          [9, 'x'],
        ])
      })

      it("rejects a bad row with 'nothing' whose key an earlier row of its batch has", async () => {
        await db.pool.query("ALTER TABLE stock ALTER note SET NOT NULL, ADD CHECK (place <> 'bad')")
        const rows = [
          { id: 1, place: 'a' },
          { id: 1, note: null },
          { id: 1, place: 'bad', n: 1 },
          { id: 2, note: 'good' },
          { id: 1, n: 3 },
        ]
        const { stats } = await write<Record<string, unknown>>([rows], {
          pool: makePool().pool,
          table: 'stock',
          onConflict: { target: ['id'], action: 'nothing' },
          rejectLimit: 2,
          ...options(way),
        })
        expect(stats).to.include({ rowsCommitted: 2, rowsRejected: 2, rowsUnchanged: 1 })
        expect(await stored()).to.deep.equal([
          [1, 'a', null, 'none'],
          [2, null, null, 'good'],
        ])
      })

      it('inserts the first row of a key, updates a subset by the last, in a batch of any size', async () => {
        const rows = rowsOf(2400, index => ({ id: index % 1200, place: `p${index}`, n: index }))
        await upsert([rows], { target: ['id'], action: 'update', update: ['n'] })
        const right = `SELECT count(*)::int, count(*) FILTER (WHERE n = id + 1200)::int,
          count(*) FILTER (WHERE place = 'p' || id)::int FROM stock`
        expect(await valuesOf(db.pool, right)).to.deep.equal([[1200, 1200, 1200]])
      })

      it('gives each row without its serial key another key, and loses none', async () => {
        const rows = rowsOf(300, index => ({
          ...(index % 3 ? {} : { id: 5000 + index }),
          note: `n${index}`,
        }))
        await upsert([rows], { target: ['id'], action: 'update' })
        const found = `SELECT count(*)::int, count(DISTINCT note)::int,
          count(*) FILTER (WHERE id <= 200)::int FROM stock`
        expect(await valuesOf(db.pool, found)).to.deep.equal([[300, 300, 200]])
      })

      it('loses no row with a NULL in its key, because NULLs are distinct', async () => {
        const rows = rowsOf(200, index => ({ place: index % 2 ? null : 'p', n: index % 4 < 2 ? null : 5 }))
        await upsert([rows], { target: ['place', 'n'], action: 'update', update: ['n'] })
        const found = `SELECT count(*)::int, count(*) FILTER (WHERE place = 'p' AND n = 5)::int FROM stock`
        expect(await valuesOf(db.pool, found)).to.deep.equal([[151, 1]])
      })

      it('changes nothing where every written column is part of the key', async () => {
        await seed()
        await write([[{ id: 1 }, { id: 1 }, { id: 7 }]], {
          pool: makePool().pool,
          table: 'stock',
          columns: ['id'],
          onConflict: { target: ['id'], action: 'update' },
          ...options(way),
        })
        expect(await stored()).to.deep.equal([
          [1, 'a', 1, 'old'],
          [2, 'b', 2, 'old'],
          [7, null, null, 'none'],
        ])
      })

      const REFUSED: readonly [onConflict: OnConflict, named: RegExp, code?: PgBatchErrorCode][] = [
        [{ target: ['n'], action: 'update' }, /\(n\).*unique keys: \(id\), \(place, n\)/],
        [{ target: ['absent'], action: 'update' }, /absent/],
        [{ target: { constraint: 'no_such' }, action: 'update' }, /"no_such"/],
        [
          { target: ['id'], action: 'update', update: ['absent'] },
          /"absent", which.*: id,/,
          'COLUMN_NOT_FOUND',
        ],
      ]
      for (const [onConflict, named, code = 'CONFLICT_TARGET_NOT_FOUND'] of REFUSED) {
        it(`fails before anything is sent for ${JSON.stringify(onConflict)}`, async () => {
          const error = await failureOf(upsert([ROWS], onConflict))
          expect(error).to.include({ code, outcome: 'not-sent' })
          expect(error.message).to.match(named)
          expect(await stored()).to.deep.equal([])
        })
      }
    })
  }
})
