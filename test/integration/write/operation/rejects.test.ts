import { expect } from 'chai'
import { PgBatchWritable } from '../../../../lib/writable/pg-batch-writable.ts'
import { failureOf, METHODS, rowsOf, valuesOf, write } from '../../../support/writing.ts'
import { load } from '../../reliability/load.ts'
import { type Change, change, type Row, useStock } from './stock.ts'

describe('operation: changes that are rejected', () => {
  const { db, stored, changingBy } = useStock()

  for (const way of METHODS) {
    describe(`by ${way.title}`, () => {
      const changing = changingBy(way)

      it('rejects a delete without its key, names the column, and writes the rest', async () => {
        await db.pool.query(`ALTER TABLE stock ALTER id SET DEFAULT 1`)
        const rejected = await load(
          [[{ del: true }, { id: 2, del: true }, { id: null, del: true }, { id: 3, del: true, nonsense: 1 }]],
          new PgBatchWritable<Change, Row>(changing({ rejectLimit: 3 })),
        )
        expect(
          rejected.map(({ index, error: { code, column } }) => [index, code, column]),
        ).to.have.deep.members([
          [0, 'ROW_INVALID', 'id'],
          [2, 'ROW_INVALID', 'id'],
          [3, 'ROW_INVALID', 'nonsense'],
        ])
        expect(await stored()).to.deep.equal([
          [1, 'a', 1],
          [3, 'c', 3],
        ])
      })

      it('skips items without a row, and asks for the operation of no other once', async () => {
        const asked: unknown[] = []
        const { stats } = await write<Change, Row>(
          [
            [
              { id: 1, del: true },
              { id: 2, skip: true },
              { id: 3, del: true },
            ],
          ],
          changing({
            toRow: row => (row.skip ? null : change.toRow(row)),
            operation: row => {
              asked.push(row.id)
              return change.operation(row)
            },
          }),
        )
        expect(asked).to.deep.equal([1, 3])
        expect(stats).to.include({ rowsCommitted: 2, rowsSkipped: 1 })
        expect(await stored()).to.deep.equal([[2, 'b', 2]])
      })

      const thrown = new Error('thrown')
      const ANSWERS: readonly [answer: () => unknown, said: RegExp][] = [
        [() => 'DELETE', /`operation` returned 'DELETE', and not 'upsert' or 'delete' \[row 1, batch 1\]/],
        [() => 'a secret of theirs', /returned a string/],
        [() => undefined, /returned undefined/],
        [() => Promise.reject(new Error('late')), /returned a Promise: it has to be synchronous/],
        [
          () => {
            throw thrown
          },
          /`operation` threw \[row 1, batch 1\]/,
        ],
      ]
      for (const [answer, said] of ANSWERS) {
        it(`rejects a row for which it returns neither upsert nor delete: ${said.source}`, async () => {
          const operation = ({ id }: Change): 'delete' => {
            if (id !== 2) return 'delete'
            return answer() as 'delete'
          }
          const changes: Change[][] = [[{ id: 1 }, { id: 2 }, { id: 3 }]]
          const error = await failureOf(write<Change, Row>(changes, changing({ operation })))
          expect(error).to.include({ code: 'CALLBACK_FAILED', outcome: 'not-sent', rowIndex: 1 })
          expect(error.message).to.match(said)
          expect(error.cause).to.equal(/threw/.test(error.message) ? thrown : undefined)
          expect(await stored()).to.have.length(3)
          const writable = new PgBatchWritable<Change, Row>(changing({ operation, rejectLimit: 1 }))
          expect((await load(changes, writable)).map(({ index }) => index)).to.deep.equal([1])
          expect(await stored()).to.deep.equal([[2, 'b', 2]])
        })
      }

      it('rejects a delete that is still referred to, for its own reason', async () => {
        await db.pool.query(`CREATE TABLE lines (stock int CONSTRAINT stock_there REFERENCES stock);
          INSERT INTO lines VALUES (2)`)
        const changes: Change[] = rowsOf(300, index => ({ id: 10 + index, n: index }))
        changes.splice(77, 0, { id: 2, del: true }, { id: 1, del: true })
        const writable = new PgBatchWritable<Change, Row>(changing({ rejectLimit: 1 }))
        const rejected = await load([changes], writable)
        expect(rejected.map(({ index, error }) => [index, error.sqlState, error.constraint])).to.deep.equal([
          [77, '23503', 'stock_there'],
        ])
        expect(writable.stats).to.include({ rowsCommitted: 301, rowsRejected: 1, transactions: 1 })
        expect(await valuesOf(db.pool, 'SELECT count(*)::int, min(id) FROM stock')).to.deep.equal([[302, 2]])
      })

      it('keeps the order of a key where deferred constraints reject rows', async () => {
        await db.pool.query('ALTER TABLE stock ADD up int REFERENCES stock DEFERRABLE INITIALLY DEFERRED')
        const changes: Change[] = [
          { id: 8, place: 'x', n: 1, up: 9 }, // waits for 9
          { id: 7, place: 'y', n: 1, up: 9 },
          { id: 8, del: true },
          { id: 7, place: 'y', n: 2 },
          { id: 9, place: 'z', n: 9 },
          { id: 6, place: 'w', n: 6, up: 1000 },
          { id: 1, place: 'q', n: 1 }, // frees a value that the next row takes
          { id: 10, place: 'a', n: 1 },
        ]
        const rejected = await load([changes], new PgBatchWritable<Change, Row>(changing({ rejectLimit: 5 })))
        expect(rejected.map(({ index }) => index)).to.deep.equal([5])
        expect(await stored()).to.deep.equal([
          [1, 'q', 1],
          [2, 'b', 2],
          [3, 'c', 3],
          [7, 'y', 2],
          [9, 'z', 9],
          [10, 'a', 1],
        ])
      })

      it('writes rows that exchange the values of a deferred key, and rejects the one that repeats a value', async () => {
        await db.pool.query(`ALTER TABLE stock DROP CONSTRAINT stock_place_key,
          ADD UNIQUE (place) DEFERRABLE INITIALLY DEFERRED`)
        const changes: Change[] = [
          { id: 1, place: 'b', n: 1 },
          { id: 2, place: 'a', n: 2 },
          { id: 5, place: 'c', n: 4 }, // only until the last row
          { id: 4, place: 'c', n: 4 },
          { id: 5, place: 'f', n: 5 },
        ]
        const rejected = await load([changes], new PgBatchWritable<Change, Row>(changing({ rejectLimit: 5 })))
        expect(rejected.map(({ index, error }) => [index, error.sqlState])).to.deep.equal([[3, '23505']])
        expect(await stored()).to.deep.equal([
          [1, 'b', 1],
          [2, 'a', 2],
          [3, 'c', 3],
          [5, 'f', 5],
        ])
      })
    })
  }
})
