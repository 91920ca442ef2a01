import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { expect } from 'chai'
import pg from 'pg'
import { from as copyFrom, to as copyTo } from 'pg-copy-streams'
import { PgBatchWritable } from '../../../../lib/writable/pg-batch-writable.ts'
import { settlesWithin } from '../../../support/until.ts'
import { countOf, failureOf, valuesOf } from '../../../support/writing.ts'
import { type Client, type InTransaction, type Row, useInTransaction } from './in-transaction.ts'

describe('the transaction of inTransaction', () => {
  const { db, makePool, rows, run } = useInTransaction()

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
