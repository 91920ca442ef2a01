import { pipeline } from 'node:stream/promises'
import { expect } from 'chai'
import type { PgClientLike } from '../../../lib/connection/pg-types.ts'
import { PgBatchWritable } from '../../../lib/writable/pg-batch-writable.ts'
import { useDatabase } from '../../support/servers/database.ts'
import { usePools } from '../../support/servers/pools.ts'
import { countOf, valuesOf } from '../../support/writing.ts'

interface Row {
  id: number
}

describe('an array that its owner uses again', () => {
  const db = useDatabase()
  const makePool = usePools(db)

  beforeEach(() => db.pool.query('DROP TABLE IF EXISTS t; CREATE TABLE t (id int PRIMARY KEY)'))

  const make = (extra: object = {}) =>
    new PgBatchWritable<Row>({ pool: makePool().pool, table: 't', ...extra })

  const finished = (sink: PgBatchWritable<Row>) =>
    new Promise<void>((resolve, reject) => sink.once('finish', resolve).once('error', reject))

  const WAYS: readonly [title: string, extra: object][] = [
    ['one lane', {}],
    ['three lanes', { concurrency: 3 }],
    ['lanes by key', { concurrency: 2, laneOf: ({ id }: Row) => id }],
    ['rejects allowed', { rejectLimit: 5 }],
    ['toRow', { toRow: ({ id }: Row) => ({ id }) }],
    ['a checkpoint', { checkpoint: { name: 'reused', position: ({ id }: Row) => ({ offset: id }) } }],
  ]
  for (const [title, extra] of WAYS) {
    it(`may be filled anew after each write, also when the stream is full: ${title}`, async () => {
      await db.pool.query('DROP TABLE IF EXISTS pg_batch_checkpoint')
      const sink = make(extra)
      const buffer: Row[] = []
      for (let id = 1; id <= 300; id++) {
        buffer.push({ id })
        if (buffer.length < 10) continue
        sink.write(buffer)
        buffer.length = 0
      }
      sink.end()
      await finished(sink)
      expect(sink.stats).to.include({ rowsReceived: 300, rowsCommitted: 300, rowsSkipped: 0 })
      expect(await countOf(db.pool, 't')).to.equal(300)
    })
  }

  it('may be the last one, passed to end', async () => {
    const sink = make()
    const buffer: Row[] = [{ id: 1 }]
    sink.write(buffer)
    buffer[0] = { id: 2 }
    sink.end(buffer)
    buffer.length = 0
    await finished(sink)
    expect(await valuesOf(db.pool, 'SELECT id FROM t ORDER BY id')).to.deep.equal([[1], [2]])
  })

  it('may be written to a corked stream', async () => {
    const sink = make()
    const buffer: Row[] = []
    sink.cork()
    for (let id = 0; id < 50; id++) {
      buffer[0] = { id }
      sink.write(buffer)
    }
    sink.uncork()
    buffer.length = 0
    sink.end()
    await finished(sink)
    expect(await countOf(db.pool, 't')).to.equal(50)
  })

  async function* inOneArray(): AsyncGenerator<Row[]> {
    const buffer: Row[] = []
    for (let id = 0; id < 300; id++) {
      buffer.push({ id })
      if (buffer.length < 10) continue
      yield buffer
      buffer.length = 0
    }
  }
  it('may be yielded by a generator again and again', async () => {
    await pipeline(inOneArray, make())
    expect(await countOf(db.pool, 't')).to.equal(300)
  })

  it('has holes: each is an item that is not a row, and not the end of the stream', async () => {
    const sink = make({ rejectLimit: 5 })
    // biome-ignore lint/suspicious/noSparseArray: that is the case
    sink.end([{ id: 1 }, , { id: 3 }] as { id: number }[])
    await finished(sink)
    expect(sink.stats).to.include({ rowsCommitted: 2, rowsRejected: 1 })
  })

  it('is not the one that inTransaction gets: emptied there, a retry still has the rows', async () => {
    let calls = 0
    const inTransaction = async (client: PgClientLike, batch: readonly Row[]): Promise<void> => {
      ;(batch as Row[]).length = 0
      if (++calls === 1)
        await client.query("DO $$ BEGIN RAISE serialization_failure USING MESSAGE = 'again'; END $$")
    }
    const sink = make({ inTransaction, retry: { minDelayMs: 1 } })
    sink.end([{ id: 1 }, { id: 2 }])
    await finished(sink)
    expect(calls).to.equal(2)
    expect(sink.stats).to.include({ rowsCommitted: 2, rowsSkipped: 0 })
    expect(await countOf(db.pool, 't')).to.equal(2)
  })
})
