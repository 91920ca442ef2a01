import { expect } from 'chai'
import fc from 'fast-check'
import type pg from 'pg'
import type { PgBatchWritableOptions } from '../../../../lib/writable/options.ts'
import { PgBatchWritable } from '../../../../lib/writable/pg-batch-writable.ts'
import { useDatabase } from '../../../support/servers/database.ts'
import { usePools } from '../../../support/servers/pools.ts'
import { thorough } from '../../../support/thorough.ts'
import { METHODS, options, rowsOf, valuesOf } from '../../../support/writing.ts'
import { load } from '../load.ts'

interface Row {
  readonly id: string
  readonly parent: string | null
  readonly n: number
}

const UPSERT = { target: ['id'], action: 'update' } as const

/**
 * The rows that one statement would take, had it not been for the bad ones: parents that are there, and n >
 * 0.
 */
function acceptable(rows: readonly Row[]): Set<Row> {
  const good = new Set(rows.filter(({ n }) => n > 0))
  for (let size = -1; size !== good.size; ) {
    size = good.size
    const ids = new Set([...good].map(({ id }) => id))
    for (const row of good) if (row.parent !== null && !ids.has(row.parent)) good.delete(row)
  }
  return good
}

describe('Rows that refer to rows of their own batch', function () {
  this.timeout(120_000)
  const db = useDatabase()
  const makePool = usePools(db)

  async function writeRows(
    batches: readonly (readonly Row[])[],
    way: Pick<PgBatchWritableOptions<Row>, 'method' | 'copyFormat' | 'onConflict' | 'rejectLimit'> & {
      pool?: pg.Pool
    },
    constraint = '',
  ) {
    await db.pool.query(`DROP TABLE IF EXISTS tree; CREATE TABLE tree (id text PRIMARY KEY,
      parent text REFERENCES tree ${constraint}, n int CHECK (n > 0))`)
    const rejected = await load(
      batches,
      new PgBatchWritable<Row>({ pool: makePool().pool, table: 'tree', rejectLimit: 1e6, ...way }),
    )
    return { stored: await valuesOf(db.pool, 'SELECT id, parent, n FROM tree ORDER BY id'), rejected }
  }

  const byId = (rows: Iterable<Row>): unknown[][] =>
    [...rows].map(({ id, parent, n }) => [id, parent, n]).sort(([a], [b]) => (String(a) < String(b) ? -1 : 1))

  const WAYS = [
    ...METHODS.map(way => ({ title: way.title, way: options(way) })),
    { title: 'an upsert by COPY', way: { method: 'copy', onConflict: UPSERT } },
    { title: 'an upsert by INSERT', way: { method: 'insert', onConflict: UPSERT } },
  ] as const

  for (const { title, way } of WAYS) {
    for (const constraint of ['', 'DEFERRABLE INITIALLY DEFERRED', 'ON DELETE CASCADE']) {
      it(`loses only the bad row of four, by ${title} (${constraint || 'immediate'})`, async () => {
        const rows: Row[] = [
          { id: 'a', parent: null, n: 1 },
          { id: 'd', parent: 'a', n: -1 },
          { id: 'e', parent: 'f', n: 1 },
          { id: 'f', parent: 'a', n: 1 },
        ]
        const { stored, rejected } = await writeRows([rows], { ...way, rejectLimit: 1 }, constraint)
        expect(stored.map(([id]) => id)).to.deep.equal(['a', 'e', 'f'])
        expect(rejected.map(({ index, error }) => [index, error.rowIndex, error.sqlState])).to.deep.equal([
          [1, 1, '23514'],
        ])
      })

      it(`takes what one statement would, by ${title} (${constraint || 'immediate'})`, async () => {
        const ids = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', 'g', 'h')
        const row = fc.record<Row>({
          id: ids,
          parent: fc.oneof(fc.constant(null), ids, fc.constant('z')),
          n: fc.constantFrom(1, 1, 1, 1, -1),
        })
        await fc.assert(
          fc.asyncProperty(fc.uniqueArray(row, { selector: ({ id }) => id, minLength: 1 }), async rows => {
            const { stored, rejected } = await writeRows([rows], way, constraint)
            const good = acceptable(rows)
            expect(stored).to.deep.equal(byId(good))
            expect(rejected.map(({ index }) => index)).to.deep.equal(
              [...rows.keys()].filter(index => !good.has(rows[index]!)),
            )
            for (const { error, item, index } of rejected) {
              expect(error.sqlState).to.equal(item.n > 0 ? '23503' : '23514')
              expect(error.rowIndex).to.equal(index)
            }
          }),
          { numRuns: thorough(40) },
        )
      })
    }
  }

  for (const { title, way } of METHODS.map(way => ({ title: way.title, way: options(way) }))) {
    for (const rejectLimit of [0, 1]) {
      it(`takes rows that refer to rows with other keys, by ${title} (rejectLimit ${rejectLimit})`, async () => {
        const count = 600
        for (const parentOf of [
          (id: number) => (id === 0 ? null : id - 1),
          (id: number) => (id === count - 1 ? null : id + 1),
          (id: number) => (id + 1) % count,
        ]) {
          await db.pool.query(`DROP TABLE IF EXISTS shapes; CREATE TABLE shapes (id int PRIMARY KEY,
            parent int REFERENCES shapes, n int DEFAULT 4 CHECK (n > 0))`)
          const rows = Array.from({ length: count }, (_, id) => ({
            id,
            parent: parentOf(id),
            ...(id % 2 === 0 ? {} : { n: 3 }),
          }))
          const bad = rejectLimit === 1 ? [{ id: count, parent: null, n: -1 }] : []
          const writable = new PgBatchWritable<{ id: number; parent: number | null; n?: number }>({
            pool: makePool().pool,
            table: 'shapes',
            rejectLimit,
            ...way,
          })
          expect(await load([[...bad, ...rows]], writable)).to.have.length(rejectLimit)
          const stored = await valuesOf(db.pool, 'SELECT n, count(*)::int FROM shapes GROUP BY n ORDER BY n')
          expect(stored).to.deep.equal([
            [3, count / 2],
            [4, count / 2],
          ])
        }
      })
    }
  }

  it('keeps the last row of a key, though an earlier one was late', async () => {
    const rows: Row[] = [
      { id: 'x', parent: 'p', n: 1 },
      { id: 'y', parent: null, n: -1 },
      { id: 'x', parent: 'q', n: 2 },
      { id: 'q', parent: null, n: 3 },
      { id: 'p', parent: null, n: 4 },
    ]
    for (const method of ['copy', 'insert'] as const) {
      for (const order of [rows, rows.toReversed()]) {
        const { stored, rejected } = await writeRows([order], { method, onConflict: UPSERT })
        const last = order.filter(({ id }) => id === 'x').at(-1)!
        expect(stored).to.deep.equal(byId([last, rows[3]!, rows[4]!]))
        expect(rejected.map(({ item }) => item.id)).to.deep.equal(['y'])
      }
    }
  })

  it('applies a late row of an upsert once, where counts and sums would show more', async () => {
    await db.pool.query(`DROP TABLE IF EXISTS sums; CREATE TABLE sums (id int PRIMARY KEY,
      parent int REFERENCES sums, n int CHECK (n > 0), touched int NOT NULL DEFAULT 0);
      CREATE OR REPLACE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN new.touched := old.touched + 1; RETURN new; END $$;
      CREATE TRIGGER touch BEFORE UPDATE ON sums FOR EACH ROW EXECUTE FUNCTION touch();
      INSERT INTO sums SELECT i, NULL, 1 FROM generate_series(1, 5) i`)
    const rows = [5, 4, 3, 2, 1].map(id => ({ id, parent: id === 1 ? null : id + 99, n: id === 2 ? -1 : id }))
    const parents = [100, 101, 102, 103, 104].map(id => ({ id, parent: null, n: 1 }))
    const writable = new PgBatchWritable<{ id: number; parent: number | null; n: number }>({
      pool: makePool().pool,
      table: 'sums',
      columns: ['id', 'parent', 'n'],
      onConflict: UPSERT,
      rejectLimit: 1,
    })
    await load([[...rows, ...parents]], writable)
    expect(await valuesOf(db.pool, 'SELECT id, touched FROM sums WHERE id < 100 ORDER BY id')).to.deep.equal([
      [1, 1],
      [2, 0],
      [3, 1],
      [4, 1],
      [5, 1],
    ])
    expect(writable.stats.rowsCommitted).to.equal(9)
    expect(writable.stats.rowsRejected).to.equal(1)
  })

  it('rejects an orphan with all that descends from it, in any order, and takes the other tree', async () => {
    const chain = rowsOf(300, i => ({ id: `x${i}`, parent: i === 0 ? 'nobody' : `x${i - 1}`, n: 1 }))
    const tree = rowsOf(300, i => ({ id: `y${i}`, parent: i === 0 ? null : `y${Math.floor(i / 2)}`, n: 1 }))
    const all: Row[] = [...chain, ...tree].map((row, i) => (i === 599 ? { ...row, n: -1 } : row))
    const shuffled = all.map((row, i) => ({ row, key: (i * 7919) % 600 })).sort((a, b) => a.key - b.key)
    for (const rows of [all, all.toReversed(), shuffled.map(({ row }) => row)]) {
      const { stored, rejected } = await writeRows([rows], { rejectLimit: 301 })
      expect(stored).to.deep.equal(byId(acceptable(all)))
      expect(rejected.length).to.equal(301)
    }
  })

  it('costs a number of statements that is linear in the rows', async () => {
    const chain = (count: number) =>
      rowsOf(count, i => ({ id: `x${i}`, parent: i === 0 ? null : `x${i - 1}`, n: i === count - 1 ? -1 : 1 }))
    const statements = async (rows: Row[]): Promise<number> => {
      const { pool } = makePool()
      let count = 0
      pool.on('connect', client => {
        const query = client.query.bind(client) as (...args: unknown[]) => unknown
        client.query = ((...args: unknown[]) => {
          count++
          return query(...args)
        }) as typeof client.query
      })
      const { stored } = await writeRows([rows], { pool })
      expect(stored.length).to.equal(rows.length - 1)
      return count
    }
    for (const turn of [(rows: Row[]) => rows, (rows: Row[]) => rows.toReversed()]) {
      expect(await statements(turn(chain(2000)))).to.be.at.most(100)
    }
  })

  it('tries a row again that a trigger of another row makes acceptable, without using the budget', async () => {
    await db.pool.query(`DROP TABLE IF EXISTS child; DROP TABLE IF EXISTS owner;
      CREATE TABLE owner (name text PRIMARY KEY);
      CREATE TABLE child (id int, owner text REFERENCES owner, makes text, n int CHECK (n > 0));
      CREATE OR REPLACE FUNCTION make_owner() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        INSERT INTO owner SELECT new.makes WHERE new.makes IS NOT NULL; RETURN NULL; END $$;
      CREATE TRIGGER make_owner AFTER INSERT ON child FOR EACH ROW EXECUTE FUNCTION make_owner()`)
    const rows = [
      ...rowsOf(50, id => ({ id, owner: 'late', makes: null, n: 1 })),
      { id: 50, owner: null, makes: null, n: -1 },
      { id: 51, owner: null, makes: 'late', n: 1 },
      { id: 52, owner: 'nobody', makes: null, n: 1 },
    ]
    const writable = new PgBatchWritable<object>({ pool: makePool().pool, table: 'child', rejectLimit: 2 })
    const rejected = await load([rows], writable)
    expect(rejected.map(({ index }) => index)).to.deep.equal([50, 52])
    expect(await valuesOf(db.pool, 'SELECT count(*)::int FROM child')).to.deep.equal([[51]])
  })

  it('fails with the row that exceeds the limit, and leaves nothing', async () => {
    const rows = rowsOf(50, i => ({ id: `o${i}`, parent: i % 10 === 3 ? 'nobody' : null, n: 1 }))
    const failure = await writeRows([rows], { rejectLimit: 4 }).catch(error => error)
    expect(failure).to.include({ code: 'REFUSED', sqlState: '23503', rowIndex: 43, outcome: 'rolled-back' })
    expect(await valuesOf(db.pool, 'SELECT count(*)::int FROM tree')).to.deep.equal([[0]])
  })
})
