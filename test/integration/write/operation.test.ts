import { expect } from 'chai'
import pg from 'pg'
import { PgBatchWritable } from '../../../lib/pg-batch-writable.ts'
import type { PgBatchWritableOptions } from '../../../lib/writable-options.ts'
import { useDatabase } from '../../support/database.ts'
import { untilBlocked, usePools } from '../../support/pools.ts'
import { batchesOf, failureOf, METHODS, options, rowsOf, valuesOf, write } from '../../support/writing.ts'
import { load } from '../reliability/load.ts'

type Row = Record<string, unknown>

/** A change is a row, and `del` says that it is to be deleted. */
interface Change extends Row {
  del?: boolean
}

const change = {
  toRow: ({ del: _, ...row }: Change): Row => row,
  operation: ({ del }: Change) => (del ? 'delete' : 'upsert'),
} as const

describe('operation', () => {
  const db = useDatabase()
  const makePool = usePools(db)

  beforeEach(async () => {
    await db.pool.query(`DROP TABLE IF EXISTS lines, stock CASCADE; DROP SEQUENCE IF EXISTS counted;
      CREATE TABLE stock (id int CONSTRAINT stock_key PRIMARY KEY, place text UNIQUE, n int NOT NULL DEFAULT 7);
      INSERT INTO stock VALUES (1, 'a', 1), (2, 'b', 2), (3, 'c', 3)`)
  })

  const stored = () => valuesOf(db.pool, 'SELECT id, place, n FROM stock ORDER BY id')

  for (const way of METHODS) {
    describe(`by ${way.title}`, () => {
      const changing = (
        extra: Partial<PgBatchWritableOptions<Change, Row>> = {},
      ): PgBatchWritableOptions<Change, Row> => ({
        pool: makePool().pool,
        connectionString: undefined,
        table: 'stock',
        ...change,
        onConflict: { target: ['id'], action: 'update' },
        ...options(way),
        ...(extra as object),
      })

      it('upserts and deletes, and counts both as committed', async () => {
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
        expect(stats).to.include({ rowsReceived: 4, rowsCommitted: 4, transactions: 1 })
        expect(commits.map(({ rows }) => rows)).to.deep.equal([4])
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

      it('lets the last change of a key win, in a batch of 3,000 and across batches of one transaction', async () => {
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
        expect(stats.rowsCommitted).to.equal(9000)
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

      it('needs the key only, and overlooks what else a delete brings', async () => {
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

      it('rejects a delete without its key, with the column, and carries out the rest', async () => {
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
        [() => 'a secret of theirs', /returned something of type string/],
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
        it(`rejects a row that it says nothing sensible of: ${said.source}`, async () => {
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

      it('looks at foreign keys when all is done: a row may go with the one that refers to it', async () => {
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

      it('keeps the order of a key where deferred constraints reject rows', async () => {
        await db.pool.query('ALTER TABLE stock ADD up int REFERENCES stock DEFERRABLE INITIALLY DEFERRED')
        const changes: Change[] = [
          { id: 8, place: 'x', n: 1, up: 9 }, // waits for 9
          { id: 7, place: 'y', n: 1, up: 9 },
          { id: 8, del: true },
          { id: 7, place: 'y', n: 2 },
          { id: 9, place: 'z', n: 9 },
          { id: 6, place: 'w', n: 6, up: 1000 },
        ]
        const rejected = await load([changes], new PgBatchWritable<Change, Row>(changing({ rejectLimit: 5 })))
        expect(rejected.map(({ index }) => index)).to.deep.equal([5])
        expect(await valuesOf(db.pool, 'SELECT id, n FROM stock WHERE id > 3 ORDER BY id')).to.deep.equal([
          [7, 2],
          [9, 9],
        ])
      })

      it('skips what a checkpoint says is done, deletes as well', async () => {
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

      it('keeps batches apart where an upsert leaves columns as they are', async () => {
        await db.pool.query(`ALTER TABLE stock ADD seen text DEFAULT 'never'; UPDATE stock SET seen = 'once'`)
        const { stats } = await write<Change, Row>(
          [[{ id: 1, del: true }], [{ id: 1, place: 'a', n: 5 }]],
          changing({ columns: ['id', 'place', 'n'] }),
        )
        expect(await valuesOf(db.pool, 'SELECT n, seen FROM stock WHERE id = 1')).to.deep.equal([
          [5, 'never'],
        ])
        expect(stats.transactions).to.equal(2)
      })

      it('takes rows in and out of a view that can be updated', async () => {
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
        expect(error.message).to.match(/`operation` needs the columns of its key/)
      })

      it('takes rows in and out of partitions', async () => {
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

      it('locks rows by the order of their keys, deletes and upserts alike', async () => {
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
          // were the delete done first, this one would have to wait for it
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
