import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { setTimeout as delay } from 'node:timers/promises'
import { expect } from 'chai'
import type { PgClientLike } from '../../../../lib/connection/pg-types.ts'
import { askOutcome, StandbyError } from '../../../../lib/connection/transaction/outcome.ts'
import { ServerWatch } from '../../../../lib/connection/transaction/server-watch.ts'
import {
  readTicket,
  type TransactionTicket,
  ticketStatement,
} from '../../../../lib/connection/transaction/ticket.ts'
import { type KafkaToPgOptions, kafkaToPg } from '../../../../lib/kafka/index.ts'
import { PgBatchWritable } from '../../../../lib/writable/pg-batch-writable.ts'
import { readCheckpoint } from '../../../../lib/write/checkpoint/read-checkpoint.ts'
import { FakeLog } from '../../../support/kafka/fake-log.ts'
import { ReplicatedServer } from '../../../support/servers/standby.ts'
import { until } from '../../../support/until.ts'
import { batchesOf, failureOf, rejectionOf, rowsOf, valuesOf } from '../../../support/writing.ts'

interface Row {
  n: number
}

describe('a failover to a streaming replica', function () {
  this.timeout(180_000)
  let server: ReplicatedServer

  beforeEach(async () => {
    server = await ReplicatedServer.start()
    await server.primary.query('CREATE TABLE t (n int)')
  })
  afterEach(() => server?.stop())

  const rows = (from: number, to: number) => rowsOf(to - from, (n): Row => ({ n }), from)
  const position = ({ n }: Row) => ({ offset: n })
  const expectExactly = async (count: number) =>
    expect(
      await valuesOf(server.standby, 'SELECT count(*)::int, count(DISTINCT n)::int, max(n) FROM t'),
    ).to.deep.equal([[count, count, count - 1]])
  const retry = { retries: 1000, minDelayMs: 20, maxDelayMs: 200 }

  for (const [title, extra] of [
    ['without a checkpoint, by commit timestamps', {}],
    ['with a checkpoint', { checkpoint: { name: 't', position } }],
  ] as const) {
    it(`that is synchronous loses and doubles nothing, ${title}`, async () => {
      await server.synchronous()
      const sink = new PgBatchWritable<Row>({
        pool: server.pool,
        table: 't',
        retry,
        commitTimeoutMs: 2000,
        ...extra,
      })
      const killed = until('some commits', () => sink.stats.transactions >= 20, 60_000).then(async () => {
        server.kill()
        await delay(100)
        await server.promote()
      })
      async function* source() {
        for (const batch of batchesOf(rows(0, 20_000), 20)) {
          yield batch
          if (batch[0]!.n % 200 === 0) await delay(1)
        }
      }
      await pipeline(Readable.from(source()), sink)
      await killed
      await expectExactly(20_000)
    })
  }

  for (const route of ['two hosts', 'one address'] as const) {
    it(`is final: nothing is committed to the first primary when it is started again, by ${route}`, async () => {
      await server.synchronous()
      const { username, password } = new URL(server.connectionString)
      const hosts = [server.primaryPort, server.standbyPort].map(port => `127.0.0.1:${port}`).join()
      const connectionString = `postgres://${username}:${password}@${hosts}/postgres?application_name=writer`
      const where = route === 'two hosts' ? { connectionString } : { pool: server.pool }
      const sink = new PgBatchWritable<Row>({ ...where, table: 't', retry, commitTimeoutMs: 2000 })
      const reasons: string[] = []
      sink.on('retry', ({ error }) => reasons.push(error.reason))
      const committed = (count: number) =>
        until(`${count} rows`, () => sink.stats.rowsCommitted === count, 60_000)
      async function* source() {
        yield* batchesOf(rows(0, 100), 20)
        await committed(100)
        await server.killHard()
        await server.promote()
        yield* batchesOf(rows(100, 200), 20)
        await committed(200)
        await server.revivePrimary()
        server.lead('primary')
        await server.standby.query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity
          WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()`)
        yield* batchesOf(rows(200, 300), 20)
        if (route === 'one address') {
          const isRefused = () => reasons.some(reason => reason.includes('a former primary'))
          await until('the first primary to be refused', isRefused)
          server.lead('standby')
        }
      }
      await pipeline(Readable.from(source()), sink)
      expect(sink.stats.rowsCommitted).to.equal(300)
      await expectExactly(300)
      expect(await valuesOf(server.primary, 'SELECT count(*)::int FROM t')).to.deep.equal([[100]])
    })
  }

  it('leaves a server that distinguishes a replayed transaction from another one with the same id', async () => {
    const write = async (n: number) => {
      const client = await server.primary.connect()
      await client.query('BEGIN')
      const { rows } = await client.query({ text: ticketStatement(60_000), rowMode: 'array' })
      const ticketAt = performance.now()
      await client.query(`INSERT INTO t VALUES (${n})`)
      const watch = new ServerWatch(ticketAt, performance.now())
      await client.query('COMMIT')
      client.release()
      return { ticket: readTicket(rows[0])!, watch }
    }
    const replayed = await write(0)
    await until('the replica to have it', async () => {
      // at first it may not even have the table
      const found = await valuesOf(server.standby, 'SELECT count(*)::int FROM t').catch(() => undefined)
      return found?.[0]?.[0] === 1
    })
    const ask = async ({ ticket, watch }: { ticket: TransactionTicket; watch: ServerWatch }) => {
      const client = await server.standby.connect()
      try {
        return await askOutcome(client as unknown as PgClientLike, ticket, watch)
      } finally {
        client.release()
      }
    }
    expect(await rejectionOf(ask(replayed))).to.be.instanceOf(StandbyError)
    await server.disconnect()
    const lost = await write(1)
    server.kill()
    await server.promote()
    expect(await ask(replayed)).to.equal('committed')
    expect(await ask(lost)).to.equal('rolled-back')
    // until another transaction has the lost one's id, and is committed
    await until('the id to be given again', async () => {
      await server.standby.query('INSERT INTO t VALUES (2)')
      const { rows } = await server.standby.query('SELECT pg_current_xact_id()::text > $1 AS passed', [
        lost.ticket.xid,
      ])
      return rows[0].passed
    })
    expect(await ask(lost)).to.equal('rolled-back')
    expect(await ask(replayed)).to.equal('committed')
  })

  it('that is asynchronous fails a stream with a checkpoint, which is exact when it reads again', async () => {
    const open = () =>
      new PgBatchWritable<Row>({
        pool: server.pool,
        table: 't',
        retry,
        checkpoint: { name: 't', position },
      })
    const sink = open()
    async function* source() {
      yield rows(0, 100)
      await until('the first commit', () => sink.stats.rowsCommitted === 100)
      await until('the replica to have it', async () => {
        const [[count]] = (await valuesOf(server.standby, 'SELECT count(*)::int FROM t')) as [[number]]
        return count === 100
      })
      await server.disconnect()
      yield rows(100, 200)
      await until('the second commit', () => sink.stats.rowsCommitted === 200)
      server.kill()
      await server.promote()
      yield rows(200, 300)
    }
    expect(await failureOf(pipeline(Readable.from(source()), sink))).to.include({
      code: 'CHECKPOINT_REGRESSED',
      outcome: 'rolled-back',
    })
    await expectExactly(100)
    const stored = await readCheckpoint(server.pool, 't')
    await pipeline(Readable.from([rows(Number(stored.get('')) + 1, 300)]), open())
    await expectExactly(300)
  })

  it('is not reported for a lagging replica that a stream reaches at its end', async () => {
    for (const isNewTable of [false, true]) {
      const sink = new PgBatchWritable<Row>({
        pool: server.pool,
        table: 't',
        retry,
        commitTimeoutMs: 500,
        checkpoint: { name: 't', position, ...(isNewTable ? { table: 'other' } : {}) },
      })
      async function* source() {
        yield rows(0, 100)
        await until('the first commit', () => sink.stats.rowsCommitted === 100)
        if (!isNewTable) await server.disconnect()
        yield rows(100, 200)
        await until('the second commit', () => sink.stats.rowsCommitted === 200)
        server.lead()
      }
      await pipeline(Readable.from(source()), sink)
      server.lead('primary')
    }
    expect(await valuesOf(server.primary, 'SELECT count(*)::int FROM t')).to.deep.equal([[400]])
  })

  it('that is asynchronous makes kafkaToPg read lost messages again', async () => {
    const log = new FakeLog()
    const sink = kafkaToPg<Row>({
      consumer: log,
      topics: ['t'],
      delivery: 'exactly-once',
      pool: server.pool,
      table: 't',
      retry,
    } as unknown as KafkaToPgOptions<Row>)
    sink.finished.catch(() => {})
    try {
      log.append(rows(0, 100))
      await until('the first rows on the replica', async () => {
        const found = await valuesOf(server.standby, "SELECT to_regclass('t') IS NOT NULL").catch(() => [
          [false],
        ])
        return (
          found[0]![0] === true &&
          (await valuesOf(server.standby, 'SELECT count(*)::int FROM t'))[0]![0] === 100
        )
      })
      await server.disconnect()
      log.append(rows(100, 200))
      await until('the offset', () => log.committed[0] === 200n)
      server.kill()
      await server.promote()
      log.append(rows(200, 300))
      await until('all rows', () => log.committed[0] === 300n, 60_000)
      await expectExactly(300)
    } finally {
      await sink.close().catch(() => {})
    }
  })

  it('is waited for by a stream that has reached the replica before it was promoted', async () => {
    await server.primary.query('CREATE TABLE single (n int); CREATE TABLE replaced (n int)')
    const sinks = [
      new PgBatchWritable<Row>({ pool: server.pool, table: 't', retry }),
      new PgBatchWritable<Row>({ pool: server.pool, table: 'single', retry, singleTransaction: true }),
      new PgBatchWritable<Row>({ pool: server.pool, table: 'replaced', retry, replace: true }),
    ]
    await until('the tables on the replica', async () => {
      const [[there]] = (await valuesOf(server.standby, "SELECT to_regclass('replaced') IS NOT NULL")) as [
        [boolean],
      ]
      return there
    })
    server.kill()
    server.lead()
    const refusals = sinks.map(sink => {
      const states: unknown[] = []
      sink.on('retry', ({ error }) => states.push(error.sqlState))
      return states
    })
    const done = Promise.all(sinks.map(sink => pipeline(Readable.from([rows(0, 100)]), sink)))
    await Promise.race([done, until('refusals', () => refusals.every(({ length }) => length > 0))])
    await server.promote()
    await done
    for (const states of refusals) expect(states).to.include('25006')
    await expectExactly(100)
    expect(
      await valuesOf(
        server.standby,
        'SELECT (SELECT count(*)::int FROM single), (SELECT count(*)::int FROM replaced)',
      ),
    ).to.deep.equal([[100, 100]])
  })
})
