import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { expect } from 'chai'
import { PgBatchWritable } from '../../../lib/writable/pg-batch-writable.ts'
import { useDatabase } from '../../support/servers/database.ts'
import { lockTable, roleWith, terminate, untilBlocked, usePools } from '../../support/servers/pools.ts'
import { settlesWithin, until } from '../../support/until.ts'
import { countOf, failureOf, rejectionOf, rowsOf } from '../../support/writing.ts'

const WITHIN_MS = 1000

describe('a stream that is stopped in the middle of its work', () => {
  const db = useDatabase()
  const makePool = usePools(db)

  beforeEach(async () => {
    await db.pool.query('DROP TABLE IF EXISTS t; CREATE TABLE t (id int PRIMARY KEY, n int)')
  })

  const onConflict = { target: ['id'], action: 'update' } as const
  const rows = rowsOf(1000, id => ({ id, n: id }))

  /**
   * An upsert whose rows are staged already, and whose merge waits for a row that another session has locked.
   */
  const startBlockedMerge = async (signal?: AbortSignal) => {
    await db.pool.query('INSERT INTO t VALUES (5, -1)')
    const blocker = await db.pool.connect()
    await blocker.query('BEGIN; UPDATE t SET n = -2 WHERE id = 5')
    const named = makePool()
    const { pool } = named
    const writable = new PgBatchWritable<{ id: number; n: number }>({
      retry: false,
      pool,
      table: 't',
      method: 'copy',
      onConflict,
      ...(signal ? { signal } : {}),
    })
    const done = pipeline(Readable.from([rows]), writable)
    done.catch(() => {})
    await untilBlocked(db, named.name)
    const unblock = async () => {
      await blocker.query('ROLLBACK')
      blocker.release()
    }
    return { writable, done, unblock, ...named }
  }

  it('settles, and writes nothing, when its backend is ended during a merge', async () => {
    const { done, name, unblock } = await startBlockedMerge()
    try {
      await terminate(db, name)
      expect(await failureOf(settlesWithin(WITHIN_MS, done))).to.include({
        code: 'CONNECTION',
        outcome: 'rolled-back',
        sqlState: '57P01',
      })
    } finally {
      await unblock()
    }
    expect(await countOf(db.pool, 't')).to.equal(1)
  })

  it('settles, and writes nothing, when it is aborted during a merge', async () => {
    const controller = new AbortController()
    const { done, writable, unblock } = await startBlockedMerge(controller.signal)
    try {
      controller.abort()
      expect(await failureOf(settlesWithin(WITHIN_MS, done))).to.include({ code: 'ABORTED' })
      await until('closed', () => writable.closed, WITHIN_MS)
    } finally {
      await unblock()
    }
    expect(await countOf(db.pool, 't')).to.equal(1)
  })

  it('does not say "rolled back" of rows whose COMMIT was under way when it was aborted', async () => {
    await db.pool.query(`CREATE TABLE gate (id int); CREATE OR REPLACE FUNCTION wait_at_gate() RETURNS trigger
      LANGUAGE plpgsql AS $$ BEGIN LOCK TABLE gate IN SHARE MODE; RETURN NULL; END $$;
      CREATE CONSTRAINT TRIGGER gate AFTER INSERT ON t DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
        EXECUTE FUNCTION wait_at_gate()`)
    const unlock = await lockTable(db, 'gate')
    const { pool, name } = makePool()
    const controller = new AbortController()
    const writable = new PgBatchWritable({ retry: false, pool, table: 't', signal: controller.signal })
    const done = pipeline(Readable.from([[{ id: 1, n: 1 }]]), writable)
    done.catch(() => {})
    await untilBlocked(db, name)
    controller.abort()
    await unlock()
    const error = await failureOf(settlesWithin(WITHIN_MS, done))
    await until('closed', () => writable.closed, WITHIN_MS)
    expect(await countOf(db.pool, 't')).to.equal(1)
    expect(error.code).to.equal('ABORTED')
    expect(error.outcome).to.be.oneOf(['committed', 'unknown'])
    expect(writable.stats.rowsCommitted).to.equal(1)
  })

  it('asks for the outcome of rows whose connection died during COMMIT, and reports it', async () => {
    await db.pool.query(`CREATE TABLE gate2 (id int);
      CREATE OR REPLACE FUNCTION wait_at_gate2() RETURNS trigger
      LANGUAGE plpgsql AS $$ BEGIN LOCK TABLE gate2 IN SHARE MODE; RETURN NULL; END $$;
      CREATE CONSTRAINT TRIGGER gate AFTER INSERT ON t DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
        EXECUTE FUNCTION wait_at_gate2()`)
    const unlock = await lockTable(db, 'gate2')
    try {
      const { pool, name } = makePool()
      const done = pipeline(
        Readable.from([[{ id: 1, n: 1 }]]),
        new PgBatchWritable({ retry: false, pool, table: 't' }),
      )
      done.catch(() => {})
      await untilBlocked(db, name)
      await terminate(db, name)
      expect(await failureOf(settlesWithin(WITHIN_MS, done))).to.include({
        outcome: 'rolled-back',
        retryable: true,
      })
      expect(await countOf(db.pool, 't')).to.equal(0)
    } finally {
      await unlock()
    }
  })

  it('settles after the query_timeout of its pool, when the server does not answer', async () => {
    const unlock = await lockTable(db, 't')
    try {
      for (const method of ['copy', 'insert'] as const) {
        const { pool } = makePool({ query_timeout: 300 })
        const done = pipeline(
          Readable.from([rows]),
          new PgBatchWritable({ retry: false, pool, table: 't', method }),
        )
        const error = await rejectionOf(settlesWithin(WITHIN_MS, done))
        expect(error, method).to.include({ code: 'CONNECTION', outcome: 'rolled-back' })
      }
    } finally {
      await unlock()
    }
    expect(await countOf(db.pool, 't')).to.equal(0)
  })

  it('settles after the statement_timeout of the server', async () => {
    const hasty = await roleWith(db, { statement_timeout: '200' })
    const unlock = await lockTable(db, 't')
    try {
      for (const method of ['copy', 'insert'] as const) {
        const { pool } = makePool(hasty.config)
        const done = pipeline(
          Readable.from([rows]),
          new PgBatchWritable({ retry: false, pool, table: 't', method }),
        )
        const error = await failureOf(settlesWithin(WITHIN_MS, done))
        expect(error, method).to.include({ sqlState: '57014', outcome: 'rolled-back' })
      }
    } finally {
      await unlock()
      await hasty.drop()
    }
  })

  it('leaves no lane half done when one of three fails', async () => {
    const { pool } = makePool({ max: 1 })
    const batches = rowsOf(30, batch =>
      rowsOf(100, id => ({ id: batch === 20 ? 0 : id, n: batch }), batch * 100),
    )
    const writable = new PgBatchWritable<{ id: number; n: number }>({
      retry: false,
      pool,
      table: 't',
      concurrency: 3,
    })
    const error = await failureOf(settlesWithin(5000, pipeline(Readable.from(batches), writable)))
    expect(error).to.include({ sqlState: '23505', batchId: 21 })
    await until('closed', () => writable.closed, WITHIN_MS)
    const committed = await countOf(db.pool, 't')
    expect(committed % 100).to.equal(0)
    expect(committed).to.equal(writable.stats.rowsCommitted)
  })
})
