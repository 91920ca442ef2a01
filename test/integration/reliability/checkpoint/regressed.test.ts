import { PassThrough } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { expect } from 'chai'
import { PgBatchWritable } from '../../../../lib/writable/pg-batch-writable.ts'
import { readCheckpoint } from '../../../../lib/write/checkpoint/read-checkpoint.ts'
import { FaultProxy } from '../../../support/network/proxy.ts'
import { useDatabase } from '../../../support/servers/database.ts'
import { usePools } from '../../../support/servers/pools.ts'
import { until } from '../../../support/until.ts'
import { failureOf, METHODS, options, rowsOf, valuesOf } from '../../../support/writing.ts'
import { load } from '../load.ts'

interface Row {
  part: string
  n: number
}

const position = ({ part, n }: Row) => ({ partition: part, offset: n })

/** What takes commits back, as the server of after a failover or a restore shows it. */
const REGRESSIONS = [
  { title: 'a lower position', sql: 'UPDATE pg_batch_checkpoint SET position = 4', left: 4n },
  { title: 'a position of NULL', sql: 'UPDATE pg_batch_checkpoint SET position = NULL', left: undefined },
  { title: 'a deleted row', sql: 'DELETE FROM pg_batch_checkpoint', left: undefined },
  {
    title: 'a table that was created again',
    sql: `DROP TABLE pg_batch_checkpoint; CREATE TABLE pg_batch_checkpoint (name text, partition text,
      position bigint, updated_at timestamptz DEFAULT now(), PRIMARY KEY (name, partition))`,
    left: undefined,
  },
  { title: 'a table that was dropped', sql: 'DROP TABLE pg_batch_checkpoint', left: undefined },
]

