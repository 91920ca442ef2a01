import type { EventEmitter } from 'node:events'
import { Consumer } from '@platformatic/kafka'
import pg from 'pg'
import { expectAssignable, expectError, expectType } from 'tsd'
import { PgBatchWritable } from '../../dist/index.js'
import {
  commitAfter,
  type KafkaMessage,
  type KafkaOffset,
  type KafkaToPg,
  kafkaPosition,
  kafkaToPg,
  seekToStored,
} from '../../dist/kafka/index.js'

interface Order {
  id: number
  total: string
}

const pool = new pg.Pool()
const consumer = { clientId: 'shop', groupId: 'shop', bootstrapBrokers: ['localhost:9092'] }

// the value is the row
const plain = kafkaToPg<Order>({
  consumer,
  topics: ['orders'],
  pool,
  table: 'orders',
  delivery: 'exactly-once',
})
expectType<KafkaToPg<Order>>(plain)
expectAssignable<EventEmitter>(plain)
expectType<Promise<void>>(plain.finished)
expectType<Promise<void>>(plain.close())
expectType<number>(plain.stats.messagesReceived)
expectType<number>(plain.stats.rowsCommitted)
plain.on('assigned', starts => expectType<readonly KafkaOffset[]>(starts))
plain.on('commit', ({ rows, table }) => {
  expectType<number>(rows)
  expectType<string>(table)
})
plain.on('evolve', ({ added, table }) => {
  expectType<readonly { readonly name: string; readonly type: string }[]>(added)
  expectType<string>(table)
})
plain.on('reject', ({ item, error }) => {
  expectType<KafkaMessage<Order>>(item)
  expectType<string>(error.message)
})

// the message becomes the row, and everything of PgBatchWritable passes through
kafkaToPg<Order, { order_id: number; place: string }>({
  consumer: new Consumer<string, Order, string, string>(consumer),
  topics: ['orders', 'returns'],
  connectionString: 'postgres://localhost/shop',
  delivery: 'at-least-once',
  table: message => {
    expectType<KafkaMessage<Order>>(message)
    return message.topic === 'orders' ? 'orders' : null
  },
  toRow: ({ value, key, headers, timestamp, topic, partition, offset }) => {
    expectType<Order>(value)
    expectType<string | null>(key)
    expectType<ReadonlyMap<string, string>>(headers)
    expectType<Date>(timestamp)
    return { order_id: value.id, place: `${topic}/${partition}/${offset}` }
  },
  parseValue: bytes => {
    expectType<Buffer>(bytes)
    return JSON.parse(bytes.toString()) as Order
  },
  batch: { maxCount: 500, maxBytes: 1e6, sizeOf: ({ valueBytes }) => valueBytes?.length ?? 0 },
  onConflict: { target: ['order_id'], action: 'update' },
  concurrency: 4,
  deadLetter: { table: 'dead' },
  retry: { retries: 3 },
})

const given = { consumer, topics: ['orders'], pool, table: 'orders' } as const
expectError(kafkaToPg(given)) // what a failure costs has to be said
expectError(kafkaToPg({ ...given, delivery: 'at-most-once' }))
expectError(kafkaToPg({ ...given, delivery: 'exactly-once', connectionString: 'postgres://localhost/shop' }))
expectError(kafkaToPg({ ...given, delivery: 'exactly-once', signal: new AbortController().signal }))
expectError(
  kafkaToPg<Order>({ ...given, delivery: 'exactly-once', onConflict: { target: ['no'], action: 'update' } }),
)

// the parts
const own = new Consumer(consumer)
expectType<Promise<KafkaOffset[]>>(seekToStored(pool, own, { topics: ['orders'], name: 'orders' }))
new PgBatchWritable<KafkaMessage<Order>, Order>({
  pool,
  table: 'orders',
  toRow: ({ value }) => value,
  checkpoint: { name: 'orders', position: kafkaPosition },
  afterCommit: commitAfter(own),
})
