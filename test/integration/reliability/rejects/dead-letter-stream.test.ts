import { getMaxListeners } from 'node:events'
import { Readable, Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { expect } from 'chai'
import { BatchTransform } from '../../../../lib/batch/batch-transform.ts'
import { PgBatchWritable } from '../../../../lib/writable/pg-batch-writable.ts'
import type { RejectedRow } from '../../../../lib/write/rejects/dead-letter.ts'
import { useDatabase } from '../../../support/servers/database.ts'
import { usePools } from '../../../support/servers/pools.ts'
import { settlesWithin, until } from '../../../support/until.ts'
import { countOf, failureOf } from '../../../support/writing.ts'
import { load } from '../load.ts'

interface Row {
  id: number
  n: number
}

const BAD = [1, 2, 3, 4].map((id): Row => ({ id, n: id % 2 ? -1 : id }))

describe('a Writable as the dead letter', () => {
  const db = useDatabase()
  const makePool = usePools(db)
  const uncaught: unknown[] = []
  const note = (error: unknown) => uncaught.push(error)

  beforeEach(async () => {
    await db.pool.query('DROP TABLE IF EXISTS t; CREATE TABLE t (id int, n int CHECK (n >= 0))')
    process.on('uncaughtExceptionMonitor', note)
  })
  afterEach(() => {
    process.off('uncaughtExceptionMonitor', note)
    expect(uncaught.splice(0)).to.deep.equal([])
  })

  const make = (deadLetter: Writable, extra: object = {}) =>
    new PgBatchWritable<Row>({ pool: makePool().pool, table: 't', rejectLimit: 100, deadLetter, ...extra })

  it('gets each rejected row once, after its COMMIT, and is not ended', async () => {
    const got: RejectedRow<Row>[] = []
    const deadLetter = new Writable({
      objectMode: true,
      write(reject: RejectedRow<Row>, _, callback) {
        got.push(reject)
        countOf(db.pool, 't').then(
          count => callback(count === 2 * reject.batchId ? null : new Error(`${count}`)),
          callback,
        )
      },
    })
    const rejected = await load(
      [BAD, BAD],
      make(deadLetter, { inTransaction: () => {}, concurrency: 1 }),
    ).catch((error: Error) => {
      throw error.cause ?? error
    })
    expect(got).to.deep.equal(rejected)
    expect(got.map(({ batchId, index, item }) => [batchId, index, item])).to.deep.equal([
      [1, 0, BAD[0]],
      [1, 2, BAD[2]],
      [2, 0, BAD[0]],
      [2, 2, BAD[2]],
    ])
    expect(deadLetter).to.include({ writableEnded: false, destroyed: false })
  })

  it('is waited for: nothing further is committed, and the stream not finished, while it is busy', async () => {
    const waiting: (() => void)[] = []
    const deadLetter = new Writable({
      objectMode: true,
      highWaterMark: 1,
      write: (_reject, _encoding, callback) => void waiting.push(callback),
    })
    const writable = make(deadLetter)
    const done = load(
      Array.from({ length: 5 }, () => BAD),
      writable,
    )
    for (let letter = 1; letter <= 10; letter++) {
      await until('a letter', () => waiting.length > 0)
      expect(waiting).to.have.length(1)
      expect(deadLetter.writableLength).to.equal(1)
      expect(writable.writableFinished).to.equal(false)
      expect(await countOf(db.pool, 't')).to.equal(2 * Math.ceil(letter / 2))
      waiting.shift()!()
    }
    await done
    expect(writable.stats).to.include({ rowsCommitted: 10, rowsRejected: 10 })
  })

  const FAILURES: readonly [title: string, make: () => Writable][] = [
    [
      'fails',
      () => new Writable({ objectMode: true, write: (_r, _e, callback) => callback(new Error('full')) }),
    ],
    [
      'throws',
      () =>
        new Writable({
          objectMode: true,
          write() {
            throw new Error('broken')
          },
        }),
    ],
    [
      'was destroyed before',
      () => new Writable({ objectMode: true, write: (_r, _e, callback) => callback() }).destroy(),
    ],
    ['has ended', () => new Writable({ objectMode: true, write: (_r, _e, callback) => callback() }).end()],
    [
      'is destroyed while it is busy, never calls back, and emits no close',
      () =>
        new Writable({
          objectMode: true,
          emitClose: false,
          write(this: Writable) {
            setImmediate(() => this.destroy())
          },
        }),
    ],
    [
      'is destroyed while it is busy, and never calls back',
      () =>
        new Writable({
          objectMode: true,
          write(this: Writable) {
            setImmediate(() => this.destroy())
          },
        }),
    ],
  ]
  for (const [title, makeSink] of FAILURES) {
    it(`fails the stream, its rows committed, when it ${title}`, async () => {
      const writable = make(makeSink())
      const error = await failureOf(settlesWithin(2000, load([BAD], writable)))
      expect(error).to.include({ code: 'CALLBACK_FAILED', outcome: 'committed', retryable: false })
      expect(error.message).to.contain('deadLetter')
      expect(await countOf(db.pool, 't')).to.equal(2)
      expect(writable.stats).to.include({ rowsCommitted: 2, rowsRejected: 2, rowsPending: 0 })
    })
  }

  for (const event of ['commit', 'reject'] as const) {
    it(`gets the rejected rows also where a listener of '${event}' throws, which fails the stream`, async () => {
      const got: number[] = []
      const deadLetter = new Writable({
        objectMode: true,
        write({ index }: RejectedRow<Row>, _, callback) {
          got.push(index)
          callback()
        },
      })
      const sink = make(deadLetter)
      sink.on(event, () => {
        throw new Error("a listener's own")
      })
      const error = await failureOf(pipeline(Readable.from([BAD]), sink))
      expect(error).to.include({ code: 'CALLBACK_FAILED', callback: `on('${event}')`, outcome: 'committed' })
      expect(await countOf(db.pool, 't')).to.equal(2)
      expect(got).to.deep.equal([0, 2])
    })
  }

  it('may be shared by many streams without a warning, and keeps no listener of theirs', async () => {
    const warnings: Error[] = []
    const onWarning = (warning: Error): void => void warnings.push(warning)
    process.on('warning', onWarning)
    const got: RejectedRow<Row>[] = []
    const deadLetter = new Writable({
      objectMode: true,
      write(reject: RejectedRow<Row>, _, callback) {
        got.push(reject)
        setImmediate(callback)
      },
    })
    const { signal } = new AbortController()
    const limit = getMaxListeners(signal as never) // 10 in Node.js 20, none later
    const { pool } = makePool()
    const streams = Array.from({ length: 25 }, () => make(deadLetter, { pool, signal }))
    const transforms = Array.from({ length: 25 }, () => new BatchTransform<Row>({ signal }))
    await Promise.all(
      streams.map((writable, index) => pipeline(Readable.from(BAD), transforms[index]!, writable)),
    )
    await new Promise(resolve => setImmediate(resolve))
    process.off('warning', onWarning)
    expect(warnings).to.deep.equal([])
    expect(got).to.have.length(50)
    expect(deadLetter.listenerCount('error') + deadLetter.listenerCount('close')).to.equal(0)
    expect(deadLetter.getMaxListeners()).to.equal(10)
    expect(getMaxListeners(signal as never)).to.equal(limit)
  })

  /** Takes a row in two milliseconds, and so 300 of them in more than half a second. */
  const slowly = (got: RejectedRow<Row>[]): Writable =>
    new Writable({
      objectMode: true,
      highWaterMark: 1,
      write(reject: RejectedRow<Row>, _, callback) {
        got.push(reject)
        setTimeout(callback, 2)
      },
    })
  const MANY = Array.from({ length: 300 }, (_, id): Row => ({ id, n: -1 }))

  const OVER: readonly [title: string, end: (writable: PgBatchWritable<Row>, abort: () => void) => void][] = [
    ['is destroyed', writable => void writable.destroy(new Error('over'))],
    ['is asked to end soon', (_, abort) => abort()],
    ['fails in another lane', writable => void writable.write([{ id: 1, n: 'many' as never }])],
  ]
  for (const [title, end] of OVER) {
    it(`gets all rows of a batch that is committed, as long as it takes them, when the stream ${title}`, async () => {
      const got: RejectedRow<Row>[] = []
      const graceful = new AbortController()
      const writable = make(slowly(got), {
        concurrency: 2,
        rejectLimit: MANY.length,
        gracefulSignal: graceful.signal,
      })
      const failed = new Promise(resolve => writable.on('error', resolve))
      writable.write(MANY)
      await until('a letter', () => got.length > 0)
      end(writable, () => graceful.abort(new Error('over')))
      await failed
      await until('closed', () => writable.closed)
      expect(got.map(({ index }) => index)).to.deep.equal([...MANY.keys()])
      expect(writable.stats).to.include({ rowsRejected: MANY.length })
    })
  }

  it('fails without counting as committed what another lane is writing, which onDiscard gets', async () => {
    await db.pool.query(`CREATE OR REPLACE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN IF NEW.id = 1000 THEN PERFORM pg_sleep(0.2); END IF; RETURN NEW; END $$;
      CREATE TRIGGER wait BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION wait()`)
    const discarded: Row[] = []
    let fail: () => void = () => {}
    const deadLetter = new Writable({
      objectMode: true,
      write(_reject, _encoding, callback) {
        fail = () => callback(new Error('full'))
      },
    })
    const writable = make(deadLetter, {
      concurrency: 2,
      onDiscard: (items: Row[]) => void discarded.push(...items),
    })
    const failed = new Promise<Error>(resolve => writable.on('error', resolve))
    writable.write(BAD)
    await until('a letter', () => deadLetter.writableLength > 0)
    const slow = [{ id: 1000, n: 1 }]
    writable.write(slow)
    await until('the other lane', async () => {
      const { rows } = await db.pool.query(
        "SELECT FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname = current_database()",
      )
      return rows.length > 0
    })
    fail()
    expect(await failed).to.include({ code: 'CALLBACK_FAILED', outcome: 'committed' })
    await until('closed', () => writable.closed)
    expect(await countOf(db.pool, 't')).to.equal(2)
    expect(writable.stats).to.include({ rowsCommitted: 2, rowsRejected: 2, rowsPending: 1 })
    expect(discarded).to.deep.equal(slow)
  })

  it('does not keep a destroyed stream waiting', async () => {
    const deadLetter = new Writable({ objectMode: true, write() {} })
    const writable = make(deadLetter)
    const done = load([BAD], writable)
    done.catch(() => {})
    await until('a letter', () => deadLetter.writableLength > 0)
    writable.destroy()
    await until('closed', () => writable.closed, 1500)
    expect(deadLetter.listenerCount('error')).to.equal(0)
  })
})
