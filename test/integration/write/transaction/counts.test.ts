import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { expect } from 'chai'
import type { CommitMessage } from '../../../../lib/writable/diagnostics.ts'
import { PgBatchWritable } from '../../../../lib/writable/pg-batch-writable.ts'
import { useDatabase } from '../../../support/servers/database.ts'
import { usePools } from '../../../support/servers/pools.ts'
import {
  batchesOf,
  countOf,
  expectBalanced,
  METHODS,
  options,
  rowsOf,
  valuesOf,
  write,
} from '../../../support/writing.ts'

interface Row {
  id: number
  n: number
}

/** Leaves out rows whose n is a multiple of three. */
const SKIPPING = `CREATE FUNCTION skip() RETURNS trigger LANGUAGE plpgsql AS
  'BEGIN IF new.n % 3 = 0 THEN RETURN NULL; END IF; RETURN new; END'`

const ROWS = rowsOf(600, id => ({ id, n: id }))

describe('counts are those of the server', () => {
  const db = useDatabase()
  const makePool = usePools(db)

  before(() => db.pool.query(SKIPPING))
  beforeEach(() =>
    db.pool.query(`DROP TABLE IF EXISTS t, parts CASCADE;
      CREATE TABLE t (id int PRIMARY KEY, n int CHECK (n >= 0));
      CREATE TABLE parts (id int, n int, PRIMARY KEY (id)) PARTITION BY RANGE (id);
      CREATE TABLE low PARTITION OF parts FOR VALUES FROM (0) TO (300);
      CREATE TABLE high PARTITION OF parts FOR VALUES FROM (300) TO (1000)`),
  )

  const skipIn = (table: string) =>
    db.pool.query(`CREATE TRIGGER skip BEFORE INSERT ON ${table} FOR EACH ROW EXECUTE FUNCTION skip()`)

  for (const way of METHODS) {
    describe(`by ${way.title}`, () => {
      const writing = (extra: object = {}) => ({
        pool: makePool().pool,
        table: 't',
        ...options(way),
        ...extra,
      })

      it('a row that a trigger leaves out is unchanged, in one or several batches of a COMMIT', async () => {
        await skipIn('t')
        for (const batches of [[ROWS], batchesOf(ROWS, 50)]) {
          await db.pool.query('TRUNCATE t')
          const { stats } = await write<Row>(batches, writing())
          expect(stats).to.include({ rowsCommitted: 400, rowsUnchanged: 200, rowsRejected: 0 })
          expect(await countOf(db.pool, 't')).to.equal(400)
        }
      })

      it('a table whose trigger leaves everything out has no committed row', async () => {
        await skipIn('t')
        const { stats } = await write<Row>([ROWS.map(({ id }) => ({ id, n: 3 }))], writing())
        expect(stats).to.include({ rowsCommitted: 0, rowsUnchanged: 600 })
      })

      it('triggers for each statement, and triggers that write more rows, count nothing', async () => {
        await db.pool.query(`DROP TABLE IF EXISTS log; CREATE TABLE log (n int);
          CREATE OR REPLACE FUNCTION logs() RETURNS trigger LANGUAGE plpgsql AS
            'BEGIN INSERT INTO log VALUES (1), (2); RETURN new; END';
          CREATE TRIGGER every AFTER INSERT ON t FOR EACH ROW EXECUTE FUNCTION logs();
          CREATE TRIGGER once AFTER INSERT ON t FOR EACH STATEMENT EXECUTE FUNCTION logs()`)
        const { stats } = await write<Row>([ROWS], writing())
        expect(stats).to.include({ rowsCommitted: 600, rowsUnchanged: 0 })
      })

      it('a trigger of one partition leaves out only the rows of that partition', async () => {
        await skipIn('low')
        const { stats } = await write<Row>([ROWS], writing({ table: 'parts' }))
        expect(stats).to.include({ rowsCommitted: 500, rowsUnchanged: 100 })
      })

      it('a row that DO NOTHING leaves out is unchanged, with and without a target', async () => {
        await db.pool.query('INSERT INTO t SELECT id, 5 FROM generate_series(0, 99) id')
        const onConflict = { action: 'nothing' }
        const first = await write<Row>([ROWS.slice(0, 200)], writing({ onConflict }))
        expect(first.stats).to.include({ rowsCommitted: 100, rowsUnchanged: 100 })
        const target = { ...onConflict, target: ['id'] }
        const second = await write<Row>(
          [
            ROWS.slice(0, 40),
            [
              { id: 999, n: 1 },
              { id: 999, n: 2 },
            ],
          ],
          writing({ onConflict: target }),
        )
        expect(second.stats).to.include({ rowsCommitted: 1, rowsUnchanged: 41 })
      })

      it('rows rolled back to a savepoint do not count, and rejected rows are not unchanged', async () => {
        await skipIn('t')
        const rows: Row[] = ROWS.map(row => (row.id % 50 === 7 ? { ...row, n: -1 } : row))
        for (const batches of [[rows], batchesOf(rows, 100)]) {
          await db.pool.query('TRUNCATE t')
          const writable = new PgBatchWritable<Row>(writing({ rejectLimit: 100 }))
          await pipeline(Readable.from(batches), writable)
          expectBalanced(writable.stats)
          const stored = await countOf(db.pool, 't')
          const skipped = rows.filter(({ n }) => n % 3 === 0).length
          expect(writable.stats).to.include({
            rowsCommitted: stored,
            rowsUnchanged: skipped,
            rowsRejected: 12,
          })
        }
      })

      it('are kept by each lane', async () => {
        await skipIn('t')
        const lanes = { concurrency: 3, laneOf: ({ id }: Row) => id }
        const { stats } = await write<Row>(batchesOf(ROWS, 60), writing(lanes))
        expect(stats).to.include({ rowsCommitted: 400, rowsUnchanged: 200 })
      })

      it('are reported by the event and by the diagnostics channel', async () => {
        await skipIn('t')
        const messages: CommitMessage[] = []
        const listener = (message: unknown): unknown => messages.push(message as CommitMessage)
        subscribe('pg-batch-streams:commit', listener)
        try {
          const { commits } = await write<Row>([ROWS], writing())
          expect(commits).to.have.length(1)
          expect(commits[0]).to.include({ rows: 400, rowsUnchanged: 200 })
          expect(messages[0]).to.include({ rows: 400, rowsUnchanged: 200 })
        } finally {
          unsubscribe('pg-batch-streams:commit', listener)
        }
      })
    })
  }

  for (const way of METHODS.filter(({ method }) => method !== 'copy')) {
    it(`a view with INSTEAD OF counts what its trigger returned, by ${way.title}`, async () => {
      await db.pool.query(`CREATE VIEW v AS SELECT id, n FROM t;
        CREATE OR REPLACE FUNCTION through() RETURNS trigger LANGUAGE plpgsql AS
          'BEGIN IF new.n % 3 = 0 THEN RETURN NULL; END IF; INSERT INTO t VALUES (new.id, new.n); RETURN new; END';
        CREATE TRIGGER through INSTEAD OF INSERT ON v FOR EACH ROW EXECUTE FUNCTION through()`)
      const { stats } = await write<Row>([ROWS], { pool: makePool().pool, table: 'v', ...options(way) })
      expect(stats).to.include({ rowsCommitted: 400, rowsUnchanged: 200 })
      expect(await valuesOf(db.pool, 'SELECT count(*)::int FROM t')).to.deep.equal([[400]])
    })

    const RULES: readonly [title: string, rule: string, committed: number][] = [
      ['DO INSTEAD NOTHING', 'DO INSTEAD NOTHING', 0],
      ['a condition', 'WHERE new.n % 3 = 0 DO INSTEAD NOTHING', 400],
      ['DO ALSO', 'DO ALSO INSERT INTO log VALUES (new.id), (new.id)', 600],
      ['two rows for each', 'DO INSTEAD INSERT INTO log VALUES (new.id), (new.id)', 600],
    ]
    for (const [title, rule, committed] of RULES) {
      it(`a rule with ${title} counts its rows, never more than were written, by ${way.title}`, async () => {
        await db.pool.query(
          `DROP TABLE IF EXISTS log; CREATE TABLE log (n int); CREATE RULE r AS ON INSERT TO t ${rule}`,
        )
        const { stats } = await write<Row>([ROWS], { pool: makePool().pool, table: 't', ...options(way) })
        expect(stats).to.include({ rowsCommitted: committed, rowsUnchanged: 600 - committed })
      })
    }
  }
})
