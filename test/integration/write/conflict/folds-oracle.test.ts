import { expect } from 'chai'
import type { OnConflict } from '../../../../lib/writable/options/on-conflict.ts'
import { seededRandom } from '../../../support/random.ts'
import { useDatabase } from '../../../support/servers/database.ts'
import { usePools } from '../../../support/servers/pools.ts'
import { failureOf, METHODS, options, rowsOf, valuesOf, write } from '../../../support/writing.ts'

interface Row {
  readonly id: number | null
  readonly n: number
  readonly note?: string | null
}

const INCREMENT = {
  target: ['id'],
  action: 'update',
  update: { n: 'stored.n + excluded.n', note: "coalesce(excluded.note, stored.note || '+')" },
} as const

describe('many rows of one key in one transaction', () => {
  const db = useDatabase()
  const makePool = usePools(db)

  const tables = [
    { title: 'a plain table', ddl: '', folds: true },
    { title: 'CHECK and NOT NULL', ddl: ", CHECK (n >= -50), CHECK (note <> 'bad')", folds: true },
    { title: 'a foreign key that updates set', ddl: ', FOREIGN KEY (note) REFERENCES notes', folds: false },
    { title: 'a second unique key', ddl: ', UNIQUE (n, id)', folds: false },
    { title: 'a generated column', ddl: ', twice int GENERATED ALWAYS AS (n * 2) STORED', folds: false },
    { title: 'an AFTER trigger', ddl: '', trigger: 'FOR EACH ROW', folds: false },
    { title: 'a trigger for each statement', ddl: '', trigger: 'FOR EACH STATEMENT', folds: true },
    { title: 'one that sees rows', ddl: '', trigger: 'REFERENCING NEW TABLE AS changed', folds: false },
  ]

  for (const way of METHODS) {
    for (const { title, ddl, trigger, folds } of tables) {
      it(`${title}: ${folds ? 'few versions are written' : 'each is written'}, by ${way.title}`, async () => {
        await db.pool.query(`DROP TABLE IF EXISTS t, notes; CREATE TABLE notes (note text PRIMARY KEY);
          INSERT INTO notes VALUES ('a'), ('a+'), ('a++'), ('b'), ('b+'), ('b++');
          CREATE TABLE t (id int PRIMARY KEY, n int NOT NULL, note text DEFAULT 'a'${ddl})`)
        if (trigger) {
          await db.pool.query(`CREATE OR REPLACE FUNCTION nothing() RETURNS trigger LANGUAGE plpgsql AS
              'BEGIN RETURN NULL; END';
            CREATE TRIGGER looks AFTER UPDATE ON t ${trigger} EXECUTE FUNCTION nothing()`)
        }
        const rows = rowsOf<Row>(3000, n => ({ id: n % 2, n: 1, ...(n % 6 < 4 ? {} : { note: 'b' }) }))
        const { stats } = await write<Row>([rows], {
          pool: makePool().pool,
          table: 't',
          onConflict: INCREMENT,
          ...options(way),
        })
        expect(stats).to.include({ rowsCommitted: 3000, transactions: 1 })
        expect(await valuesOf(db.pool, 'SELECT id, n FROM t ORDER BY id')).to.deep.equal([
          [0, 1500],
          [1, 1500],
        ])
        // a page has room for some 200 versions, and none is removed before COMMIT
        const [size] = await valuesOf(db.pool, "SELECT pg_relation_size('t')::int / 8192")
        const pages = size![0]
        if (folds) expect(pages).to.equal(1)
        else expect(pages).to.be.at.least(10)
      })
    }

    for (const singleTransaction of [false, true]) {
      const together = singleTransaction ? 'a single transaction' : 'transactions'
      it(`batches of ten share statements in ${together}: few versions are written, by ${way.title}`, async () => {
        await db.pool.query(`DROP TABLE IF EXISTS t, notes;
          CREATE TABLE t (id int PRIMARY KEY, n int NOT NULL, note text)`)
        const batches = rowsOf(300, () => rowsOf<Row>(10, () => ({ id: 1, n: 1 })))
        const { stats } = await write<Row>(batches, {
          pool: makePool().pool,
          table: 't',
          onConflict: { ...INCREMENT, update: { n: 'stored.n + excluded.n' } },
          singleTransaction,
          ...options(way),
        })
        expect(stats).to.include({ rowsCommitted: 3000, rowsUnchanged: 0 })
        expect(await valuesOf(db.pool, 'SELECT id, n FROM t')).to.deep.equal([[1, 3000]])
        const [size] = await valuesOf(db.pool, "SELECT pg_relation_size('t')::int / 8192")
        expect(size![0]).to.equal(1)
      })
    }

    it(`batches of ten share transactions on two connections, by ${way.title}`, async () => {
      await db.pool.query('DROP TABLE IF EXISTS t; CREATE TABLE t (id int PRIMARY KEY, n int NOT NULL)')
      const batches = rowsOf(1000, () => rowsOf<Row>(10, () => ({ id: 1, n: 1 })))
      const { stats } = await write<Row>(batches, {
        pool: makePool().pool,
        table: 't',
        onConflict: { ...INCREMENT, update: { n: 'stored.n + excluded.n' } },
        concurrency: 2,
        ...options(way),
      })
      expect(stats).to.include({ rowsCommitted: 10_000, rowsUnchanged: 0 })
      expect(stats.transactions).to.be.below(100) // 1,000 if each had one batch
      expect(await valuesOf(db.pool, 'SELECT id, n FROM t')).to.deep.equal([[1, 10_000]])
    })

    it(`long rows after short ones do not wait for each other, by ${way.title}`, async () => {
      await db.pool.query('DROP TABLE IF EXISTS t; CREATE TABLE t (id int PRIMARY KEY, note text)')
      const note = 'x'.repeat(1 << 20)
      const batches = [
        rowsOf(2000, id => ({ id, note: 'short' })),
        ...rowsOf(20, n => [{ id: 2000 + n, note }]),
      ]
      const { stats } = await write(batches, {
        pool: makePool().pool,
        table: 't',
        onConflict: { target: ['id'], action: 'update' },
        ...options(way),
      })
      expect(stats.rowsCommitted).to.equal(2020)
      // those that wait have no bytes, and would all be of one transaction
      expect(stats.transactions).to.be.at.least(10)
    })

    it(`refuses a state in between that a CHECK refuses, by ${way.title}`, async () => {
      await db.pool.query(`DROP TABLE IF EXISTS t, notes;
        CREATE TABLE t (id int PRIMARY KEY, n int CHECK (n <= 9), note text)`)
      const rows = [5, 4, 1, -6, 1, 1, 1].map((n): Row => ({ id: 1, n }))
      const pool = makePool().pool
      const error = await failureOf(
        write<Row>([rows], { pool, table: 't', onConflict: INCREMENT, ...options(way) }),
      )
      expect(error).to.include({ code: 'REFUSED', sqlState: '23514', outcome: 'rolled-back' })
    })

    it(`rejects the rows whose states the constraints refuse, by ${way.title}`, async () => {
      const random = seededRandom(15)
      const notes = ['x', 'bad', null, ...rowsOf(12, () => undefined)]
      const rows = rowsOf<Row>(120, () => {
        const note = notes[random.integer(0, notes.length - 1)]
        return { id: random.integer(1, 3), n: random.integer(-6, 6), ...(note === undefined ? {} : { note }) }
      })
      const ddl = `(id int PRIMARY KEY, n int NOT NULL CHECK (n BETWEEN -9 AND 9), note text NOT NULL DEFAULT 'd'
        CHECK (note <> 'bad' AND length(note) < 4))`
      await db.pool.query(
        `DROP TABLE IF EXISTS ours, theirs; CREATE TABLE ours ${ddl}; CREATE TABLE theirs ${ddl}`,
      )
      let refused = 0
      for (const row of rows) {
        const names = Object.keys(row)
        const values = names.map((_, index) => `$${index + 1}`)
        const text = `INSERT INTO theirs AS stored (${names}) VALUES (${values}) ON CONFLICT (id) DO UPDATE
          SET n = ${INCREMENT.update.n}, note = ${INCREMENT.update.note}`
        await db.pool.query(text, Object.values(row)).catch(() => refused++)
      }
      expect(refused).to.be.within(10, 60)
      const { stats } = await write<Row>([rows], {
        pool: makePool().pool,
        table: 'ours',
        onConflict: INCREMENT,
        rejectLimit: 60,
        ...options(way),
      })
      expect(stats.rowsRejected).to.equal(refused)
      const stored = (table: string) => valuesOf(db.pool, `SELECT * FROM ${table} ORDER BY id`)
      expect(await stored('ours')).to.deep.equal(await stored('theirs'))
    })
  }

  const conflicts: Omit<OnConflict<Row>, 'target' | 'action'>[] = [
    { update: INCREMENT.update, where: 'excluded.n <> 3', onlyIfChanged: true },
    { update: { note: 'concat(stored.note, excluded.note, stored.tableoid > 0::oid)' } },
    { update: { note: 'right(md5(to_jsonb(stored)::text || to_jsonb(excluded)::text), 3)' } },
    { newerBy: 'n', mode: 'update-only' },
    { update: ['note'], newerBy: 'n' },
  ]
  for (const conflict of conflicts) {
    it(`leave what a statement for each row would: ${JSON.stringify(conflict)}`, async () => {
      const random = seededRandom(16)
      const rows = rowsOf<Row>(1200, index => ({
        id: index % 7 === 0 ? null : random.integer(1, 3),
        n: random.integer(1, 5),
        ...(index % 3 ? {} : { note: `${random.integer(0, 9)}` }),
      }))
      const upsert = async (batches: Row[][], way: object) => {
        await db.pool.query(`DROP TABLE IF EXISTS t;
          CREATE TABLE t (id int UNIQUE, n int NOT NULL, note varchar(3000)); INSERT INTO t VALUES (1, 3, 'old')`)
        const { stats } = await write<Row>(batches, {
          pool: makePool().pool,
          table: 't',
          onConflict: { target: ['id'], action: 'update', ...conflict },
          ...way,
        })
        const stored = await valuesOf(db.pool, 'SELECT id, n, note FROM t ORDER BY 1, 2, 3')
        return { stored, changed: stats.rowsCommitted }
      }
      // a batch of one row is one statement
      const expected = await upsert(
        rows.map(row => [row]),
        { method: 'insert' },
      )
      for (const way of METHODS) {
        expect(await upsert([rows.slice(0, 600), rows.slice(600)], options(way))).to.deep.equal(expected)
      }
    })
  }

  const SPECIAL = [
    'CREATE UNIQUE INDEX the_key ON t (lower(name))',
    'CREATE UNIQUE INDEX the_key ON t (name) WHERE n >= 0',
  ]
  for (const index of SPECIAL) {
    for (const way of METHODS) {
      it(`are each written where the key is an index of its own kind: ${index}, by ${way.title}`, async () => {
        await db.pool.query(`DROP TABLE IF EXISTS t; CREATE TABLE t (name text, n int); ${index}`)
        const rows = rowsOf(1200, n => ({ name: `${n % 3}`, n }))
        const { stats } = await write([rows], {
          pool: makePool().pool,
          table: 't',
          onConflict: { target: { index: 'the_key' }, action: 'update' },
          ...options(way),
        })
        expect(stats.rowsCommitted).to.equal(1200)
        expect(await valuesOf(db.pool, 'SELECT name, n FROM t ORDER BY n')).to.deep.equal([
          ['0', 1197],
          ['1', 1198],
          ['2', 1199],
        ])
      })
    }
  }
})
