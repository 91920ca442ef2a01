import { expect } from 'chai'
import { PgBatchWritable } from '../../../../lib/writable/pg-batch-writable.ts'
import { readCheckpoint } from '../../../../lib/write/checkpoint/read-checkpoint.ts'
import { useDatabase } from '../../../support/servers/database.ts'
import { terminate, untilBlocked, usePools } from '../../../support/servers/pools.ts'
import { until } from '../../../support/until.ts'
import { batchesOf, METHODS, options, rowsOf, valuesOf } from '../../../support/writing.ts'
import { load } from '../load.ts'

interface Row {
  part: string
  line: number
}

const COUNT = 3000

describe('two writers with one checkpoint', () => {
  const db = useDatabase()
  const makePool = usePools(db)

  beforeEach(async () => {
    await db.pool.query(
      'DROP TABLE IF EXISTS log, pg_batch_checkpoint; CREATE TABLE log (part text, line int)',
    )
  })

  const rows = rowsOf(COUNT, (line): Row => ({ part: `p${line % 3}`, line }))
  const make = (extra: object = {}) =>
    new PgBatchWritable<Row>({
      pool: makePool().pool,
      table: 'log',
      checkpoint: { name: 'log', position: ({ part, line }) => ({ partition: part, offset: line }) },
      retry: { minDelayMs: 1, maxDelayMs: 20, retries: 50 },
      ...extra,
    })
  /** Partitions that exist are fenced by a row's lock, new ones by their key. */
  const begin = () => load([rows.slice(0, 3)], make())
  const expectOnce = async () => {
    expect(await valuesOf(db.pool, 'SELECT count(*)::int, count(DISTINCT line)::int FROM log')).to.deep.equal(
      [[COUNT, COUNT]],
    )
    expect(await readCheckpoint(db.pool, 'log')).to.deep.equal(
      new Map([
        ['p0', BigInt(COUNT - 3)],
        ['p1', BigInt(COUNT - 2)],
        ['p2', BigInt(COUNT - 1)],
      ]),
    )
  }

  for (const way of METHODS) {
    it(`lose and double no row of the same input, by ${way.title}`, async () => {
      await begin()
      const writers = [make(options(way)), make(options(way))]
      await Promise.all(writers.map((writable, index) => load(batchesOf(rows, 70 + index * 30), writable)))
      await expectOnce()
      const written = writers.reduce((sum, { stats }) => sum + stats.rowsCommitted, 0)
      const skipped = writers.reduce((sum, { stats }) => sum + stats.rowsSkipped, 0)
      expect([written, skipped]).to.deep.equal([COUNT - 3, COUNT + 3])
    })
  }

  it('wait for each other: the second finds what the first has committed', async () => {
    await begin()
    let leave!: () => void
    const held = new Promise<void>(resolve => {
      leave = resolve
    })
    let inside = false
    const first = make({
      async inTransaction() {
        inside = true
        await held
      },
    })
    const named = makePool()
    const second = make({ pool: named.pool })
    const writing = [load([rows], first)]
    await until('the first is inside', () => inside)
    writing.push(load([rows], second))
    try {
      await untilBlocked(db, named.name)
      expect(second.stats.rowsCommitted + second.stats.rowsSkipped).to.equal(0)
    } finally {
      leave()
    }
    await Promise.all(writing)
    await expectOnce()
    expect(second.stats).to.include({ rowsCommitted: 0, rowsSkipped: COUNT })
  })

  it('lose and double no row at concurrency 3', async () => {
    await Promise.all(
      [make({ concurrency: 3 }), make({ concurrency: 3 })].map(writer => load(batchesOf(rows, 90), writer)),
    )
    await expectOnce()
  })

  it('lose and double no row while their backends are ended', async () => {
    const named = makePool()
    let calls = 0
    let ended = 0
    const extra = {
      pool: named.pool,
      async inTransaction() {
        if (++calls % 11 === 3 && ended < 5) ended += await terminate(db, named.name)
      },
    }
    await Promise.all([load(batchesOf(rows, 60), make(extra)), load(batchesOf(rows, 80), make(extra))])
    expect(ended).to.be.above(0)
    await expectOnce()
  })
})
