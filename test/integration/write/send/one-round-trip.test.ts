import { once } from 'node:events'
import { pipeline } from 'node:stream/promises'
import { expect } from 'chai'
import { BatchTransform, PgBatchWritable, PgRowWriter } from '../../../../lib/index.ts'
import { BATCH_OPENS } from '../../../../lib/streams/batch-opens.ts'
import type { PgBatchWritableOptions } from '../../../../lib/writable/options.ts'
import { useProxiedPool } from '../../../support/network/proxied-pool.ts'
import { useDatabase } from '../../../support/servers/database.ts'
import { until } from '../../../support/until.ts'
import { countOf, valuesOf } from '../../../support/writing.ts'

interface Row {
  readonly id: number
  readonly later?: number
}

describe('a batch whose transaction has begun with the COMMIT before it', () => {
  const db = useDatabase()
  const through = useProxiedPool(db)

  beforeEach(async () => {
    await db.pool.query('DROP TABLE IF EXISTS t; CREATE TABLE t (id int PRIMARY KEY)')
  })

  const open = (options: Partial<PgBatchWritableOptions<Row>> = {}): PgBatchWritable<Row> =>
    new PgBatchWritable<Row>({ pool: through.pool, table: 't', ...options } as PgBatchWritableOptions<Row>)

  /** Writes batches, each when the one before is committed, so that the next transaction begins early. */
  const writeInTurn = async (sink: PgBatchWritable<Row>, from: number, to: number): Promise<void> => {
    for (let id = from; id <= to; id++) {
      const committed = once(sink, 'commit')
      sink.write([{ id }])
      await committed
    }
  }

  for (const method of ['copy', 'insert'] as const) {
    it(`takes one round trip by ${method}: COMMIT is sent before any answer`, async () => {
      const sink = open({ method })
      await writeInTurn(sink, 1, 3)
      const sent = through.proxy.arm({
        direction: 'up',
        at: ({ name, text }) => name === 'Query' && text.includes('COMMIT'),
        action: { do: 'call', run: async () => {} },
      })
      // a writer that waits for an answer first waits forever
      through.proxy.arm({ direction: 'down', action: { do: 'call', run: () => sent } })
      await writeInTurn(sink, 4, 4)
      sink.end()
      await once(sink, 'finish')
      expect(await countOf(db.pool, 't')).to.equal(4)
      expect(through.pool.idleCount).to.equal(1)
    })
  }

  it('rejects its bad row, and commits the others', async () => {
    const sink = open({ rejectLimit: 1 })
    await writeInTurn(sink, 1, 3)
    sink.end([{ id: 4 }, { id: 1 }, { id: 5 }])
    await once(sink, 'finish')
    expect(sink.stats).to.include({ rowsCommitted: 5, rowsRejected: 1 })
    expect(await countOf(db.pool, 't')).to.equal(5)
  })

  it('rejects a row that COMMIT refuses', async () => {
    await db.pool.query('ALTER TABLE t ADD later int UNIQUE DEFERRABLE INITIALLY DEFERRED')
    const sink = open({ rejectLimit: 1 })
    await writeInTurn(sink, 1, 3)
    sink.end([
      { id: 4, later: 1 },
      { id: 5, later: 1 },
    ])
    await once(sink, 'finish')
    expect(sink.stats).to.include({ rowsCommitted: 4, rowsRejected: 1 })
  })

  it('is written for the table as it is now: COMMIT does not run if the columns have changed', async () => {
    const sink = open({ method: 'copy', copyFormat: 'binary' })
    await writeInTurn(sink, 1, 3)
    await db.pool.query('ALTER TABLE t ALTER id TYPE bigint')
    await writeInTurn(sink, 4, 6)
    sink.end()
    await once(sink, 'finish')
    const { rows } = await db.pool.query('SELECT id::text FROM t ORDER BY id')
    expect(rows.map(({ id }) => id)).to.deep.equal(['1', '2', '3', '4', '5', '6'])
  })

  for (const [what, answer] of [
    ['its COMMIT', 'COMMIT'],
    ['the BEGIN of the next', 'BEGIN'],
  ] as const) {
    it(`is there once when the answer to ${what} is lost`, async () => {
      const sink = open()
      await writeInTurn(sink, 1, 3)
      const fired = through.proxy.arm({
        direction: 'down',
        at: ({ name, text }) => name === 'CommandComplete' && text === answer,
        action: { do: 'cut' },
      })
      await writeInTurn(sink, 4, 4)
      await fired
      await writeInTurn(sink, 5, 6)
      sink.end()
      await once(sink, 'finish')
      expect(sink.stats.rowsCommitted).to.equal(6)
      expect(await countOf(db.pool, 't')).to.equal(6)
    })
  }

  it('leaves no transaction idle when no further batch comes', async () => {
    const sink = open()
    await writeInTurn(sink, 1, 3)
    const idle = `SELECT FROM pg_stat_activity WHERE datname = current_database() AND state LIKE 'idle in%'`
    await until(
      'no idle transaction',
      async () => through.pool.idleCount === 1 && (await db.pool.query(idle)).rowCount === 0,
    )
    await writeInTurn(sink, 4, 6)
    sink.destroy()
    await once(sink, 'close')
    expect(through.pool.idleCount).to.equal(through.pool.totalCount)
    expect((await db.pool.query(idle)).rowCount).to.equal(0)
  })

  /** Returns the query strings that are sent from now on. */
  const queriesSent = (): readonly string[] => {
    const sent: string[] = []
    through.proxy.arm({
      direction: 'up',
      at: ({ name, text }) => {
        if (name === 'Query') sent.push(text)
        return false
      },
      action: { do: 'cut' },
    })
    return sent
  }

  it('begins with its own batch where the first statement decides what the transaction sees', async () => {
    through.pool.on('connect', client =>
      client.query("SET default_transaction_isolation = 'repeatable read'"),
    )
    const sent = queriesSent()
    const sink = open()
    await writeInTurn(sink, 1, 4)
    sink.end()
    await once(sink, 'finish')
    expect(sent.filter(text => /\bCOMMIT\b/.test(text))).to.have.lengthOf(4)
    expect(sent.filter(text => /COMMIT; BEGIN/.test(text))).to.deep.equal([])
  })

  it('begins with its own batch after one that is too large for COMMIT to go with it', async () => {
    await db.pool.query('ALTER TABLE t ADD note text')
    const note = 'x'.repeat(1_200_000)
    const sent = queriesSent()
    const sink = open({ toRow: ({ id }) => ({ id, note }) })
    await writeInTurn(sink, 1, 4)
    sink.end()
    await once(sink, 'finish')
    expect(sent.filter(text => /\bCOMMIT\b/.test(text))).to.have.lengthOf(4)
    expect(sent.filter(text => /COMMIT; BEGIN/.test(text))).to.deep.equal([])
  })

  it('keeps its connection, and the limits of its session where they are shorter', async () => {
    const limits =
      "concat_ws(' ', current_setting('statement_timeout'), " +
      "current_setting('idle_in_transaction_session_timeout'))"
    await db.pool.query(`ALTER TABLE t ADD limits text DEFAULT ${limits}`)
    let connections = 0
    through.pool.on('connect', client => {
      connections++
      client.query("SET statement_timeout = '20047ms'; SET idle_in_transaction_session_timeout = '10min'")
    })
    const sink = open({ statementTimeoutMs: 61_001 })
    await writeInTurn(sink, 1, 6)
    sink.end()
    await once(sink, 'finish')
    expect(connections).to.equal(1)
    expect(await valuesOf(db.pool, 'SELECT DISTINCT limits FROM t')).to.deep.equal([['20047ms 61001ms']])
  })

  it('leaves the client to a caller who waits for it', async () => {
    const sink = open()
    let served = false
    await writeInTurn(sink, 1, 3)
    const query = through.pool.query('SELECT 1').then(() => {
      served = true
    })
    for (let id = 4; !served; id++) await writeInTurn(sink, id, id)
    await query
    // also while no further batch comes
    await writeInTurn(sink, 1001, 1003)
    expect((await through.pool.query('SELECT 1')).rowCount).to.equal(1)
    sink.end()
    await once(sink, 'finish')
  })
})

