import { expect } from 'chai'
import pg from 'pg'
import { untilBlocked } from '../../../support/servers/pools.ts'
import { failureOf, METHODS, valuesOf, write } from '../../../support/writing.ts'
import { type Change, change, type Row, useStock } from './stock.ts'

describe('operation: views, partitions, foreign keys and locks', () => {
  const { db, makePool, stored, changingBy } = useStock()

  for (const way of METHODS) {
    describe(`by ${way.title}`, () => {
      const changing = changingBy(way)

      it('checks foreign keys at the end: a row may be deleted with the one that refers to it', async () => {
        await db.pool.query(
          'ALTER TABLE stock ADD up int REFERENCES stock; UPDATE stock SET up = 1 WHERE id > 1',
        )
        const changes: Change[] = [
          { id: 2, place: 'b', n: 2, up: 5 },
          { id: 3, del: true },
          { id: 1, del: true },
          { id: 5, place: 'e', n: 5 },
        ]
        await write<Change, Row>([changes], changing())
        expect(await valuesOf(db.pool, 'SELECT id, up FROM stock ORDER BY id')).to.deep.equal([
          [2, 5],
          [5, null],
        ])
      })

      it('skips what a checkpoint reports as done, including deletes', async () => {
        const changes: (Change & { at: number })[] = [
          { id: 1, del: true, at: 1 },
          { id: 4, place: 'd', n: 4, at: 2 },
          { id: 4, del: true, at: 3 },
          { id: 1, place: 'a', n: 100, at: 4 },
        ]
        const again = async (from: number): Promise<number> => {
          const { stats } = await write<Change, Row>([changes.slice(0, from), changes.slice(from)], {
            ...changing(),
            toRow: ({ at: _, ...row }) => change.toRow(row),
            checkpoint: { name: way.title, position: ({ at }) => ({ offset: at as number }) },
          })
          return stats.rowsSkipped
        }
        expect(await again(2)).to.equal(0)
        await db.pool.query('UPDATE stock SET n = 101 WHERE id = 1')
        expect(await again(3)).to.equal(4)
        expect(await stored()).to.deep.equal([
          [1, 'a', 101],
          [2, 'b', 2],
          [3, 'c', 3],
        ])
      })

      it('gives a deleted row that another batch of the transaction inserts again its DEFAULTs', async () => {
        await db.pool.query(`ALTER TABLE stock ADD seen text DEFAULT 'never'; UPDATE stock SET seen = 'once'`)
        const { stats } = await write<Change, Row>(
          [[{ id: 1, del: true }], [{ id: 1, place: 'a', n: 5 }]],
          changing({ columns: ['id', 'place', 'n'] }),
        )
        expect(await valuesOf(db.pool, 'SELECT n, seen FROM stock WHERE id = 1')).to.deep.equal([
          [5, 'never'],
        ])
        expect(stats.transactions).to.equal(1)
      })

      it('inserts and deletes rows of a view that can be updated', async () => {
        await db.pool.query('CREATE VIEW stock_view AS SELECT id, place, n FROM stock')
        await write<Change, Row>(
          [
            [
              { id: 1, del: true },
              { id: 2, place: 'b', n: 20 },
              { id: 5, place: 'e', n: 5 },
            ],
          ],
          changing({ table: 'stock_view' }),
        )
        expect((await stored()).map(([id, , n]) => [id, n])).to.deep.equal([
          [2, 20],
          [3, 3],
          [5, 5],
        ])
        const byName = { target: { constraint: 'stock_key' }, action: 'update' } as const
        const error = await failureOf(
          write<Change, Row>([[{ id: 1, del: true }]], changing({ table: 'stock_view', onConflict: byName })),
        )
        expect(error).to.include({ code: 'CONFLICT_TARGET_NOT_FOUND', outcome: 'not-sent' })
        expect(error.message).to.match(/`operation` needs the columns of a key/)
      })

      const RULES = {
        'keeps the row': `DO INSTEAD UPDATE stock SET n = -n WHERE id = old.id`,
        'keeps some rows': `WHERE old.n > 1 DO INSTEAD NOTHING`,
        'notes the row': `DO ALSO INSERT INTO stock_log VALUES (old.id)`,
      }
      for (const [title, rule] of Object.entries(RULES)) {
        it(`deletes as one DELETE for each row where a rule ${title}`, async () => {
          await db.pool.query(`DROP TABLE IF EXISTS stock_log; CREATE TABLE stock_log (id int);
            CREATE RULE gone AS ON DELETE TO stock ${rule}`)
          const changes: Change[] = [
            { id: 1, del: true },
            { id: 2, del: true },
            { id: 2, place: 'e', n: 20 },
            { id: 1, place: 'f', n: 1 },
            { id: 1, del: true },
            { id: 3 },
          ]
          await write<Change, Row>([changes], changing())
          const left = { 'keeps the row': [-1, 20, 3], 'keeps some rows': [20, 3], 'notes the row': [20, 3] }
          expect((await stored()).map(([, , n]) => n)).to.deep.equal(left[title as keyof typeof left])
          const noted = title === 'notes the row' ? [[1], [1], [2]] : []
          expect(await valuesOf(db.pool, 'SELECT id FROM stock_log ORDER BY 1')).to.deep.equal(noted)
        })
      }

      it('inserts and deletes rows of partitions', async () => {
        await db.pool.query(`CREATE TABLE parts (id int PRIMARY KEY, n int) PARTITION BY RANGE (id);
          CREATE TABLE low PARTITION OF parts FOR VALUES FROM (0) TO (100);
          CREATE TABLE high PARTITION OF parts FOR VALUES FROM (100) TO (1000);
          INSERT INTO parts VALUES (1, 1), (2, 2), (101, 1), (102, 2)`)
        try {
          await write<Change, Row>(
            [
              [
                { id: 1, del: true },
                { id: 102, del: true },
                { id: 2, n: 20 },
                { id: 103, n: 3 },
              ],
            ],
            changing({ table: 'parts' }),
          )
          expect(await valuesOf(db.pool, 'SELECT id, n FROM parts ORDER BY id')).to.deep.equal([
            [2, 20],
            [101, 1],
            [103, 3],
          ])
        } finally {
          await db.pool.query('DROP TABLE parts')
        }
      })

      it('locks rows in the order of their keys, for deletes and upserts alike', async () => {
        const blocker = new pg.Client({ connectionString: db.directConnectionString })
        await blocker.connect()
        try {
          await blocker.query('BEGIN; SELECT * FROM stock WHERE id = 1 FOR UPDATE')
          const { pool, name } = makePool()
          const waiting = write<Change, Row>(
            [
              [
                { id: 3, del: true },
                { id: 1, place: 'a', n: 10 },
              ],
            ],
            {
              ...changing(),
              pool,
              connectionString: undefined,
            },
          )
          await untilBlocked(db, name)
          // if the delete came first, this one would have to wait for it
          await write<Change, Row>(
            [
              [
                { id: 2, del: true },
                { id: 3, place: 'c', n: 30 },
              ],
            ],
            changing(),
          )
          await blocker.query('COMMIT')
          await waiting
          expect(await stored()).to.deep.equal([[1, 'a', 10]])
        } finally {
          await blocker.end()
        }
      })
    })
  }
})
