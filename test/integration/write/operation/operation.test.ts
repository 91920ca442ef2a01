import { expect } from 'chai'
import { batchesOf, failureOf, METHODS, rowsOf, valuesOf, write } from '../../../support/writing.ts'
import { type Change, change, type Row, useStock } from './stock.ts'

describe('operation', () => {
  const { db, stored, changingBy } = useStock()

  for (const way of METHODS) {
    describe(`by ${way.title}`, () => {
      const changing = changingBy(way)

      it('upserts and deletes, and counts the changed rows as committed', async () => {
        const { stats, commits } = await write<Change, Row>(
          [
            [
              { id: 1, del: true },
              { id: 2, place: 'b', n: 20 },
              { id: 4, place: 'd', n: 4 },
              { id: 99, del: true },
            ],
          ],
          changing(),
        )
        expect(await stored()).to.deep.equal([
          [2, 'b', 20],
          [3, 'c', 3],
          [4, 'd', 4],
        ])
        // a delete without a match is unchanged
        expect(stats).to.include({ rowsReceived: 4, rowsCommitted: 3, rowsUnchanged: 1, transactions: 1 })
        expect(commits.map(({ rows, rowsUnchanged }) => [rows, rowsUnchanged])).to.deep.equal([[3, 1]])
      })

      it('takes batches of deletes only', async () => {
        await write<Change, Row>(
          [
            [
              { id: 1, del: true },
              { id: 3, del: true },
            ],
          ],
          changing(),
        )
        expect(await stored()).to.deep.equal([[2, 'b', 2]])
      })

      it('lets the last change of a key win, in a batch of 3,000 and across batches', async () => {
        const changes = rowsOf(9000, (index): Change => {
          const id = 100 + (index % 1000)
          return index % 7 < 3 ? { id, del: true } : { id, place: `${id}`, n: index }
        })
        const { stats } = await write<Change, Row>(batchesOf(changes, 3000), changing())
        const model = new Map(changes.map(({ id, n, del }) => [id, del ? undefined : n]))
        const expected = [...model].filter(([, n]) => n !== undefined)
        expect(expected.length).to.be.within(400, 600)
        expect(await valuesOf(db.pool, 'SELECT id, n FROM stock WHERE id >= 100 ORDER BY id')).to.deep.equal(
          expected.sort(([one], [other]) => Number(one) - Number(other)),
        )
        const there = new Set<unknown>()
        const unmatched = changes.filter(({ id, del }) => (del ? !there.delete(id) : !there.add(id)))
        expect(stats).to.include({ rowsCommitted: 9000 - unmatched.length, rowsUnchanged: unmatched.length })
      })

      it('keeps the order of a key in a batch of more parameters than one statement takes', async () => {
        const changes = rowsOf(24_000, (index): Change => {
          const id = index % 50
          return index % 3 === 2 ? { id, del: true } : { id, place: `${id}`, n: index }
        })
        await write<Change, Row>([changes], changing())
        const model = new Map(changes.map(({ id, n, del }) => [id, del ? undefined : n]))
        const expected = [...model].filter(([, n]) => n !== undefined)
        expect(expected.length).to.be.within(20, 40)
        expect(await valuesOf(db.pool, 'SELECT id, n FROM stock ORDER BY id')).to.deep.equal(expected)
      })

      it('counts an upsert only where it inserts if a row has no columns beside its key', async () => {
        await db.pool.query('CREATE TABLE tags (id int, tag text, PRIMARY KEY (id, tag))')
        try {
          const changes: Change[] = [
            { id: 1, tag: 'a' },
            { id: 1, tag: 'a' },
            { id: 2, tag: 'a', del: true },
            { id: 1, tag: 'b' },
            { id: 1, tag: 'b', del: true },
            { id: 1, tag: 'b' },
            { id: 1, tag: 'a' },
          ]
          const onConflict = { target: ['id', 'tag'], action: 'update' } as const
          const { stats } = await write<Change, Row>([changes], changing({ table: 'tags', onConflict }))
          expect(stats).to.include({ rowsCommitted: 4, rowsUnchanged: 3 })
        } finally {
          await db.pool.query('DROP TABLE tags')
        }
      })

      it('needs only the key, and ignores the other values of a delete', async () => {
        await db.pool.query('ALTER TABLE stock ALTER place SET NOT NULL')
        await write<Change, Row>(
          [
            [
              { id: 1, place: null, n: 'not even a number', del: true },
              { place: 'c', id: '3', n: null, del: true },
            ],
          ],
          changing(),
        )
        expect(await stored()).to.deep.equal([[2, 'b', 2]])
      })

      it('frees the other unique keys of what it deletes, as when a key changes', async () => {
        const moved: Change[] = [
          { id: 3, del: true },
          { id: 4, place: 'c', n: 3 },
          { id: 2, del: true },
          { id: 0, place: 'b', n: 2 },
        ]
        await write<Change, Row>([moved], changing())
        expect(await stored()).to.deep.equal([
          [0, 'b', 2],
          [1, 'a', 1],
          [4, 'c', 3],
        ])
      })

      it('takes a constraint as the target, and keys of several columns in any order', async () => {
        await write<Change, Row>(
          [[{ id: 1, del: true }]],
          changing({ onConflict: { target: { constraint: 'stock_key' }, action: 'update' } }),
        )
        await db.pool.query('CREATE UNIQUE INDEX n_and_place ON stock (n, place)')
        await write<Change, Row>(
          [
            [
              { place: 'c', n: 3, del: true },
              { place: 'b', n: 3, del: true },
              { id: 2, place: 'b', n: 2 },
            ],
          ],
          changing({ onConflict: { target: ['place', 'n'], action: 'update' } }),
        )
        expect(await stored()).to.deep.equal([[2, 'b', 2]])
      })

      it('takes a table that has columns with the names of its own, which it does not write', async () => {
        await db.pool.query(`ALTER TABLE stock ADD pg_batch_ordinal int, ADD pg_batch_shape int,
          ADD pg_batch_turn int, ADD pg_batch_previous int, ADD pg_batch_next int`)
        const changes: Change[] = [
          { id: 1, del: true },
          { id: 2, place: 'b', n: 20 },
          { id: 2, place: 'b', n: 21 },
          { id: 3, place: 'd', n: 3 },
        ]
        await write<Change, Row>([changes], changing({ columns: ['id', 'place', 'n'] }))
        expect(await stored()).to.deep.equal([
          [2, 'b', 21],
          [3, 'd', 3],
        ])
      })

      it('runs no DEFAULT for a delete', async () => {
        await db.pool.query(
          `CREATE SEQUENCE counted; ALTER TABLE stock ALTER n SET DEFAULT nextval('counted')`,
        )
        await write<Change, Row>(
          [
            [
              { id: 1, del: true },
              { id: 2, del: true },
              { id: 5, place: 'e' },
              { id: 6, place: 'f', n: 1 },
            ],
          ],
          changing(),
        )
        expect(await stored()).to.deep.equal([
          [3, 'c', 3],
          [5, 'e', 1],
          [6, 'f', 1],
        ])
      })
    })
  }

  it('is refused where there is no catalogue', async () => {
    const client = {
      query: (text: string) =>
        /pg_catalog/.test(text)
          ? Promise.reject(new Error('not supported'))
          : Promise.resolve({ rows: [], command: '' }),
      release() {},
      on() {},
      removeListener() {},
      off() {},
    }
    const error = await failureOf(
      write<Change, Row>([[{ id: 1, del: true }]], {
        pool: { connect: () => Promise.resolve(client) } as never,
        table: 'stock',
        columns: ['id', 'n'],
        method: 'insert',
        ...change,
        onConflict: { target: ['id'], action: 'update' },
      }),
    )
    expect(error.message).to.match(/`operation` needs the catalogue/)
  })
})
