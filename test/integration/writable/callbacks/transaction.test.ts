import { Readable } from 'node:stream'
import { finished, pipeline } from 'node:stream/promises'
import { expect } from 'chai'
import pg from 'pg'
import { PgBatchWritable } from '../../../../lib/writable/pg-batch-writable.ts'
import { until } from '../../../support/until.ts'
import { countOf, failureOf, METHODS, options, rowsOf, write } from '../../../support/writing.ts'
import { type Client, type Row, useInTransaction } from './in-transaction.ts'

describe('the transaction of inTransaction', () => {
  const { db, makePool, rows, optionsWith, run } = useInTransaction()

  /** The client below the one that the callback gets: what a library may hold that patches pg. */
  const behind = (client: Client, text: string): Promise<unknown> =>
    new Promise((resolve, reject) => {
      const query = new pg.Query(text) as unknown as NodeJS.EventEmitter
      query.on('end', resolve).on('error', reject)
      const raw = client as unknown as { _queryQueue: unknown[]; _pulseQueryQueue(): void }
      raw._queryQueue.push(query)
      raw._pulseQueryQueue()
    })

  const checkpoint = { name: 'c', position: ({ id }: Row) => ({ offset: Math.abs(id) }) }
  const VARIANTS: readonly [title: string, extra: object][] = [
    ...METHODS.map(way => [`by ${way.title}`, options(way)] as [string, object]),
    ['with a checkpoint', { checkpoint }],
    ['with a dead-letter table', { deadLetter: { table: 'rejected' }, rejectLimit: 9 }],
  ]

  for (const [title, extra] of VARIANTS) {
    it(`fails the stream when the callback has rolled it back, nothing committed, ${title}`, async () => {
      const discarded: Row[] = []
      const writable = new PgBatchWritable<Row>(
        optionsWith(client => behind(client, 'ROLLBACK'), {
          ...extra,
          onDiscard: (items: Row[]) => void discarded.push(...items),
        }),
      )
      const commits: unknown[] = []
      writable.on('commit', commit => commits.push(commit))
      const bad = 'rejectLimit' in extra ? [{ id: -7 }] : []
      const error = await failureOf(pipeline(Readable.from([[...rows, ...bad]]), writable))
      await until('closed', () => writable.closed)
      expect(error).to.include({ code: 'CALLBACK_FAILED', callback: 'inTransaction', outcome: 'rolled-back' })
      expect(error.message).to.contain('inTransaction')
      expect(writable.stats).to.include({ rowsCommitted: 0, rowsRejected: 0 })
      expect(writable.stats.rowsPending).to.equal(writable.stats.rowsReceived)
      expect(discarded).to.have.length(writable.stats.rowsReceived)
      expect(commits).to.deep.equal([])
      expect(await countOf(db.pool, 't')).to.equal(0)
      const { rows: sides } = await db.pool.query(`SELECT to_regclass('rejected')::text AS rejected,
        to_regclass('pg_batch_checkpoint')::text AS checkpoint`)
      if (sides[0].rejected) expect(await countOf(db.pool, 'rejected')).to.equal(0)
      if (sides[0].checkpoint)
        expect(await countOf(db.pool, 'pg_batch_checkpoint WHERE position IS NOT NULL')).to.equal(0)
    })

    it(`reports rows as committed that the callback has committed, no more, ${title}`, async () => {
      const discarded: Row[] = []
      const writable = new PgBatchWritable<Row>(
        optionsWith(client => behind(client, 'COMMIT'), {
          ...extra,
          onDiscard: (items: Row[]) => void discarded.push(...items),
        }),
      )
      const bad = 'rejectLimit' in extra ? [{ id: -7 }] : []
      const error = await failureOf(pipeline(Readable.from([[...rows, ...bad]]), writable))
      await until('closed', () => writable.closed)
      expect(error).to.include({ code: 'CALLBACK_FAILED', outcome: 'committed', retryable: false })
      expect(await countOf(db.pool, 't')).to.equal(3)
      expect(writable.stats).to.include({ rowsCommitted: 3, rowsRejected: 0, rowsPending: bad.length })
      expect(discarded, 'what is committed is not given back, what is nowhere is').to.deep.equal(bad)
      if ('checkpoint' in extra)
        expect(await countOf(db.pool, 'pg_batch_checkpoint WHERE position IS NOT NULL')).to.equal(0)
    })
  }

  it('fails the stream when another transaction was begun in its place, which is rolled back', async () => {
    const error = await failureOf(
      run(async client => {
        await behind(client, 'ROLLBACK')
        await behind(client, 'BEGIN')
        await client.query('INSERT INTO log VALUES (1)')
      }),
    )
    expect(error).to.include({ code: 'CALLBACK_FAILED', outcome: 'rolled-back' })
    expect(await countOf(db.pool, 'log')).to.equal(0)
  })

  it('is not lent for the next batch once a callback has ended it: that batch would autocommit', async () => {
    const calls: number[] = []
    const writable = new PgBatchWritable<Row>(
      optionsWith(async (client, batch) => {
        calls.push(batch[0]!.id)
        await client.query('INSERT INTO log VALUES (1)')
        await behind(client, 'ROLLBACK')
      }),
    )
    writable.cork() // so that one transaction takes them all
    for (const row of rows) writable.write([row])
    writable.end()
    expect(await failureOf(finished(writable))).to.include({
      code: 'CALLBACK_FAILED',
      outcome: 'rolled-back',
    })
    expect(calls, 'with the other batches, and then by itself').to.deep.equal([0, 0])
    expect(await countOf(db.pool, 'log')).to.equal(0)
    expect(await countOf(db.pool, 't')).to.equal(0)
  })

  it('is also right when the callback throws after it has ended the transaction', async () => {
    const error = await failureOf(
      run(async client => {
        await behind(client, 'COMMIT')
        throw new Error('and now this')
      }),
    )
    expect(error).to.include({ code: 'CALLBACK_FAILED', outcome: 'committed' })
    expect(error.cause).to.have.property('message', 'and now this')
    expect(await countOf(db.pool, 't')).to.equal(3)
  })

  it('cannot be ended by a DO block, a procedure or a function', async () => {
    await db.pool.query(`CREATE OR REPLACE PROCEDURE end_it() LANGUAGE plpgsql AS 'BEGIN ROLLBACK; END'`)
    for (const text of ['DO $$ BEGIN COMMIT; END $$', 'CALL end_it()']) {
      const error = await failureOf(run(client => client.query(text)))
      expect(error).to.include({ code: 'CALLBACK_FAILED', outcome: 'rolled-back', sqlState: '2D000' })
    }
    expect(await countOf(db.pool, 't')).to.equal(0)
  })

  it('is also missed when other code with the same client has ended it', async () => {
    const { pool } = makePool({ max: 1 })
    const client = await pool.connect()
    const shared = { connect: async () => Object.assign(Object.create(client), { release() {} }) }
    for (const [text, outcome] of [
      ['ROLLBACK', 'rolled-back'],
      ['COMMIT', 'committed'],
    ] as const) {
      await db.pool.query('TRUNCATE t')
      const writable = new PgBatchWritable<Row>({
        pool: shared as never,
        table: 't',
        method: 'insert',
        checkpoint,
      })
      const { query } = client
      client.query = ((...args: [string]) => {
        const [first] = args as [string | { text?: string }]
        // it comes between the rows and the checkpoint
        const isStore = (typeof first === 'string' ? first : first.text)?.includes('SET position')
        const before = isStore ? Reflect.apply(query, client, [text]) : Promise.resolve()
        return before.then(() => Reflect.apply(query, client, args))
      }) as typeof query
      const error = await failureOf(pipeline(Readable.from([rows]), writable))
      client.query = query
      expect(error).to.include({ outcome })
      expect(await countOf(db.pool, 't')).to.equal(text === 'COMMIT' ? 3 : 0)
      expect(await countOf(db.pool, 'pg_batch_checkpoint WHERE position IS NOT NULL')).to.equal(0)
    }
    client.release()
  })

  it('names the batch whose callback ended it, and keeps those before', async () => {
    const batches = rowsOf(4, batch => rowsOf(10, id => ({ id }), batch * 10))
    const error = await failureOf(
      write(
        batches,
        optionsWith((client, batch) => (batch[0]!.id === 20 ? behind(client, 'ROLLBACK') : undefined)),
      ),
    )
    expect(error).to.include({ outcome: 'rolled-back', batchId: 3 })
    expect(await countOf(db.pool, 't')).to.equal(20)
  })
})
