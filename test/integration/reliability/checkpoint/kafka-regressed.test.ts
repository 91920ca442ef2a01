import { expect } from 'chai'
import type { PgTransactionClient } from '../../../../lib/connection/pg-transaction-client.ts'
import { type KafkaToPg, type KafkaToPgOptions, kafkaToPg } from '../../../../lib/kafka/index.ts'
import { FakeLog } from '../../../support/kafka/fake-log.ts'
import { useDatabase } from '../../../support/servers/database.ts'
import { usePools } from '../../../support/servers/pools.ts'
import { until } from '../../../support/until.ts'
import { failureOf, rowsOf, valuesOf } from '../../../support/writing.ts'

interface Value {
  id: number
}

/** The number of messages after which the server of the tests forgets some. */
const BEFORE = 10

describe('kafkaToPg, exactly-once, when PostgreSQL has lost commits', () => {
  const db = useDatabase()
  const makePool = usePools(db)
  let log: FakeLog
  let sink: KafkaToPg<Value>
  let regressions: number

  beforeEach(async () => {
    log = new FakeLog()
    await db.pool.query(`DROP TABLE IF EXISTS t, even, odd, pg_batch_checkpoint;
      CREATE TABLE t (id int); CREATE TABLE even (id int); CREATE TABLE odd (id int)`)
  })
  afterEach(() => sink.close().catch(() => {}))

  const open = (options: Partial<KafkaToPgOptions<Value>> = {}) => {
    sink = kafkaToPg<Value>({
      consumer: log,
      topics: ['t'],
      delivery: 'exactly-once',
      pool: makePool().pool,
      table: 't',
      batch: { maxCount: 3, maxWaitMs: 5 },
      ...options,
    } as KafkaToPgOptions<Value>)
    sink.finished.catch(() => {})
    regressions = 0
    sink.on('regressed', ({ error }) => {
      expect(error.code).to.equal('CHECKPOINT_REGRESSED')
      regressions++
    })
  }
  const messages = (from: number, to: number) => rowsOf(to - from, id => ({ id }), from)
  const ids = async (table = 't') => (await valuesOf(db.pool, `SELECT id FROM ${table} ORDER BY id`)).flat()
  const untilIds = (count: number, table = 't') =>
    until(`${count} rows in ${table}`, async () => (await ids(table)).length >= count).catch(() => {})
  const untilRead = (offset: bigint, partition = 0) =>
    until(`offset ${offset}`, () => log.committed[partition] === offset)
  const expectIds = async (expected: readonly number[], table = 't') => {
    await untilIds(expected.length, table)
    expect(await ids(table)).to.deep.equal(expected)
  }
  const numbers = (from: number, to: number) => rowsOf(to - from, n => n, from)
  const lose = (sql: string) => db.pool.query(`DELETE FROM t WHERE id >= 5; ${sql}`)

  for (const { title, sql } of [
    { title: 'a lower position', sql: 'UPDATE pg_batch_checkpoint SET position = 4' },
    { title: 'no position', sql: 'UPDATE pg_batch_checkpoint SET position = NULL; DELETE FROM t' },
    { title: 'no row', sql: 'DELETE FROM pg_batch_checkpoint; DELETE FROM t' },
    { title: 'no table', sql: 'DROP TABLE pg_batch_checkpoint; DELETE FROM t' },
  ]) {
    it(`reads lost messages again, though the group's offsets are ahead: ${title}`, async () => {
      open()
      log.append(messages(0, BEFORE))
      await untilRead(10n)
      await lose(sql)
      log.append(messages(BEFORE, 40))
      await expectIds(numbers(0, 40))
      await untilRead(40n)
      expect(regressions).to.equal(1)
      await sink.close()
      const { rowsReceived, rowsCommitted, rowsUnchanged, rowsRejected, rowsSkipped, rowsPending } =
        sink.stats
      expect(rowsReceived).to.equal(rowsCommitted + rowsUnchanged + rowsRejected + rowsSkipped + rowsPending)
    })
  }

  for (const { title, table, tables } of [
    { title: 'one table', table: 't', tables: ['t'] },
    {
      title: 'several tables',
      table: (message: { value: Value }) => (message.value.id % 2 ? 'odd' : 'even'),
      tables: ['even', 'odd'],
    },
  ]) {
    it(`writes rows and positions as the role that onBegin sets, in ${title}`, async () => {
      await db.pool.query(`DROP SCHEMA IF EXISTS kafka_side CASCADE; DROP ROLE IF EXISTS kafka_writer;
        CREATE ROLE kafka_writer; CREATE SCHEMA kafka_side AUTHORIZATION kafka_writer;
        GRANT INSERT, SELECT ON t, even, odd TO kafka_writer`)
      const settings = {
        table,
        checkpoint: { table: 'kafka_side.positions' },
        onBegin: async (client: PgTransactionClient) =>
          void (await client.query('SET LOCAL ROLE kafka_writer')),
      } as Partial<KafkaToPgOptions<Value>>
      open(settings)
      log.append(messages(0, BEFORE))
      await untilRead(10n)
      await sink.close()
      open(settings)
      log.append(messages(BEFORE, 20))
      await untilRead(20n)
      expect(sink.stats).to.include({ state: 'idle', oldestPendingMs: 0 })
      expect(sink.stats.lastCommitAt).to.be.a('date')
      await sink.close()
      expect(sink.stats.state).to.equal('ended')
      const found = (await Promise.all(tables.map(name => ids(name)))).flat()
      expect(found.sort((a, b) => Number(a) - Number(b))).to.deep.equal(numbers(0, 20))
      const owner = "SELECT tableowner FROM pg_tables WHERE schemaname = 'kafka_side'"
      expect(await valuesOf(db.pool, owner)).to.deep.equal([['kafka_writer']])
      await db.pool.query('DROP OWNED BY kafka_writer; DROP ROLE kafka_writer')
    })
  }

  it('has failed, and says so in its stats, when onBegin throws', async () => {
    open({
      onBegin: () => {
        throw new Error('no tenant')
      },
    })
    log.append(messages(0, 3))
    const error = await failureOf(sink.finished)
    expect(error).to.include({ code: 'CALLBACK_FAILED', callback: 'onBegin', outcome: 'not-sent' })
    expect(sink.stats).to.include({ state: 'failed', lastCommitAt: undefined, rowsCommitted: 0 })
  })

  it('reads from the start when a position vanishes that was there before this process', async () => {
    open()
    log.append(messages(0, 5))
    await untilRead(5n)
    await sink.close()
    open()
    log.append(messages(5, BEFORE))
    await untilRead(10n)
    await db.pool.query('DELETE FROM t; DELETE FROM pg_batch_checkpoint')
    log.append(messages(BEFORE, 20))
    await expectIds(numbers(0, 20))
  })

  it('begins where the group was, when nothing was stored before', async () => {
    log.append(messages(0, 5))
    log.committed[0] = 5n
    open()
    log.append(messages(5, BEFORE))
    await untilRead(10n)
    await db.pool.query('DELETE FROM t; DELETE FROM pg_batch_checkpoint')
    log.append(messages(BEFORE, 20))
    await expectIds(numbers(5, 20))
  })

  it('continues after each of many regressions', async () => {
    open({ retry: { minDelayMs: 1, maxDelayMs: 5 } })
    log.append(messages(0, BEFORE))
    for (let round = 1; round <= 5; round++) {
      await untilRead(BigInt(round * 10))
      await lose('UPDATE pg_batch_checkpoint SET position = 4')
      log.append(messages(round * 10, round * 10 + 10))
    }
    await expectIds(numbers(0, 60))
    expect(regressions).to.equal(5)
  })

  it('reads all partitions from what is stored of each', async () => {
    log = new FakeLog(3)
    open({ concurrency: 3 })
    const all = (from: number, to: number) => {
      for (const partition of [0, 1, 2])
        log.append(
          numbers(from, to).map(n => ({ id: n * 3 + partition })),
          partition,
        )
    }
    all(0, BEFORE)
    for (const partition of [0, 1, 2]) await untilRead(10n, partition)
    await db.pool.query(`DELETE FROM t WHERE id >= 15 AND id % 3 > 0;
      UPDATE pg_batch_checkpoint SET position = 4 WHERE partition NOT LIKE 't:0:%'`)
    // only a partition that has lost nothing continues
    log.append([{ id: 30 }])
    await expectIds(numbers(0, 31))
    all(11, 20)
    log.append([{ id: 31 }], 1)
    log.append([{ id: 32 }], 2)
    await until('all rows', async () => (await ids()).length >= 60)
    expect(await ids()).to.have.lengthOf(60)
  })

  const byTable = { table: ({ value }: { value: Value }) => (value.id % 2 ? 'odd' : 'even') } as object

  it('reads again for all tables, from before the first lost message', async () => {
    open(byTable)
    log.append(messages(0, BEFORE))
    await untilRead(10n)
    await db.pool.query(`DELETE FROM even WHERE id >= 5; DELETE FROM odd WHERE id >= 5;
      UPDATE pg_batch_checkpoint SET position = 4`)
    log.append([{ id: 10 }, { id: 12 }, { id: 14 }])
    await expectIds([0, 2, 4, 6, 8, 10, 12, 14], 'even')
    await expectIds([1, 3, 5, 7, 9], 'odd')
    await untilRead(13n)
    expect(regressions).to.equal(1)
  })

  it('stores no progress over what another table has lost', async () => {
    open({ ...byTable, afterCommit: () => held } as object)
    let release = (): void => {}
    let held: Promise<void> | undefined
    log.append(messages(0, BEFORE))
    await untilRead(10n)
    held = new Promise(resolve => {
      release = resolve
    })
    log.append([{ id: 10 }])
    await expectIds([0, 2, 4, 6, 8, 10], 'even')
    // what is committed to `even` is not yet known to be done when `odd` loses its rows
    await db.pool.query(`DELETE FROM odd WHERE id >= 5;
      UPDATE pg_batch_checkpoint SET position = 4 WHERE name NOT LIKE '%:even'`)
    release()
    held = undefined
    await expectIds([1, 3, 5, 7, 9], 'odd')
    await expectIds([0, 2, 4, 6, 8, 10], 'even')
    expect(regressions).to.equal(1)
  })

  it('is reported by `finished` when it is noticed while the sink is closed', async () => {
    open({ batch: { maxCount: 100, maxWaitMs: 60_000 } })
    log.append(messages(0, 100))
    await untilRead(100n)
    await lose('UPDATE pg_batch_checkpoint SET position = 4')
    log.append(messages(100, 110))
    await until('all messages', () => sink.stats.messagesReceived === 110)
    expect(await failureOf(sink.close())).to.include({ code: 'CHECKPOINT_REGRESSED' })
    open()
    await expectIds(numbers(0, 110))
  })
})