describe('a checkpoint that moves backwards', () => {
  const db = useDatabase()
  const makePool = usePools(db)

  beforeEach(async () => {
    await db.pool.query('DROP TABLE IF EXISTS t, pg_batch_checkpoint; CREATE TABLE t (part text, n int)')
  })

  let proxy: FaultProxy | undefined
  afterEach(async () => {
    await proxy?.stop()
    proxy = undefined
  })

  const rows = (from: number, to: number, part = 'a') => rowsOf(to - from, (n): Row => ({ part, n }), from)
  const stored = async (part = 'a') =>
    (await valuesOf(db.pool, `SELECT n FROM t WHERE part = '${part}' ORDER BY n`)).flat()
  const numbers = (from: number, to: number) => rowsOf(to - from, n => n, from)
  const lose = (sql: string, part = 'a') =>
    db.pool.query(`DELETE FROM t WHERE n >= 5 AND part = '${part}'; ${sql}`)

  /** A stream that is written to in steps. */
  const open = (extra: { startsAfter?: ReadonlyMap<string, bigint>; [option: string]: unknown } = {}) => {
    const { startsAfter, ...more } = extra
    const sink = new PgBatchWritable<Row>({
      pool: makePool().pool,
      table: 't',
      checkpoint: { name: 't', position, startsAfter },
      ...more,
    })
    const input = new PassThrough({ objectMode: true })
    const done = pipeline(input, sink)
    done.catch(() => {})
    const settled = (count: number) =>
      until(`${count} settled rows`, () => sink.stats.rowsReceived - sink.stats.rowsPending >= count)
    return { sink, input, done, settled }
  }

  for (const { title, sql, left } of REGRESSIONS) {
    it(`fails the stream that had committed more: ${title}`, async () => {
      const { sink, input, done, settled } = open()
      input.write(rows(0, 10))
      await settled(10)
      await lose(sql)
      input.write(rows(10, 20))
      const error = await failureOf(done)
      expect(error).to.include({
        code: 'CHECKPOINT_REGRESSED',
        outcome: 'rolled-back',
        retryable: false,
        batchId: 2,
      })
      expect(error.message).to.include('readCheckpoint')
      expect(sink.stats).to.include({ rowsCommitted: 10, rowsPending: 10 })
      expect(await stored()).to.deep.equal(numbers(0, 5))
      expect((await readCheckpoint(db.pool, 't')).get('a')).to.equal(left)
    })
  }

  for (const way of METHODS) {
    it(`is exact once the source is read again after the stored position, by ${way.title}`, async () => {
      const { input, done, settled } = open(options(way))
      input.write(rows(0, 10))
      await settled(10)
      await lose('UPDATE pg_batch_checkpoint SET position = 4')
      input.write(rows(10, 20))
      expect(await failureOf(done)).to.include({ code: 'CHECKPOINT_REGRESSED' })
      const startsAfter = await readCheckpoint(db.pool, 't')
      const again = open({ ...options(way), startsAfter })
      again.input.end(rows(Number(startsAfter.get('a')) + 1, 20))
      await again.done
      expect(await stored()).to.deep.equal(numbers(0, 20))
    })
  }

  it('commits nothing of a transaction whose second partition has moved backwards', async () => {
    const { input, done, settled } = open()
    input.write([...rows(0, 10), ...rows(0, 10, 'b')])
    await settled(20)
    await lose("UPDATE pg_batch_checkpoint SET position = 4 WHERE partition = 'b'", 'b')
    input.cork()
    input.write(rows(10, 20))
    input.write(rows(10, 20, 'b'))
    input.uncork()
    const error = await failureOf(done)
    expect(error.code).to.equal('CHECKPOINT_REGRESSED')
    expect(error.message).to.include('"b"')
    expect(await stored('a')).to.deep.equal(numbers(0, 10))
    expect(await stored('b')).to.deep.equal(numbers(0, 5))
  })

  it('commits no batch by itself when a later one of its transaction has met the loss', async () => {
    const { input, done, settled } = open()
    input.write(rows(0, 10, 'b'))
    // so many that b is not among the latest positions, which the first batch looks at
    input.write(rowsOf(250, (n): Row => ({ part: `p${n}`, n: 0 })))
    await settled(260)
    await lose("UPDATE pg_batch_checkpoint SET position = 4 WHERE partition = 'b'", 'b')
    for (const part of ['a', 'b']) input.write(rows(10, 20, part))
    expect(await failureOf(done)).to.include({ code: 'CHECKPOINT_REGRESSED', batchId: 4 })
    expect(await stored('a')).to.deep.equal([])
    expect(await stored('b')).to.deep.equal(numbers(0, 5))
  })

  it('notices at the next transaction that another partition has moved backwards', async () => {
    for (const concurrency of [1, 3]) {
      await db.pool.query('TRUNCATE t; DELETE FROM pg_batch_checkpoint').catch(() => {})
      const { input, done, settled } = open({ concurrency })
      input.write([...rows(0, 10), ...rows(0, 10, 'b'), ...rows(0, 10, 'c')])
      await settled(30)
      await lose("UPDATE pg_batch_checkpoint SET position = 4 WHERE partition = 'b'", 'b')
      input.write(rows(10, 20))
      expect(await failureOf(done)).to.include({ code: 'CHECKPOINT_REGRESSED' })
      expect(await stored('a')).to.deep.equal(numbers(0, 10))
    }
  })

  it('notices it at the end of the input, when no further transaction comes', async () => {
    const { sink, input, done, settled } = open()
    input.write(rows(0, 10))
    await settled(10)
    await lose('UPDATE pg_batch_checkpoint SET position = 4')
    input.end()
    expect(await failureOf(done)).to.include({ code: 'CHECKPOINT_REGRESSED', outcome: 'rolled-back' })
    expect(sink.stats.rowsCommitted).to.equal(10)
  })

  it('knows the positions that it found stored as well as those that it stored', async () => {
    await load([rows(0, 10)], open().sink)
    const { sink, input, done, settled } = open()
    input.write(rows(0, 10))
    await settled(10)
    expect(sink.stats.rowsSkipped).to.equal(10)
    await lose('UPDATE pg_batch_checkpoint SET position = 4')
    input.write(rows(10, 20))
    expect(await failureOf(done)).to.include({ code: 'CHECKPOINT_REGRESSED' })
    expect(await stored()).to.deep.equal(numbers(0, 5))
  })

  it('knows from `startsAfter` what the source has skipped', async () => {
    await load([rows(0, 10)], open().sink)
    const startsAfter = await readCheckpoint(db.pool, 't')
    await lose('UPDATE pg_batch_checkpoint SET position = 4')
    const { input, done } = open({ startsAfter })
    input.end(rows(10, 20))
    expect(await failureOf(done)).to.include({ code: 'CHECKPOINT_REGRESSED', batchId: 1 })
    expect(await stored()).to.deep.equal(numbers(0, 5))
  })

  it('knows a commit whose answer was lost, once the server has confirmed it', async () => {
    proxy = await FaultProxy.start(Number(new URL(db.connectionString).port))
    const url = new URL(db.connectionString)
    url.port = String(proxy.port)
    const { input, done, settled } = open({ pool: makePool({ connectionString: url.href }).pool })
    const fired = proxy.arm({
      direction: 'down',
      at: ({ name, text }) => name === 'CommandComplete' && text === 'COMMIT',
      action: { do: 'reset' },
    })
    input.write(rows(0, 10))
    await settled(10)
    await fired
    await lose('UPDATE pg_batch_checkpoint SET position = 4')
    input.write(rows(10, 20))
    expect(await failureOf(done)).to.include({ code: 'CHECKPOINT_REGRESSED', batchId: 2 })
    expect(await stored()).to.deep.equal(numbers(0, 5))
  })

  it('fails a stream that may reject rows, and rejects none of them', async () => {
    const { sink, input, done, settled } = open({ rejectLimit: 100 })
    input.write(rows(0, 10))
    await settled(10)
    await lose('UPDATE pg_batch_checkpoint SET position = 4')
    input.write(rows(10, 20))
    expect(await failureOf(done)).to.include({ code: 'CHECKPOINT_REGRESSED' })
    expect(sink.stats.rowsRejected).to.equal(0)
  })

  it('accepts a position that another writer has moved forward', async () => {
    const { sink, input, done, settled } = open()
    input.write(rows(0, 10))
    await settled(10)
    await load([rows(0, 15)], open().sink)
    input.end(rows(10, 20))
    await done
    expect(sink.stats).to.include({ rowsCommitted: 15, rowsSkipped: 5 })
    expect(await stored()).to.deep.equal(numbers(0, 20))
  })

  it('leaves the positions of other names alone', async () => {
    const { input, done, settled } = open()
    input.write(rows(0, 10))
    await settled(10)
    await db.pool.query("INSERT INTO pg_batch_checkpoint VALUES ('u', 'a', 1)")
    await load([rows(2, 3)], open({ checkpoint: { name: 'u', position } }).sink)
    input.end(rows(10, 20))
    await done
    expect(await stored()).to.deep.equal([0, 1, 2, 2, ...numbers(3, 20)])
  })

  it('expects `startsAfter` to be what readCheckpoint returns', () => {
    for (const startsAfter of [{ a: 4n }, new Map([['a', 4]]), 4n]) {
      expect(() => open({ startsAfter: startsAfter as unknown as Map<string, bigint> })).to.throw(
        TypeError,
        'checkpoint.startsAfter',
      )
    }
  })
})
