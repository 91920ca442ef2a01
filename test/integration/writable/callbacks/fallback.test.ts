import { Readable } from 'node:stream'
import { finished, pipeline } from 'node:stream/promises'
import { expect } from 'chai'
import pg from 'pg'
import { newDb } from 'pg-mem'
import type { PgClientLike, PgPoolLike } from '../../../../lib/connection/pg-types.ts'
import type { PgBatchWritableOptions } from '../../../../lib/writable/options.ts'
import { PgBatchWritable } from '../../../../lib/writable/pg-batch-writable.ts'
import { useDatabase } from '../../../support/servers/database.ts'
import { usePools } from '../../../support/servers/pools.ts'
import { countOf, failureOf, METHODS, options, rowsOf } from '../../../support/writing.ts'

interface Row {
  id: number
}

const rows = rowsOf(3, id => ({ id }))

describe('inTransaction on a server that does not report transaction ids', () => {
  const db = useDatabase()
  const makePool = usePools(db)

  beforeEach(async () => {
    await db.pool.query(`DROP TABLE IF EXISTS t, log, pg_batch_checkpoint;
      CREATE TABLE t (id int PRIMARY KEY); CREATE TABLE log (n int)`)
  })

  /** The server's pool, without what asks for the place in the log, and what it was sent. */
  const without = (): { pool: PgPoolLike; sent: string[] } => {
    const { pool } = makePool()
    const sent: string[] = []
    const connect = async (): Promise<PgClientLike> => {
      const client = await pool.connect()
      const query = (...args: unknown[]): unknown => {
        const [first] = args as [string | { text?: string }]
        const text = typeof first === 'string' ? first : (first.text ?? '')
        sent.push(text)
        if (text.includes('pg_walfile_name')) {
          const error = Object.assign(new Error('unknown function'), { code: '42883', severity: 'ERROR' })
          return Promise.reject(error)
        }
        return Reflect.apply(client.query, client, args)
      }
      return new Proxy(client, {
        get(target, key) {
          if (key === 'query') return query
          const value: unknown = Reflect.get(target, key, target)
          return typeof value === 'function' ? value.bind(target) : value
        },
      }) as unknown as PgClientLike
    }
    return { pool: { connect }, sent }
  }

  /** Runs a statement that the guarded client does not see. */
  const behind = (client: PgClientLike, text: string): Promise<unknown> =>
    new Promise((resolve, reject) => {
      const query = new pg.Query(text) as unknown as NodeJS.EventEmitter
      query.on('end', resolve).on('error', reject)
      const raw = client as unknown as { _queryQueue: unknown[]; _pulseQueryQueue(): void }
      raw._queryQueue.push(query)
      raw._pulseQueryQueue()
    })

  const run = async (
    inTransaction: (client: PgClientLike) => Promise<unknown>,
    extra: object = {},
  ): Promise<{ writable: PgBatchWritable<Row>; sent: string[]; done: Promise<void> }> => {
    const { pool, sent } = without()
    const writable = new PgBatchWritable<Row>({
      pool,
      table: 't',
      inTransaction: async (client: PgClientLike) => void (await inTransaction(client)),
      ...extra,
    } as PgBatchWritableOptions<Row>)
    const done = pipeline(Readable.from([rows]), writable)
    done.catch(() => {})
    return { writable, sent, done }
  }

  const checkpoint = { name: 'c', position: ({ id }: Row) => ({ offset: id }) }
  const VARIANTS: readonly [title: string, extra: object][] = [
    ...METHODS.map(way => [`by ${way.title}`, options(way)] as [string, object]),
    ['with a checkpoint', { checkpoint }],
  ]

  for (const [title, extra] of VARIANTS) {
    it(`commits with it, and nests, ${title}`, async () => {
      const { done, sent } = await run(async client => {
        await client.query('BEGIN')
        await client.query('INSERT INTO log VALUES (1)')
        await client.query('ROLLBACK')
        await client.query('INSERT INTO log VALUES (2)')
      }, extra)
      await done
      expect(await countOf(db.pool, 't')).to.equal(3)
      expect(await countOf(db.pool, 'log WHERE n = 2')).to.equal(1)
      expect(await countOf(db.pool, 'log')).to.equal(1)
      expect(sent).to.include('RELEASE SAVEPOINT pg_batch_proof; COMMIT')
    })

    it(`fails the stream when the callback has ended the transaction, ${title}`, async () => {
      const { done, writable } = await run(client => behind(client, 'ROLLBACK'), extra)
      expect(await failureOf(done)).to.include({ code: 'CALLBACK_FAILED', outcome: 'unknown' })
      expect(writable.stats.rowsCommitted).to.equal(0)
      expect(await countOf(db.pool, 't')).to.equal(0)
    })

    it(`rolls back when it throws, ${title}`, async () => {
      const { done } = await run(async client => {
        await client.query('SELECT 1 / 0').catch(() => {})
        throw new Error('no')
      }, extra)
      expect(await failureOf(done)).to.include({ code: 'CALLBACK_FAILED', outcome: 'rolled-back' })
      expect(await countOf(db.pool, 't')).to.equal(0)
    })
  }

  it('is not called for the next batch once it has ended the transaction', async () => {
    let calls = 0
    const writable = new PgBatchWritable<Row>({
      pool: without().pool,
      table: 't',
      async inTransaction(client) {
        calls++
        await client.query('INSERT INTO log VALUES (1)')
        await behind(client, 'ROLLBACK')
      },
    })
    writable.cork() // so that one transaction takes them all
    for (const row of rows) writable.write([row])
    writable.end()
    expect(await failureOf(finished(writable))).to.include({ code: 'CALLBACK_FAILED', outcome: 'unknown' })
    expect(calls).to.equal(1)
    expect(await countOf(db.pool, 'log')).to.equal(0)
  })

  it('stores no checkpoint when another transaction was begun in its place', async () => {
    const { done } = await run(
      async client => {
        await behind(client, 'COMMIT')
        await behind(client, 'BEGIN')
      },
      { checkpoint },
    )
    expect(await failureOf(done)).to.include({ code: 'CALLBACK_FAILED', outcome: 'unknown' })
    expect(await countOf(db.pool, 'pg_batch_checkpoint WHERE position IS NOT NULL')).to.equal(0)
  })

  it('sends plain streams no savepoint', async () => {
    const { pool, sent } = without()
    await pipeline(Readable.from([rows]), new PgBatchWritable<Row>({ pool, table: 't' }))
    expect(sent.filter(text => text.includes('SAVEPOINT'))).to.deep.equal([])
    expect(sent.at(-1)).to.equal('COMMIT')
  })
})

describe('inTransaction on pg-mem', () => {
  it('commits with its rows', async () => {
    const { Pool } = newDb().adapters.createPg()
    const pool = new Pool()
    await pool.query('CREATE TABLE t (id int); CREATE TABLE log (n int)')
    const writable = new PgBatchWritable<Row>({
      pool,
      table: 't',
      method: 'insert',
      columns: ['id'],
      inTransaction: async (client, batch) => {
        await client.query('INSERT INTO log VALUES ($1)', [batch.length])
      },
    })
    await pipeline(Readable.from([rows]), writable)
    expect((await pool.query('SELECT * FROM log')).rows).to.deep.equal([{ n: 3 }])
    expect((await pool.query('SELECT * FROM t')).rows).to.have.length(3)
  })
})
