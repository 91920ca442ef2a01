/**
 * `npm run example:jetstream`: some thousands of orders through a real NATS JetStream into a real PostgreSQL,
 * by two sinks that share a consumer. It starts both servers and ends them; NATS needs the program
 * `nats-server`.
 *
 * A broker that acknowledges message by message asks for one thing: that a message is acknowledged when its
 * row is committed, and not before. This is what `afterCommit` is for.
 */
import { pipeline } from 'node:stream/promises'
import { AckPolicy, type JsMsg, jetstream, jetstreamManager } from '@nats-io/jetstream'
import { connect, type NatsConnection } from '@nats-io/transport-node'
import pg from 'pg'
import { startEmbeddedServer } from '../../lib/embedded/embedded-server.ts'
import { BatchTransform, PgBatchWritable } from '../../lib/index.ts' // for you: 'pg-batch-streams'
import { startNats } from '../support/servers/nats-server.ts'

const ORDERS = 20_000

interface Order {
  id: number
  customer: string
  cents: number
}

// ── The sink: what you would write
// ───────────────────────────────────────────────────────────────────────────

async function openSink(nats: NatsConnection, pool: pg.Pool) {
  const consumer = await jetstream(nats).consumers.get('orders', 'pg')
  const messages = await consumer.consume({ max_messages: 5000 })
  const sink = new PgBatchWritable<JsMsg, Record<string, unknown>>({
    pool,
    table: 'orders',
    toRow: message => {
      const { id, customer, cents } = message.json<Order>()
      return { id, customer, total: cents / 100, sequence: message.seq }
    },
    // what was committed and could not be acknowledged any more comes again
    onConflict: { target: ['id'], action: 'update' },
    afterCommit: batch => {
      for (const message of batch) message.ack()
    },
  })
  const done = pipeline(messages, new BatchTransform<JsMsg>(), sink)
  return { sink, done, close: () => messages.close() }
}

const TABLE = `CREATE TABLE orders (
  id int PRIMARY KEY, customer text NOT NULL, total numeric(10,2) NOT NULL, sequence bigint NOT NULL)`

// ── Around it: the servers, the orders, and what is printed
// ──────────────────────────────────────────────────

async function main(): Promise<void> {
  console.log('Starting PostgreSQL and NATS …')
  const broker = await startNats()
  const database = await startEmbeddedServer()
  const pool = new pg.Pool({ connectionString: database.connectionString })
  pool.on('error', error => console.error(error.message)) // an idle client was lost: the pool makes another
  pool.on('error', () => {}) // an idle connection that breaks is replaced; unheard, it would end the process
  const nats = await connect({ servers: broker.url })
  try {
    await pool.query(TABLE)
    await publish(nats)
    const sinks = [await openSink(nats, pool), await openSink(nats, pool)]
    await Promise.race([allAcknowledged(nats), ...sinks.map(({ done }) => done)])
    for (const { close } of sinks) await close()
    await Promise.all(sinks.map(({ done }) => done))
    for (const [index, { sink }] of sinks.entries())
      console.log(
        `Sink ${index + 1}      ${sink.stats.rowsCommitted} rows in ${sink.stats.transactions} transactions`,
      )
    const { rows } = await pool.query('SELECT count(*)::int AS orders, sum(total)::text AS total FROM orders')
    console.log(`PostgreSQL  ${rows[0].orders} orders, ${rows[0].total} in all`)
    if (rows[0].orders !== ORDERS) throw new Error('Orders are missing')
  } finally {
    await nats.close()
    await pool.end()
    await database.stop()
    await broker.stop()
  }
}

async function publish(nats: NatsConnection): Promise<void> {
  const manager = await jetstreamManager(nats)
  await manager.streams.add({ name: 'orders', subjects: ['orders.>'] })
  // as many unacknowledged messages as the sinks may hold, and time enough to commit them
  await manager.consumers.add('orders', {
    durable_name: 'pg',
    ack_policy: AckPolicy.Explicit,
    max_ack_pending: 20_000,
  })
  const stream = jetstream(nats)
  for (let start = 0; start < ORDERS; start += 1000) {
    const orders = Array.from({ length: 1000 }, (_, index): Order => {
      const id = start + index
      return { id, customer: `customer ${id % 100}`, cents: (id * 37) % 10_000 }
    })
    await Promise.all(orders.map(order => stream.publish('orders.new', JSON.stringify(order))))
  }
  console.log(`JetStream   ${ORDERS} messages in the stream orders`)
}

async function allAcknowledged(nats: NatsConnection): Promise<void> {
  const manager = await jetstreamManager(nats)
  for (;;) {
    const { num_pending, num_ack_pending } = await manager.consumers.info('orders', 'pg')
    if (num_pending + num_ack_pending === 0) return
    await new Promise(resolve => setTimeout(resolve, 50))
  }
}

await main()
