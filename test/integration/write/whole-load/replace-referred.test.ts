import { expect } from 'chai'
import type { PgTransactionClient } from '../../../../lib/connection/pg-transaction-client.ts'
import type { PgBatchWritableOptions } from '../../../../lib/writable/options.ts'
import { useDatabase } from '../../../support/servers/database.ts'
import { roleWith, usePools } from '../../../support/servers/pools.ts'
import { until } from '../../../support/until.ts'
import { failureOf, rowsOf, valuesOf, write } from '../../../support/writing.ts'

interface Row {
  id: number
  note: string
}

describe('replace of a table whose rows others refer to, or a policy hides', () => {
  const db = useDatabase()
  const makePool = usePools(db)

  const replace = (batches: AsyncIterable<Row[]> | Iterable<Row[]>) =>
    write(
      batches as Iterable<Row[]>,
      { pool: db.pool, table: 't', replace: true } as PgBatchWritableOptions<Row>,
    )
  const newRows = (from: number, to: number) =>
    rowsOf(to - from + 1, (id): Row => ({ id, note: 'new' }), from)
  const ids = () => valuesOf(db.pool, 'SELECT min(id), max(id), count(*)::int FROM t')
  const children = () => valuesOf(db.pool, 'SELECT n, t, xmin FROM child ORDER BY n')

  for (const action of ['CASCADE', 'SET NULL', 'SET DEFAULT']) {
    describe(`ON DELETE ${action}`, () => {
      it('changes no row that refers to a partition', async () => {
        await db.pool.query(`
          DROP TABLE IF EXISTS t, child CASCADE;
          CREATE TABLE t (id int PRIMARY KEY, note text) PARTITION BY RANGE (id);
          CREATE TABLE low PARTITION OF t FOR VALUES FROM (0) TO (100);
          CREATE TABLE high PARTITION OF t DEFAULT;
          INSERT INTO t SELECT n, 'old' FROM generate_series(1, 200) n;
          CREATE TABLE child (n int, t int REFERENCES low ON DELETE ${action});
          INSERT INTO child SELECT n, n FROM generate_series(41, 50) n`)
        const before = await children()
        await replace([newRows(41, 150)])
        expect(await ids()).to.deep.equal([[41, 150, 110]])
        expect(await children()).to.deep.equal(before)
        const error = await failureOf(replace([newRows(42, 150)]))
        expect(error).to.include({ code: 'REFUSED', outcome: 'rolled-back', constraint: 'child_t_fkey' })
        expect(await ids()).to.deep.equal([[41, 150, 110]])
        expect(await children()).to.deep.equal(before)
      })

      it('changes no row of a table that has come to refer to it while the new rows were staged', async () => {
        await db.pool.query(`
          DROP TABLE IF EXISTS t, child CASCADE;
          CREATE TABLE t (id int PRIMARY KEY, note text); INSERT INTO t SELECT n, 'old' FROM generate_series(1, 9) n;
          CREATE TABLE child (n int, t int); INSERT INTO child VALUES (1, 1)`)
        const before = await children()
        async function* batches() {
          yield newRows(2, 5)
          const lock =
            "pg_locks WHERE relation = 't'::regclass AND mode = 'AccessShareLock' AND pid <> pg_backend_pid()"
          await until(
            'the rows are being staged',
            async () => (await valuesOf(db.pool, `SELECT 1 FROM ${lock}`)).length > 0,
          )
          await db.pool.query(`ALTER TABLE child ADD FOREIGN KEY (t) REFERENCES t ON DELETE ${action}`)
          yield newRows(6, 10)
        }
        const error = await failureOf(replace(batches()))
        expect(error).to.include({ code: 'REFUSED', outcome: 'rolled-back', constraint: 'child_t_fkey' })
        expect(await ids()).to.deep.equal([[1, 9, 9]])
        expect(await children()).to.deep.equal(before)
      })
    })
  }

  it('needs no right on a partition that others refer to', async () => {
    const { config, drop } = await roleWith(db, {})
    const role = new URL(config.connectionString!).username
    await db.pool.query(`ALTER ROLE ${role} NOSUPERUSER;
      DROP TABLE IF EXISTS t, child CASCADE;
      CREATE TABLE t (id int PRIMARY KEY, note text) PARTITION BY RANGE (id);
      CREATE TABLE low PARTITION OF t FOR VALUES FROM (0) TO (100);
      CREATE TABLE child (t int REFERENCES low ON DELETE CASCADE);
      INSERT INTO t VALUES (1, 'old'), (2, 'old'); INSERT INTO child VALUES (2);
      GRANT SELECT, INSERT, UPDATE, DELETE ON t TO ${role}; GRANT SELECT ON child TO ${role}`)
    try {
      const { pool } = makePool(config)
      await write([newRows(2, 3)], { pool, table: 't', replace: true })
      expect(await ids()).to.deep.equal([[2, 3, 2]])
    } finally {
      await db.pool.query('DROP TABLE t, child')
      await drop()
    }
  })

  it('deletes a row of one partition though another one has a row of the same unique value that is referred to', async () => {
    await db.pool.query(`
      DROP TABLE IF EXISTS t, child CASCADE;
      CREATE TABLE t (id int PRIMARY KEY, note text) PARTITION BY RANGE (id);
      CREATE TABLE low PARTITION OF t FOR VALUES FROM (0) TO (100); CREATE UNIQUE INDEX ON low (note);
      CREATE TABLE high PARTITION OF t DEFAULT;
      INSERT INTO t VALUES (1, 'new'), (200, 'new');
      CREATE TABLE child (n int, t text REFERENCES low (note) ON DELETE CASCADE);
      INSERT INTO child VALUES (1, 'new')`)
    const before = await children()
    await replace([newRows(1, 1)])
    expect(await ids()).to.deep.equal([[1, 1, 1]])
    expect(await children()).to.deep.equal(before)
  })

  it('keeps no row that a policy has come to hide after the stream has introspected the table', async () => {
    const role = `plain_${process.pid}`
    await db.pool.query(`
      DROP TABLE IF EXISTS t, child CASCADE; CREATE TABLE t (id int PRIMARY KEY, note text);
      INSERT INTO t SELECT n, 'old' FROM generate_series(1, 9) n; CREATE ROLE ${role}; GRANT ALL ON t TO ${role}`)
    let transactions = 0
    const onBegin = async (client: PgTransactionClient) => {
      if (++transactions === 2)
        await db.pool.query('ALTER TABLE t ENABLE ROW LEVEL SECURITY; CREATE POLICY p ON t USING (id < 5)')
      await client.query(`SET LOCAL ROLE ${role}`)
    }
    const error = await failureOf(
      write([newRows(1, 2)], { pool: db.pool, table: 't', replace: true, onBegin }),
    ).finally(() => db.pool.query(`DROP OWNED BY ${role}; DROP ROLE ${role}`))
    expect(error).to.include({ code: 'REFUSED', outcome: 'rolled-back' })
    expect(error.message).to.include('Row-level security hides rows')
    expect(await ids()).to.deep.equal([[1, 9, 9]])
  })
})
