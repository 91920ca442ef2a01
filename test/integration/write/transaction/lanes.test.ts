import { once } from 'node:events'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { expect } from 'chai'
import { PgBatchWritable } from '../../../../lib/writable/pg-batch-writable.ts'
import { useDatabase } from '../../../support/servers/database.ts'
import { usePools } from '../../../support/servers/pools.ts'
import {
  batchesOf,
  countOf,
  failureOf,
  METHODS,
  options,
  rowsOf,
  valuesOf,
  write,
} from '../../../support/writing.ts'

describe('order', () => {
  const db = useDatabase()
  const makePool = usePools(db)

  beforeEach(async () => {
    await db.pool.query(`DROP TABLE IF EXISTS log; CREATE TABLE log (place bigserial, key text, seq int)`)
  })

  /** 40 keys in mixed order, whose numbers grow. */
  const rows = rowsOf(4000, index => ({ key: `k${(index * 7) % 40}`, seq: index }))
  const outOfOrder = `SELECT count(*)::int
    FROM (SELECT seq < lag(seq) OVER (PARTITION BY key ORDER BY place) AS bad FROM log) x
    WHERE bad`

  for (const way of METHODS) {
    it(`is that of the batches at concurrency 1, by ${way.title}`, async () => {
      const { commits } = await write(batchesOf(rows, 100), {
        pool: makePool().pool,
        table: 'log',
        ...options(way),
      })
      expect(await valuesOf(db.pool, 'SELECT count(*)::int FROM log WHERE place <> seq + 1')).to.deep.equal([
        [0],
      ])
      expect(await countOf(db.pool, 'log')).to.equal(4000)
      const ids = commits.map(commit => commit.batchId)
      expect(ids).to.deep.equal([...ids].sort((a, b) => a - b))
    })

    it(`is kept within a lane at concurrency 4, by ${way.title}`, async () => {
      const { stats } = await write(batchesOf(rows, 100), {
        pool: makePool().pool,
        table: 'log',
        concurrency: 4,
        laneOf: row => row.key,
        ...options(way),
      })
      expect(stats.rowsCommitted).to.equal(4000)
      expect(await valuesOf(db.pool, outOfOrder)).to.deep.equal([[0]])
      expect(
        await valuesOf(db.pool, 'SELECT count(*)::int, count(DISTINCT seq)::int FROM log'),
      ).to.deep.equal([[4000, 4000]])
    })

    it(`leaves the last of each key in an upsert by lanes at concurrency 4, by ${way.title}`, async () => {
      await db.pool.query('DROP TABLE IF EXISTS latest; CREATE TABLE latest (key text PRIMARY KEY, seq int)')
      for (let round = 0; round < 3; round++) {
        await write(batchesOf(rows, 60), {
          pool: makePool().pool,
          table: 'latest',
          concurrency: 4,
          laneOf: row => row.key,
          onConflict: { target: ['key'], action: 'update' },
          ...options(way),
        })
        const right = `SELECT count(*)::int, min(seq)::int FROM latest`
        expect(await valuesOf(db.pool, right)).to.deep.equal([[40, 3960]])
      }
    })
  }

  it('runs lanes at the same time: four transactions wait at a lock until all have reached it', async () => {
    let inside = 0
    let open!: () => void
    const all = new Promise<void>(resolve => {
      open = resolve
    })
    await write(batchesOf(rows.slice(0, 400), 100), {
      pool: makePool().pool,
      table: 'log',
      concurrency: 4,
      async inTransaction() {
        if (++inside === 4) open()
        await all
      },
    })
    expect(inside).to.equal(4)
  })

  it('continues with a pool of one client at concurrency 3', async () => {
    for (const laneOf of [undefined, (row: { key: string }) => row.key]) {
      await db.pool.query('TRUNCATE log')
      const { stats } = await write(batchesOf(rows, 100), {
        pool: makePool({ max: 1 }).pool,
        table: 'log',
        concurrency: 3,
        laneOf,
      })
      expect(stats.rowsCommitted).to.equal(4000)
      expect(await countOf(db.pool, 'log')).to.equal(4000)
    }
  })

  it('fails the batch for which laneOf throws, as not sent', async () => {
    const laneOf = (row: { seq: number }) => {
      if (row.seq === 250) throw new Error('no lane')
      return row.seq
    }
    const error = await failureOf(
      write(batchesOf(rows, 100), { pool: makePool().pool, table: 'log', concurrency: 2, laneOf }),
    )
    expect(error).to.include({ code: 'CALLBACK_FAILED', outcome: 'not-sent', batchId: 3 })
    expect(await countOf(db.pool, 'log WHERE seq >= 200')).to.equal(0)
  })

  it('gathers batches that wait into fewer transactions, and commits at once when none does', async () => {
    const { stats } = await write(batchesOf(rows, 10), { pool: makePool().pool, table: 'log' })
    expect(stats.batchesCommitted).to.equal(400)
    expect(stats.transactions).to.be.below(200)
    const writable = new PgBatchWritable<{ key: string; seq: number }>({
      pool: makePool().pool,
      table: 'log',
    })
    async function* slow() {
      for (const batch of batchesOf(rows.slice(0, 30), 10)) {
        const committed = once(writable, 'commit')
        yield batch
        await committed
      }
    }
    await pipeline(Readable.from(slow()), writable)
    expect(writable.stats).to.include({ batchesCommitted: 3, transactions: 3 })
  })
})
