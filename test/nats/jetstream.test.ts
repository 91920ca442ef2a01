import { pipeline } from 'node:stream/promises'
import { AckPolicy, DeliverPolicy, type JsMsg, jetstream, jetstreamManager } from '@nats-io/jetstream'
import { connect, type NatsConnection } from '@nats-io/transport-node'
import { expect } from 'chai'
import {
  BatchTransform,
  PgBatchWritable,
  type PgBatchWritableOptions,
  readCheckpoint,
} from '../../lib/index.ts'
import { openWorkshop } from '../support/examples/workshop.ts'
import { readPage } from '../support/pages/pages.ts'
import { useDatabase } from '../support/servers/database.ts'
import { type NatsServer, startNats } from '../support/servers/nats-server.ts'
import { until } from '../support/until.ts'

const MESSAGES = 500
const PATIENCE_MS = 20_000

interface Row {
  id: number
}

describe('NATS JetStream', function () {
  this.timeout(60_000)
  const db = useDatabase()
  let server: NatsServer
  let nats: NatsConnection
  before(async () => {
    server = await startNats()
    nats = await connect({ servers: server.url })
  })
  after(async () => {
    await nats?.close()
    await server?.stop()
  })

  async function publish(stream: string): Promise<void> {
    const manager = await jetstreamManager(nats)
    await manager.streams.add({ name: stream, subjects: [`${stream}.>`] })
    await append(stream, 0)
  }

  async function append(stream: string, from: number): Promise<void> {
    const ids = Array.from({ length: MESSAGES }, (_, index) => from + index)
    await Promise.all(ids.map(id => jetstream(nats).publish(`${stream}.new`, JSON.stringify({ id }))))
  }

  function openSink(table: string, options: Partial<PgBatchWritableOptions<JsMsg, Row>>) {
    return new PgBatchWritable<JsMsg, Row>({
      pool: db.pool,
      table,
      toRow: message => message.json<Row>(),
      ...options,
    } as PgBatchWritableOptions<JsMsg, Row>)
  }

  async function distinct(table: string): Promise<{ count: number; ids: number }> {
    const { rows } = await db.pool.query(`SELECT count(*)::int, count(DISTINCT id)::int AS ids FROM ${table}`)
    return rows[0]
  }

  it('delivers again what was not committed, when `afterCommit` acknowledges', async () => {
    await db.pool.query('CREATE TABLE acknowledged (id int PRIMARY KEY)')
    await publish('acknowledged')
    const manager = await jetstreamManager(nats)
    const durable = { durable_name: 'pg', ack_policy: AckPolicy.Explicit, ack_wait: 1e9 }
    await manager.consumers.add('acknowledged', durable)
    const consumer = await jetstream(nats).consumers.get('acknowledged', 'pg')
    const afterCommit = (batch: readonly JsMsg[]): void => {
      for (const message of batch) message.ack()
    }

    const lost = await consumer.consume()
    const failing = openSink('acknowledged', {
      afterCommit,
      inTransaction: () => Promise.reject(new Error('the process is gone')),
    })
    const failure = await pipeline(lost, new BatchTransform<JsMsg>(), failing).catch(error => error)
    expect(failure).to.have.property('code', 'CALLBACK_FAILED')
    await lost.close()
    expect((await manager.consumers.info('acknowledged', 'pg')).num_ack_pending).to.be.greaterThan(0)

    const again = await consumer.consume()
    const sink = openSink('acknowledged', {
      afterCommit,
      onConflict: { target: ['id'], action: 'update' },
    })
    const done = pipeline(again, new BatchTransform<JsMsg>(), sink)
    await until(
      'all to be acknowledged',
      async () => {
        const { num_pending, num_ack_pending } = await manager.consumers.info('acknowledged', 'pg')
        return num_pending + num_ack_pending === 0
      },
      PATIENCE_MS,
    )
    await again.close()
    await done
    expect(await distinct('acknowledged')).to.deep.equal({ count: MESSAGES, ids: MESSAGES })
  })

  it('has every message once in a table without a key, read in order from the checkpoint on', async () => {
    await db.pool.query('CREATE TABLE ordered (id int)')
    await publish('ordered')
    // stops in the middle, and then continues from what is stored
    const read = async (count: number): Promise<void> => {
      const stored = (await readCheckpoint(db.pool, 'ordered')).get('') ?? 0n
      const consumer = await jetstream(nats).consumers.get('ordered', {
        deliver_policy: DeliverPolicy.StartSequence,
        opt_start_seq: Number(stored) + 1,
      })
      const messages = await consumer.consume()
      const sink = openSink('ordered', {
        checkpoint: { name: 'ordered', position: ({ seq }) => ({ offset: seq }) },
      })
      const done = pipeline(messages, new BatchTransform<JsMsg>({ maxCount: 100 }), sink)
      await until('its messages', () => sink.stats.rowsCommitted >= count, PATIENCE_MS)
      await messages.close()
      await done
    }
    await read(100)
    await append('ordered', MESSAGES)
    const { count } = await distinct('ordered')
    await read(2 * MESSAGES - count)
    expect(await distinct('ordered')).to.deep.equal({ count: 2 * MESSAGES, ids: 2 * MESSAGES })
  })

  it('runs as docs/recipes.md has it', async () => {
    const recipes = readPage('docs/recipes.md').sections
    const sections = recipes.filter(({ blocks }) => blocks.some(({ needs }) => needs === 'nats'))
    expect(sections).to.have.length(1)
    await publish('orders')
    const workshop = await openWorkshop()
    try {
      await workshop.runSection(sections[0]!, db.connectionString, { nats: server.url })
    } finally {
      await workshop.close()
    }
    expect(await distinct('orders')).to.deep.equal({ count: MESSAGES, ids: MESSAGES })
  })
})
