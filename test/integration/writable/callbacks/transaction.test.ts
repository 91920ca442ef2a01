import { Readable } from 'node:stream'
import { finished, pipeline } from 'node:stream/promises'
import { expect } from 'chai'
import pg from 'pg'
import { from as copyFrom, to as copyTo } from 'pg-copy-streams'
import type { PgClientLike } from '../../../../lib/connection/pg-types.ts'
import type { PgBatchWritableOptions } from '../../../../lib/writable/options.ts'
import { PgBatchWritable } from '../../../../lib/writable/pg-batch-writable.ts'
import { useDatabase } from '../../../support/servers/database.ts'
import { usePools } from '../../../support/servers/pools.ts'
import { settlesWithin, until } from '../../../support/until.ts'
import { countOf, failureOf, METHODS, options, rowsOf, valuesOf, write } from '../../../support/writing.ts'

interface Row {
  id: number
}
type Client = pg.PoolClient
type InTransaction = (client: Client, batch: readonly Row[]) => Promise<unknown> | unknown

describe('the transaction of inTransaction', () => {
  const db = useDatabase()
  const makePool = usePools(db)

  beforeEach(async () => {
    await db.pool.query(`DROP TABLE IF EXISTS t, log, rejected, pg_batch_checkpoint;
      CREATE TABLE t (id int PRIMARY KEY CHECK (id >= 0)); CREATE TABLE log (n int)`)
  })

  const rows = rowsOf(3, id => ({ id }))
  const optionsWith = (inTransaction: InTransaction, extra: object = {}) =>
    ({
      pool: makePool().pool,
      table: 't',
      inTransaction: async (client: PgClientLike, batch: readonly Row[]) =>
        void (await inTransaction(client as unknown as Client, batch)),
      ...extra,
    }) as PgBatchWritableOptions<Row>
  const run = (inTransaction: InTransaction, extra: object = {}) =>
    write([rows], optionsWith(inTransaction, extra))

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

  const CONTROL: readonly [title: string, begin: string, end: string, kept: boolean][] = [
    ['BEGIN and COMMIT', 'BEGIN', 'COMMIT', true],
    ['start transaction and end', ' /* x */ start transaction;', 'end;', true],
    ['BEGIN and ROLLBACK', 'begin work', '-- no\n rollback', false],
    ['BEGIN and ABORT', 'BEGIN TRANSACTION', 'ABORT', false],
  ]
  type Ask = (client: Client, text: string) => Promise<unknown>
  const FORMS: readonly [title: string, ask: Ask][] = [
    ['text', (client, text) => client.query(text)],
    ['text and values', (client, text) => client.query(text, [])],
    [
      'an object',
      (client, text) => client.query({ text, name: 'a name', rowMode: 'array' } as pg.QueryConfig),
    ],
    ['an object and values', (client, text) => client.query({ text }, [])],
    [
      'text and a callback',
      (client, text) =>
        new Promise((resolve, reject) =>
          client.query(text, (error: Error | undefined, result) => (error ? reject(error) : resolve(result))),
        ),
    ],
    [
      'an object with a callback',
      (client, text) =>
        new Promise((resolve, reject) => {
          const callback = (error: Error | undefined, result: unknown): void =>
            error ? reject(error) : resolve(result)
          client.query({ text, callback } as never)
        }),
    ],
    [
      'a pg.Query',
      (client, text) =>
        new Promise((resolve, reject) => {
          const query = new pg.Query(text) as unknown as NodeJS.EventEmitter
          query.on('end', resolve).on('error', reject)
          client.query(query as never)
        }),
    ],
  ]
  for (const [form, ask] of FORMS) {
    for (const [title, begin, end, kept] of CONTROL) {
      it(`nests ${title} as a savepoint, asked by ${form}`, async () => {
        await run(async client => {
          await client.query('INSERT INTO log VALUES (1)')
          await ask(client, begin)
          await client.query('INSERT INTO log VALUES (2)')
          await ask(client, end)
          await client.query('INSERT INTO log VALUES (3)')
        })
        expect(await valuesOf(db.pool, 'SELECT n FROM log ORDER BY n')).to.deep.equal(
          kept ? [[1], [2], [3]] : [[1], [3]],
        )
        expect(await countOf(db.pool, 't')).to.equal(3)
      })
    }

    it(`refuses a ROLLBACK without a BEGIN, asked by ${form}`, async () => {
      const error = await failureOf(run(client => ask(client, 'ROLLBACK')))
      expect(error).to.include({ code: 'CALLBACK_FAILED', outcome: 'rolled-back' })
      expect(error.message).to.match(/`inTransaction`.* ROLLBACK without a BEGIN/)
      expect(await countOf(db.pool, 't')).to.equal(0)
    })
  }

  it('rolls a failed inner transaction back, and continues', async () => {
    await run(async client => {
      for (let times = 0; times < 3; times++) {
        await client.query('BEGIN')
        await client.query('INSERT INTO log VALUES (1)')
        await client.query('SELECT 1 / 0').catch(() => {})
        // RELEASE fails now, as COMMIT would; the ORM rolls back
        await client.query('COMMIT').then(
          () => expect.fail('commits what has failed'),
          () => client.query('ROLLBACK'),
        )
      }
      await client.query('INSERT INTO log VALUES (2)')
    })
    expect(await valuesOf(db.pool, 'SELECT n FROM log')).to.deep.equal([[2]])
  })

  it('answers with the command that the callback has sent', async () => {
    const commands: string[] = []
    await run(async client => {
      for (const text of ['BEGIN', 'ROLLBACK', 'BEGIN', 'COMMIT'])
        commands.push((await client.query(text)).command)
    })
    expect(commands).to.deep.equal(['BEGIN', 'ROLLBACK', 'BEGIN', 'COMMIT'])
  })

  const REFUSED: readonly [title: string, callback: InTransaction, words: RegExp][] = [
    ['a COMMIT without a BEGIN', client => client.query('COMMIT'), /COMMIT without a BEGIN/],
    [
      'a second COMMIT',
      async c => {
        for (const text of ['BEGIN', 'END', 'END']) await c.query(text)
      },
      /COMMIT without/,
    ],
    ['an isolation level', c => c.query('BEGIN ISOLATION LEVEL SERIALIZABLE'), /isolation level/],
    ['SET TRANSACTION', c => c.query('SET TRANSACTION READ ONLY'), /SET TRANSACTION/],
    ['COMMIT AND CHAIN', c => c.query('COMMIT AND CHAIN'), /AND CHAIN/],
    ['PREPARE TRANSACTION', c => c.query("PREPARE TRANSACTION 'x'"), /PREPARE TRANSACTION/],
    ['several statements', c => c.query('BEGIN; SELECT 1; COMMIT'), /several statements/],
    ['release()', c => c.release(), /release/],
    ['end()', c => (c as unknown as pg.Client).end(), /release or end/],
    ['a BEGIN without its end', c => c.query('BEGIN'), /BEGIN without its COMMIT/],
    ['a refused statement that is not awaited', c => void c.query('ROLLBACK'), /ROLLBACK without a BEGIN/],
    ['a refused statement whose error is caught', c => c.query('COMMIT').catch(() => {}), /COMMIT without/],
  ]
  for (const [title, callback, words] of REFUSED) {
    it(`refuses ${title}, naming inTransaction, and keeps the client`, async () => {
      const { pool } = makePool({ max: 1 })
      const error = await failureOf(run(callback, { pool }))
      expect(error).to.include({ code: 'CALLBACK_FAILED', outcome: 'rolled-back', retryable: false })
      expect(error.message).to.match(words)
      expect(error.message).to.contain('inTransaction')
      expect(error.cause).to.have.property('message').that.contains('inTransaction')
      expect(await countOf(db.pool, 't')).to.equal(0)
      expect(pool.totalCount).to.equal(1)
    })
  }

  it("leaves the callback's own savepoints alone", async () => {
    await run(async client => {
      await client.query('SAVEPOINT a; INSERT INTO log VALUES (1)')
      await client.query('ROLLBACK TO SAVEPOINT a; RELEASE a; INSERT INTO log VALUES (2)')
    })
    expect(await valuesOf(db.pool, 'SELECT n FROM log')).to.deep.equal([[2]])
  })

  it('lets the callback run a COPY, and waits for one that it has ended', async () => {
    await run(async client => {
      const copy = client.query(copyFrom('COPY log FROM STDIN'))
      copy.write('1\n')
      copy.end('2\n')
    })
    expect(await countOf(db.pool, 'log')).to.equal(2)
  })

  it('takes streams of pg-copy-streams by the types of its client, and returns them', async () => {
    const seen: string[] = []
    const sink = new PgBatchWritable<Row>({
      pool: makePool().pool,
      table: 't',
      inTransaction: async (client, batch) => {
        const copy = client.query(copyFrom('COPY log FROM STDIN'))
        await pipeline(Readable.from(batch.map(({ id }) => `${id * 10}\n`)), copy)
        expect(copy.rowCount).to.equal(rows.length)
        for await (const chunk of client.query(copyTo('COPY (SELECT n FROM log ORDER BY n) TO STDOUT')))
          seen.push(String(chunk))
        const { rows: found } = await client.query('SELECT count(*)::int AS count FROM t')
        expect(found).to.deep.equal([{ count: rows.length }])
      },
    })
    await pipeline(Readable.from([rows]), sink)
    expect(seen.join('')).to.equal(rows.map(({ id }) => `${id * 10}\n`).join(''))
    expect(await countOf(db.pool, 'log')).to.equal(rows.length)
  })

  const OPEN: readonly [title: string, callback: InTransaction][] = [
    ['returns', client => void client.query(copyFrom('COPY log FROM STDIN')).write('1\n')],
    [
      'returns, and a query that it has left running opens it',
      client => {
        client.query('SELECT 1').then(() => client.query(copyFrom('COPY log FROM STDIN')).write('1\n'))
      },
    ],
    [
      'throws',
      client => {
        client.query(copyFrom('/* mine */ COPY log FROM STDIN')).write('1\n')
        throw new Error('in the middle')
      },
    ],
  ]
  for (const [title, callback] of OPEN) {
    it(`does not wait for a COPY that is left open when the callback ${title}`, async () => {
      const error = await failureOf(settlesWithin(3000, run(callback)))
      expect(error).to.include({ code: 'CALLBACK_FAILED', outcome: 'rolled-back', retryable: false })
      if (title !== 'throws') expect(error.message).to.match(/`inTransaction` has left a COPY open/)
      expect(await countOf(db.pool, 't')).to.equal(0)
      expect(await countOf(db.pool, 'log')).to.equal(0)
    })
  }

  it('refuses queries that a callback sends after its end', async () => {
    let late: Client | undefined
    await run(client => {
      late = client
    })
    expect(() => late!.release()).to.throw('inTransaction')
    const error = await late!.query('SELECT 1').then(
      () => undefined,
      (reason: Error) => reason,
    )
    expect(error?.message).to.match(/`inTransaction` has ended/)
  })

  it('waits for queries that the callback does not wait for', async () => {
    await run(client => void client.query('SELECT pg_sleep(0.05); INSERT INTO log VALUES (1)'))
    expect(await countOf(db.pool, 'log')).to.equal(1)
  })

  it('waits for those that follow them, and for a COPY that they open', async () => {
    const failures: unknown[] = []
    await run(client => {
      const log = (value: number) => client.query(`INSERT INTO log VALUES (${value})`)
      log(1)
        .then(() => log(2))
        .then(() => log(3))
        .then(() => void client.query(copyFrom('COPY log FROM STDIN')).end('4\n'))
        .catch(error => failures.push(error))
    })
    expect(failures).to.deep.equal([])
    expect(await countOf(db.pool, 'log')).to.equal(4)
  })
})
