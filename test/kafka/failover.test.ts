import { once } from 'node:events'
import { expect } from 'chai'
import type pg from 'pg'
import { useKafka } from '../support/kafka/kafka.ts'
import { ReplicatedServer } from '../support/servers/standby.ts'
import { until } from '../support/until.ts'
import { count, ids, PATIENCE_MS, untilCommitted, untilRows, useSinks } from './support.ts'

/** The messages before, around and after the failover. */
const [EARLY, LATE, ALL] = [10_000, 30_000, 40_000]

describe('a failover of PostgreSQL under a sink', function () {
  this.timeout(120_000)
  const kafka = useKafka()
  let servers: ReplicatedServer
  const open = useSinks(kafka, () => servers.pool as unknown as pg.Pool)
  beforeEach(async () => {
    servers = await ReplicatedServer.start()
    await servers.primary.query('CREATE TABLE t (id bigint)')
  })
  afterEach(() => servers?.stop())

  async function begin(delivery: 'exactly-once' | 'at-least-once') {
    const [topic, group] = [await kafka.createTopic(2), kafka.fresh('group')]
    await kafka.produce(topic, ids(0, EARLY, 2))
    const sink = open(group, {
      topics: [topic],
      table: 't',
      delivery,
      concurrency: 2,
      batch: { maxCount: 100 },
      maxBytes: 32_768,
      retry: { retries: 1000, maxDelayMs: 200 },
    })
    let regressed = 0
    sink.on('regressed', () => regressed++)
    return { topic, group, sink, regressed: () => regressed }
  }

  /** The primary dies without a word, and the standby takes its place. */
  async function failOver(): Promise<void> {
    await servers.killHard()
    await servers.promote()
  }

  async function expectAll({ topic, group, sink }: Awaited<ReturnType<typeof begin>>): Promise<void> {
    await kafka.produce(topic, ids(LATE, ALL, 2))
    await untilCommitted(kafka, group, topic, [BigInt(ALL / 2), BigInt(ALL / 2)])
    await sink.close()
    const { rows } = await servers.standby.query(
      'SELECT count(*)::int, count(DISTINCT id)::int AS ids FROM t',
    )
    expect(rows).to.deep.equal([{ count: ALL, ids: ALL }])
  }

  it('to an asynchronous standby that lacks commits: exactly-once reads them again', async () => {
    const run = await begin('exactly-once')
    await untilRows(servers.primary, 't', EARLY)
    await until(
      'the standby to have the early messages',
      async () => (await count(servers.standby, 't')) === EARLY,
      PATIENCE_MS,
    )
    await servers.disconnect()
    await kafka.produce(run.topic, ids(EARLY, LATE, 2))
    await untilRows(servers.primary, 't', EARLY + 1)
    await failOver()
    await expectAll(run)
    expect(run.regressed()).to.be.at.least(1)
  })

  for (const delivery of ['exactly-once', 'at-least-once'] as const) {
    it(`to a synchronous standby: no message is lost and none doubled, ${delivery}`, async () => {
      await servers.synchronous()
      const run = await begin(delivery)
      await kafka.produce(run.topic, ids(EARLY, LATE, 2))
      await once(run.sink, 'commit')
      expect(await count(servers.primary, 't')).to.be.below(LATE)
      await failOver()
      await expectAll(run)
      expect(run.regressed()).to.equal(0)
    })
  }
})
