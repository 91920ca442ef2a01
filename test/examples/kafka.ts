/**
 * `npm run example:kafka`: some thousands of orders through a real Kafka into a real PostgreSQL, exactly
 * once, by two sinks of one group. It starts both servers and ends them; the broker needs Java 17 and Maven.
 */
import { Admin, Producer } from '@platformatic/kafka'
import pg from 'pg'
import { startEmbeddedServer } from '../../lib/embedded/embedded-server.ts'
import { type KafkaToPg, kafkaToPg } from '../../lib/kafka/index.ts' // for you: 'pg-batch-streams/kafka'
import { startKafka } from '../support/kafka/broker.ts'

const ORDERS = 20_000
const PARTITIONS = 4

interface Order {
  id: number
  customer: string
  cents: number
}

// ── The sink: what you would write
// ───────────────────────────────────────────────────────────────────────────

function openSink(bootstrapBrokers: string[], pool: pg.Pool): KafkaToPg<Order> {
  return kafkaToPg<Order, Record<string, unknown>>({
    consumer: { clientId: 'example', groupId: 'example', bootstrapBrokers, heartbeatInterval: 500 },
    topics: ['orders'],
    pool,
    table: 'orders',
    delivery: 'exactly-once',
    concurrency: 2,
    deadLetter: { table: 'orders_rejected' },
    toRow: ({ value, timestamp, partition, offset }) => ({
      id: value.id,
      customer: value.customer,
      total: value.cents / 100,
      placed_at: timestamp,
      place: `${partition}/${offset}`,
    }),
  })
}

const TABLE = `CREATE TABLE orders (
  id int NOT NULL, customer text NOT NULL, total numeric(10,2) NOT NULL, placed_at timestamptz NOT NULL, place text NOT NULL)`

// ── Around it: the servers, the orders, and what is printed
// ──────────────────────────────────────────────────

async function main(): Promise<void> {
  console.log('Starting PostgreSQL and Kafka …')
  const database = await startEmbeddedServer()
  const pool = new pg.Pool({ connectionString: database.connectionString })
  pool.on('error', error => console.error(error.message)) // an idle client was lost: the pool makes another
  pool.on('error', () => {}) // an idle connection that breaks is replaced; unheard, it would end the process
  const broker = await startKafka()
  try {
    await pool.query(TABLE)
    const bootstrapBrokers = [...broker.bootstrapBrokers]
    await produce(bootstrapBrokers)
    const sinks = [openSink(bootstrapBrokers, pool), openSink(bootstrapBrokers, pool)]
    await Promise.race([untilDone(sinks), ...sinks.map(sink => sink.finished)])
    await Promise.all(sinks.map(sink => sink.close()))
    await show(pool, sinks)
  } finally {
    await pool.end()
    await broker.stop()
    await database.stop()
  }
}

/** Orders, and one message that is not an order. */
async function produce(bootstrapBrokers: string[]): Promise<void> {
  const options = { clientId: 'example', bootstrapBrokers }
  const admin = new Admin(options)
  await admin.createTopics({ topics: ['orders'], partitions: PARTITIONS, replicas: 1 })
  await admin.close()
  const producer = new Producer({ ...options, idempotent: true })
  const orders = Array.from({ length: ORDERS }, (_, id) =>
    JSON.stringify({ id, customer: `customer ${id % 100}`, cents: (id * 37) % 10_000 } satisfies Order),
  )
  const values = [...orders, '{ "id": oops }']
  for (let start = 0; start < values.length; start += 1000) {
    const messages = values.slice(start, start + 1000).map((value, index) => ({
      topic: 'orders',
      partition: index % PARTITIONS,
      value: Buffer.from(value),
    }))
    await producer.send({ messages })
  }
  await producer.close()
  console.log(
    `Kafka       ${values.length} messages in ${PARTITIONS} partitions of the topic orders, one of them no order`,
  )
}

async function untilDone(sinks: readonly KafkaToPg<Order>[]): Promise<void> {
  const done = () => sinks.reduce((sum, { stats }) => sum + stats.rowsCommitted + stats.rowsRejected, 0)
  while (done() < ORDERS + 1) await new Promise(resolve => setTimeout(resolve, 50))
}

async function show(pool: pg.Pool, sinks: readonly KafkaToPg<Order>[]): Promise<void> {
  for (const [index, { stats }] of sinks.entries()) {
    console.log(
      `Sink ${index + 1}      ${stats.messagesReceived} messages read, ${stats.rowsCommitted} rows committed in ${stats.transactions} transactions, ${stats.rowsSkipped} skipped, ${stats.rowsRejected} rejected`,
    )
  }
  const { rows } = await pool.query(
    'SELECT count(*)::int AS rows, count(DISTINCT id)::int AS orders FROM orders',
  )
  const { rows: rejected } = await pool.query('SELECT message FROM orders_rejected')
  const same = rows[0].rows === ORDERS && rows[0].orders === ORDERS && rejected.length === 1
  console.log(
    `PostgreSQL  ${rows[0].rows} rows, ${rows[0].orders} orders ${same ? '(the same)' : '(NOT THE SAME)'}`,
  )
  for (const { message } of rejected) console.log(`Rejected    ${message}`)
  if (!same) process.exitCode = 1
}

await main().catch((error: Error) => {
  console.error(`example:kafka: ${error.message}`)
  process.exitCode = 1
})