describe('a batch that is announced', () => {
  const db = useDatabase()
  const through = useProxiedPool(db)

  beforeEach(async () => {
    await db.pool.query('DROP TABLE IF EXISTS t; CREATE TABLE t (id int PRIMARY KEY)')
  })

  /** Holds the answer to COPY until COMMIT is sent: a writer that waits for it waits forever. */
  const holdAnswer = (): void => {
    const sent = through.proxy.arm({
      direction: 'up',
      at: ({ name, text }) => name === 'Query' && text.includes('COMMIT'),
      action: { do: 'call', run: async () => {} },
    })
    through.proxy.arm({
      direction: 'down',
      at: ({ name }) => name === 'CopyInResponse',
      action: { do: 'call', run: () => sent },
    })
  }

  it('by BatchTransform takes one round trip', async () => {
    const batches = new BatchTransform<Row>({ maxWaitMs: 60 })
    const sink = new PgBatchWritable<Row>({ pool: through.pool, table: 't' })
    const done = pipeline(batches, sink)
    for (let id = 1; id <= 3; id++) {
      if (id === 3) holdAnswer()
      const committed = once(sink, 'commit')
      batches.write({ id })
      await committed
    }
    batches.end()
    await done
    expect(sink.stats).to.include({ rowsCommitted: 3, transactions: 3 })
    expect(through.pool.idleCount).to.equal(1)
  })

  it('by the queue of PgRowWriter takes one round trip', async () => {
    const writer = new PgRowWriter<Row>({ pool: through.pool, table: 't', maxWaitMs: 60 })
    await writer.write({ id: 1 })
    holdAnswer()
    await writer.write({ id: 2 })
    await writer.end()
    expect(await countOf(db.pool, 't')).to.equal(2)
    expect(through.pool.idleCount).to.equal(1)
  })

  it('is written, and its transaction ends, when the announcement was wrong', async () => {
    const batches = new BatchTransform<Row>({ maxWaitMs: 10_000 })
    const sink = new PgBatchWritable<Row>({ pool: through.pool, table: 't' })
    const done = pipeline(batches, sink)
    batches.write({ id: 1 })
    batches.flush()
    await once(sink, 'commit')
    const begun = through.proxy.arm({
      direction: 'up',
      at: ({ text }) => text.startsWith('BEGIN'),
      action: { do: 'call', run: async () => {} },
    })
    batches.emit(BATCH_OPENS, 0)
    await begun
    await until('the client has come back', () => through.pool.idleCount === 1)
    batches.write({ id: 2 })
    batches.end()
    await done
    expect(await countOf(db.pool, 't')).to.equal(2)
  })
})
