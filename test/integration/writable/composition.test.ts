import { once } from 'node:events'
import { Readable, Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { expect } from 'chai'
import chain from 'stream-chain'
import { BatchTransform } from '../../../lib/batch/batch-transform.ts'
import { PgBatchWritable } from '../../../lib/writable/pg-batch-writable.ts'
import { useDatabase } from '../../support/servers/database.ts'
import { lockTable, untilBlocked, usePools } from '../../support/servers/pools.ts'
import { until } from '../../support/until.ts'
import { batchesOf, countOf, rejectionOf, rowsOf } from '../../support/writing.ts'

interface Row {
  id: number
}

describe('composed with other streams', () => {
  const db = useDatabase()
  const makePool = usePools(db)

  beforeEach(async () => {
    await db.pool.query('DROP TABLE IF EXISTS t; CREATE TABLE t (id int PRIMARY KEY)')
  })

  const makeWritable = () => new PgBatchWritable<Row>({ pool: makePool().pool, table: 't' })
  const rows = rowsOf(2345, id => ({ id }))

  it('ends a pipeline of generators', async () => {
    await pipeline(
      async function* () {
        yield* rows
      },
      async function* (source: AsyncIterable<Row>) {
        for await (const { id } of source) yield { id: id + 1 }
      },
      new BatchTransform<Row>({ maxCount: 100 }),
      makeWritable(),
    )
    expect(await countOf(db.pool, 't WHERE id BETWEEN 1 AND 2345')).to.equal(2345)
  })

  it('takes arrays from Readable.from', async () => {
    await pipeline(Readable.from(batchesOf(rows, 100)), makeWritable())
    expect(await countOf(db.pool, 't')).to.equal(2345)
  })

  it('ends a chain of stream-chain', async () => {
    const stages = chain([(row: Row) => ({ id: row.id * 2 }), new BatchTransform<Row>({ maxCount: 100 })])
    await pipeline(Readable.from(rows), stages, makeWritable())
    expect(await countOf(db.pool, 't WHERE id % 2 = 0')).to.equal(2345)
  })

  describe('with chain() of stream-chain 4.4.1', () => {
    const batching = () => new BatchTransform<Row>({ maxCount: 1000 })
    const double = (row: Row) => ({ id: row.id * 2 })

    it('after the chain, makes pipeline() wait for the commit of all rows', async () => {
      const unlock = await lockTable(db, 't')
      const { pool, name } = makePool()
      const writable = new PgBatchWritable<Row>({ pool, table: 't' })
      let resolved = false
      const done = pipeline(Readable.from(rows), chain([double, batching()]), writable).then(() => {
        resolved = true
      })
      try {
        await untilBlocked(db, name)
        expect(resolved).to.equal(false)
      } finally {
        await unlock()
      }
      await done
      expect(await countOf(db.pool, 't')).to.equal(2345)
    })

    it('after the chain, makes pipeline() reject with the error of its row', async () => {
      const source = Readable.from([{ id: 1 }, { id: 1 }])
      const done = pipeline(source, chain([double, batching()]), makeWritable())
      expect(await rejectionOf(done)).to.include({ code: 'REFUSED', sqlState: '23505' })
    })

    it('as the last stage, lets pipeline() resolve before any commit: the wrong shape', async () => {
      const unlock = await lockTable(db, 't')
      const writable = makeWritable()
      const closed = once(writable, 'close')
      try {
        await pipeline(Readable.from(rows), chain([double, batching(), writable]))
        expect(writable.stats).to.include({ rowsReceived: 2345, rowsCommitted: 0 })
      } finally {
        await unlock()
      }
      await closed
      expect(await countOf(db.pool, 't')).to.equal(2345)
    })

    it('as the last stage, fails by an uncaught exception: the wrong shape', async () => {
      const ofMocha = process.listeners('uncaughtException')
      process.removeAllListeners('uncaughtException')
      try {
        const uncaught = once(process, 'uncaughtException', { signal: AbortSignal.timeout(20_000) })
        const source = Readable.from([{ id: 1 }, { id: 1 }])
        await pipeline(source, chain([double, batching(), makeWritable()]))
        expect((await uncaught)[0]).to.include({ code: 'REFUSED', sqlState: '23505' })
      } finally {
        for (const listener of ofMocha) process.on('uncaughtException', listener)
      }
    })
  })

  it('becomes a WritableStream, whose close() waits for the last COMMIT', async () => {
    const writable = makeWritable()
    const web = Writable.toWeb(writable)
    await Readable.toWeb(Readable.from(batchesOf(rows, 100))).pipeTo(web)
    expect(await countOf(db.pool, 't')).to.equal(2345)
    expect(writable.stats.rowsPending).to.equal(0)
  })

  it('fails a WritableStream with the error of its row', async () => {
    const web = Writable.toWeb(makeWritable())
    const source = Readable.toWeb(Readable.from([[{ id: 1 }], [{ id: 1 }]]))
    expect(await rejectionOf(source.pipeTo(web))).to.include({ code: 'REFUSED', sqlState: '23505' })
  })

  for (const [concurrency, most] of [
    [1, 8],
    [3, 20],
  ] as const) {
    it(`pulls at most ${most} batches ahead of a stuck server, at concurrency ${concurrency}`, async () => {
      const unlock = await lockTable(db, 't')
      let pulled = 0
      let mayEnd = false
      async function* source() {
        for (let id = 0; !mayEnd; id += 10) {
          pulled++
          yield rowsOf(10, index => ({ id: index }), id)
        }
      }
      const { pool, name } = makePool()
      const writable = new PgBatchWritable<Row>({ pool, table: 't', method: 'copy', concurrency })
      const done = pipeline(Readable.from(source(), { highWaterMark: 1 }), writable)
      done.catch(() => {})
      try {
        await untilBlocked(db, name)
        await until('the stream asks its source to wait', () => writable.writableNeedDrain)
        // what can still come, comes in turns of the event loop
        for (let turn = 0; turn < 100; turn++) await new Promise(resolve => setImmediate(resolve))
        expect(writable.write([{ id: -1 }])).to.equal(false)
        expect(pulled).to.be.within(2, most)
      } finally {
        mayEnd = true
        await unlock()
      }
      await done
      expect(await countOf(db.pool, 't')).to.equal(pulled * 10 + 1)
    })
  }
})
