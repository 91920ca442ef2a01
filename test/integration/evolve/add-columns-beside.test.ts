import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { expect } from 'chai'
import { PgRowWriter } from '../../../lib/row-writer/pg-row-writer.ts'
import type { EvolveMessage } from '../../../lib/writable/diagnostics.ts'
import { PgBatchWritable } from '../../../lib/writable/pg-batch-writable.ts'
import { lockTable, untilBlocked } from '../../support/servers/pools.ts'
import { failureOf, valuesOf } from '../../support/writing.ts'
import { type Row, useEvolving } from './evolving.ts'

describe('evolve: true', function () {
  this.timeout(60_000)
  const { db, makePool, columnsOf, open, writeAll, create } = useEvolving()

  it('sends no ALTER TABLE where another session has added the column', async () => {
    await create('raced')
    const { writable, events, done } = open('raced')
    writable.write([{ id: 1 }])
    await new Promise(resolve => writable.once('commit', resolve))
    await db.pool.query('ALTER TABLE raced ADD COLUMN a bigint')
    writable.end([{ id: 2, a: 5 }])
    await done
    expect(events).to.deep.equal([])
    expect(await valuesOf(db.pool, 'SELECT id, a FROM raced ORDER BY id')).to.deep.equal([
      [1, null],
      [2, '5'],
    ])
  })

  it('adds a column again that another session renames while a new one is added', async () => {
    await create('renamed', 'id int, n int')
    let transactions = 0
    const { rejected, events } = await writeAll('renamed', [[{ id: 1, n: 2, extra: 3 }]], {
      rejectLimit: 5,
      onBegin: async () => {
        // the first is the introspection, the second adds the column
        if (++transactions === 2) await db.pool.query('ALTER TABLE renamed RENAME n TO m')
      },
    })
    expect(rejected).to.deep.equal([])
    expect(events.flatMap(({ added }) => added.map(({ name }) => name))).to.deep.equal(['extra', 'n'])
    expect(await valuesOf(db.pool, 'SELECT id, n, extra FROM renamed')).to.deep.equal([[1, 2, 3]])
  })

  it('stops waiting for a lock after lockTimeoutMs, and tries again until it has it', async () => {
    await create('locked')
    const { writable, events, done, name } = open('locked', {
      evolve: { lockTimeoutMs: 100 },
      retry: { retries: Number.POSITIVE_INFINITY, minDelayMs: 1, maxDelayMs: 20 },
    })
    const retries: string[] = []
    writable.on('retry', ({ error }) => retries.push(`${error.sqlState} ${error.outcome}`))
    const unlock = await lockTable(db, 'locked')
    try {
      writable.end([{ id: 1, a: 1 }])
      await untilBlocked(db, name)
      while (retries.length < 2) await new Promise(resolve => writable.once('retry', resolve))
    } finally {
      await unlock()
    }
    await done
    expect(new Set(retries)).to.deep.equal(new Set(['55P03 not-sent']))
    expect(events).to.have.lengthOf(1)
    expect(await valuesOf(db.pool, 'SELECT id, a FROM locked')).to.deep.equal([[1, 1]])
  })

  it('fails with the statement where the role does not own the table, and sends no row', async () => {
    await create('foreign_owner')
    const { rows } = await db.pool.query('SELECT current_database() AS name')
    const role = `evolver_${rows[0].name}`
    await db.pool.query(`CREATE ROLE ${role}; GRANT INSERT, SELECT ON foreign_owner TO ${role}`)
    try {
      const { writable, done } = open('foreign_owner', {
        onBegin: async (client: { query(text: string): Promise<unknown> }) => {
          await client.query(`SET LOCAL ROLE ${role}`)
        },
      })
      writable.end([{ id: 1, a: 1 }])
      const error = await failureOf(done)
      expect(error.sqlState).to.equal('42501')
      expect(error.code).to.equal('REFUSED')
      expect(error.outcome).to.equal('not-sent')
      expect(error.retryable).to.equal(false)
      expect(error.message).to.include('let its owner run it')
      expect(error.message).to.include(
        'ALTER TABLE "public"."foreign_owner" ADD COLUMN IF NOT EXISTS "a" integer',
      )
    } finally {
      await db.pool.query(`DROP OWNED BY ${role}; DROP ROLE ${role}`)
    }
    expect(await valuesOf(db.pool, 'SELECT count(*)::int FROM foreign_owner')).to.deep.equal([[0]])
  })

  it('adds the column to a partitioned table, and refuses a view before anything is sent', async () => {
    await create('parted', 'id int) PARTITION BY RANGE (id')
    await db.pool.query('CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM (0) TO (100)')
    await writeAll('parted', [[{ id: 1, a: 'x' }]])
    expect(await valuesOf(db.pool, 'SELECT id, a FROM parted_1')).to.deep.equal([[1, 'x']])
    await db.pool.query('CREATE VIEW seen AS SELECT id FROM parted')
    const { writable, done } = open('seen')
    writable.end([{ id: 2 }])
    const error = await failureOf(done)
    expect(error.code).to.equal('REFUSED')
    expect(error.message).to.include('"public"."seen" is a view')
  })

  it('runs in a pool of one client, with several lanes that meet new keys', async () => {
    await create('one_client')
    const { pool } = makePool({ max: 1 })
    const writable = new PgBatchWritable<Row>({ pool, table: 'one_client', evolve: true, concurrency: 3 })
    const batches = Array.from({ length: 12 }, (_, batch) => [{ id: batch, [`k${batch % 4}`]: batch }])
    const done = new Promise<void>((resolve, reject) => writable.on('error', reject).on('finish', resolve))
    for (const batch of batches) writable.write(batch)
    writable.end()
    await done
    expect(
      await valuesOf(db.pool, 'SELECT count(*)::int, sum(coalesce(k0, k1, k2, k3))::int FROM one_client'),
    ).to.deep.equal([[12, 66]])
  })

  it('adds columns before a single transaction; a later key needs the source once more', async () => {
    await create('whole')
    const batches = [[{ id: 1, a: 1 }], [{ id: 2, a: 2, b: 'x' }], [{ id: 3, b: 'y' }]]
    const late = await failureOf(writeAll('whole', batches, { singleTransaction: true }))
    expect([late.code, late.outcome, late.retryable]).to.deep.equal(['TABLE_CHANGED', 'rolled-back', true])
    expect(Object.keys(await columnsOf('whole'))).to.deep.equal(['id', 'a', 'b'])
    expect(await valuesOf(db.pool, 'SELECT count(*)::int FROM whole')).to.deep.equal([[0]])
    const { events } = await writeAll('whole', batches, { singleTransaction: true })
    expect(events).to.deep.equal([])
    expect(await valuesOf(db.pool, 'SELECT id, a, b FROM whole ORDER BY id')).to.deep.equal([
      [1, 1, null],
      [2, 2, 'x'],
      [3, null, 'y'],
    ])
  })

  it('adds columns before a replacement, whose late keys need the source once more', async () => {
    await create('replaced', 'id int PRIMARY KEY')
    await db.pool.query('INSERT INTO replaced VALUES (1), (9)')
    const batches = [[{ id: 1, a: 1 }], [{ id: 2, a: 2, b: 'x' }]]
    const late = await failureOf(writeAll('replaced', batches, { replace: true }))
    expect([late.code, late.outcome, late.retryable]).to.deep.equal(['TABLE_CHANGED', 'rolled-back', true])
    expect(await valuesOf(db.pool, 'SELECT id FROM replaced ORDER BY id')).to.deep.equal([[1], [9]])
    await writeAll('replaced', batches, { replace: true })
    expect(await valuesOf(db.pool, 'SELECT id, a, b FROM replaced ORDER BY id')).to.deep.equal([
      [1, 1, null],
      [2, 2, 'x'],
    ])
  })

  it('adds columns for the rows of a PgRowWriter, and publishes the change', async () => {
    await create('single', 'id serial PRIMARY KEY')
    const changes: EvolveMessage[] = []
    const note = (message: unknown) => void changes.push(message as EvolveMessage)
    subscribe('pg-batch-streams:evolve', note)
    const { pool } = makePool()
    const writer = new PgRowWriter<Row, { id: number; b: number }>({
      pool,
      table: 'single',
      evolve: { widenTypes: true },
      returning: ['id'],
    })
    try {
      const written = await Promise.allSettled([
        writer.write({ a: 'x' }),
        writer.write({ a: 'y', b: 1 }),
        writer.write({ a: 'z', ctid: 1 }),
      ])
      expect(written.map(({ status }) => status)).to.deep.equal(['fulfilled', 'fulfilled', 'rejected'])
      await writer.write({ b: 2 ** 40 })
    } finally {
      await writer.end()
      unsubscribe('pg-batch-streams:evolve', note)
    }
    expect(await valuesOf(db.pool, 'SELECT a, b FROM single ORDER BY a')).to.deep.equal([
      ['x', null],
      ['y', '1'],
      [null, '1099511627776'],
    ])
    expect(
      changes.map(({ table, added, widened }) => [table.name, added.length, widened.length]),
    ).to.deep.equal([
      ['single', 2, 0],
      ['single', 0, 1],
    ])
  })

  it('keeps rows and checkpoint exact where items come again', async () => {
    await create('marked')
    const items = Array.from({ length: 30 }, (_, offset) => ({ offset, [`c${offset % 3}`]: offset }))
    const checkpoint = {
      name: 'evolving',
      position: (item: Row) => ({ partition: 'p', offset: item.offset as number }),
    }
    await db.pool.query('ALTER TABLE marked ADD COLUMN "offset" int')
    await writeAll('marked', [items.slice(0, 20)], { checkpoint })
    await writeAll('marked', [items.slice(0, 10), items.slice(10)], { checkpoint })
    expect(
      await valuesOf(db.pool, 'SELECT count(*)::int, sum(coalesce(c0, c1, c2))::int FROM marked'),
    ).to.deep.equal([[30, 435]])
  })
})
