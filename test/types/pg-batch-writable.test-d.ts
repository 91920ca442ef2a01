import { Readable, type Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { getTableName } from 'drizzle-orm'
import { drizzle } from 'drizzle-orm/node-postgres'
import { pgTable, serial, text } from 'drizzle-orm/pg-core'
import type { ColumnType, Generated, Insertable } from 'kysely'
import pg from 'pg'
import { type CopyStreamQuery, from as copyFrom } from 'pg-copy-streams'
import pgPromise from 'pg-promise'
import { expectAssignable, expectError, expectNotAssignable, expectType } from 'tsd'
import {
  BatchTransform,
  type Codec,
  type CommitEvent,
  type DebeziumChange,
  type EvolveEvent,
  type EvolveOptions,
  fromDebezium,
  type OnConflict,
  PgBatchWritable,
  type PgBatchWritableOptions,
  type PgClientLike,
  type PgPoolLike,
  type PgTransactionClient,
  type SettledItems,
  type Stats,
} from '../../dist/index.js'

interface Order {
  id: number
  total: string
  placed: Date
}
interface Row {
  order_id: number
  total: string | null
}

const pool = new pg.Pool()
expectAssignable<PgPoolLike>(pool)
// a wrapper need not take submittables
expectAssignable<PgPoolLike>({
  connect: async () => ({ query: async (_text: string) => ({ rows: [], rowCount: 0 }), release() {} }),
})
expectAssignable<PgPoolLike>(pgPromise()({}).$pool)

declare const poolClient: pg.PoolClient
expectAssignable<PgTransactionClient>(poolClient)
// a callback written for `pg`
const forPg = async (client: pg.PoolClient): Promise<void> => void (await client.query('SELECT 1'))
expectAssignable<PgBatchWritableOptions<Order>>({
  pool,
  table: 'orders',
  onBegin: forPg,
  inTransaction: forPg,
})

// the item is the row
const plain = new PgBatchWritable<Order>({ pool, table: 'orders', columns: ['id', 'total'] })
expectAssignable<Writable>(plain)
expectType<Readonly<Stats>>(plain.stats)
expectError(plain.stats.rowsReceived++)
expectType<'idle' | 'writing' | 'retrying' | 'failed' | 'ended'>(plain.stats.state)
expectType<Date | undefined>(plain.stats.lastCommitAt)
expectType<number>(plain.stats.oldestPendingMs)

// a table that changes with its rows
const evolving = new PgBatchWritable<Order>({
  pool,
  table: 'orders',
  evolve: { addColumns: true, widenTypes: true, maxNewColumns: 5, lockTimeoutMs: 500 },
})
evolving.on('evolve', evolve => {
  expectType<EvolveEvent>(evolve)
  expectType<readonly { readonly name: string; readonly type: string }[]>(evolve.added)
  expectType<string>(evolve.sql)
})
expectAssignable<EvolveOptions>({ widenTypes: true })
expectError(new PgBatchWritable({ pool, table: 'orders', evolve: 'yes' }))
expectError(new PgBatchWritable({ pool, table: 'orders', evolve: { widenType: true } }))

interface Complex {
  re: number
  im: number
}

const complex: Codec<Complex> = {
  text: ({ re, im }) => `(${re},${im})`,
  binary: ({ re }) => (re === 0 ? undefined : Buffer.of(re)),
}
expectAssignable<Codec>(complex)
expectNotAssignable<Codec>({ text: (value: Complex) => value.re })
expectNotAssignable<Codec>({ binary: () => undefined })

// the item becomes the row, and names are those of the row from there on
const shaped = new PgBatchWritable<Order, Row>({
  connectionString: 'postgres://localhost/shop',
  table: { schema: 'sales', name: 'orders' },
  toRow: order => {
    expectType<Order>(order)
    return order.id > 0 ? { order_id: order.id, total: order.total } : null
  },
  columns: ['order_id', 'total'],
  unknownKeys: 'ignore',
  method: 'copy',
  copyFormat: 'text',
  codecs: {
    'public.complex': complex,
    'pg_catalog.text': { text: String },
  },
  onConflict: { target: ['order_id'], action: 'update', update: ['total'] },
  concurrency: 4,
  laneOf: order => {
    expectType<Order>(order)
    return order.id
  },
  onBegin: async client => {
    expectType<PgTransactionClient>(client)
    expectAssignable<pg.PoolClient>(client)
    await client.query('SET LOCAL ROLE writer')
  },
  inTransaction: async (client, batch) => {
    expectAssignable<PgClientLike>(client)
    expectType<PgTransactionClient>(client)
    expectType<CopyStreamQuery>(client.query(copyFrom('COPY tags FROM STDIN')))
    expectAssignable<pg.PoolClient>(client)
    expectType<{ n: number }[]>((await client.query<{ n: number }>('SELECT 1 AS n')).rows)
    expectType<Row[]>((await client.query<Row>({ text: 'SELECT * FROM r WHERE id = $1', values: [1] })).rows)
    expectType<[number][]>((await client.query<[number]>({ text: 'SELECT 1', rowMode: 'array' })).rows)
    expectType<Record<string, unknown>[]>((await client.query('SELECT 1', [])).rows)
    expectError(client.query(1))
    const orm = drizzle(client)
    expectAssignable<object>(await orm.transaction(async nested => nested.execute('SELECT 1')))
    expectType<readonly Order[]>(batch)
    await client.query('SELECT 1')
  },
  afterCommit: (batch, settled) => {
    expectType<readonly Order[]>(batch)
    expectType<SettledItems<Order>>(settled)
    expectType<readonly Order[]>(settled.written)
    expectType<readonly Order[]>(settled.rejected)
    expectType<readonly Order[]>(settled.skipped)
  },
  callbackTimeoutMs: 5000,
  signal: new AbortController().signal,
})
shaped.on('commit', commit => {
  expectType<CommitEvent>(commit)
  expectType<number>(commit.rows)
  expectType<number>(commit.batches)
  expectType<'copy' | 'insert'>(commit.method)
})
shaped.once('error', error => expectType<Error>(error))
shaped.on('finish', () => {})

expectAssignable<PgBatchWritableOptions<Order>>({
  pool,
  table: 'orders',
  onConflict: { target: { constraint: 'orders_pkey' }, action: 'nothing' },
})
expectAssignable<PgBatchWritableOptions<Order>>({ pool, table: 'orders', onConflict: { action: 'nothing' } })

// conditions and expressions of upserts
expectAssignable<OnConflict<Order>>({ target: { index: 'orders_open' }, action: 'update' })
expectAssignable<OnConflict<Order>>({
  target: ['id'],
  action: 'update',
  mode: 'update-only',
  update: { total: 'stored.total + excluded.total', changed_at: 'now()' },
  newerBy: 'total',
  onlyIfChanged: true,
  where: "stored.name <> ''",
})
expectNotAssignable<OnConflict<Order>>({ target: ['id'], action: 'update', newerBy: 'totl' })
expectNotAssignable<OnConflict<Order>>({ target: ['id'], action: 'update', update: { total: 1 } })
expectNotAssignable<OnConflict<Order>>({ target: ['id'], action: 'update', mode: 'update' })

// change events: each item says what it is
new PgBatchWritable<DebeziumChange<Row>, Row>({
  pool,
  table: 'orders',
  toRow: ({ row }) => row,
  operation: change => {
    expectType<DebeziumChange<Row>>(change)
    return change.operation
  },
  onConflict: { target: ['order_id'], action: 'update' },
})
expectType<DebeziumChange | undefined>(fromDebezium('{}', null))
expectType<DebeziumChange<Row> | undefined>(fromDebezium<Row>(null))
expectError(
  new PgBatchWritable<Order>({
    pool,
    table: 'orders',
    operation: () => 'insert',
    onConflict: { target: ['id'], action: 'update' },
  }),
)

// without a type, any column name will do
new PgBatchWritable({ pool, table: 'orders', columns: ['anything'] })

expectType<Promise<void>>(pipeline(Readable.from([]), new BatchTransform<Order>(), plain))

// a callback may take less than it receives
new PgBatchWritable<Order>({ pool, table: 'orders', afterCommit: batch => console.log(batch.length) })
new PgBatchWritable<Order>({ pool, table: 'orders', afterCommit: () => {}, inTransaction: () => {} })

// options that are made beforehand: a type or `satisfies` keeps the literals, without `as const`
const onConflict: OnConflict<Order> = { target: ['id'], action: 'update' }
const common = { method: 'copy', unknownKeys: 'ignore', onConflict } satisfies Partial<
  PgBatchWritableOptions<Order>
>
new PgBatchWritable<Order>({ pool, table: 'orders', ...common })
const ready = {
  pool,
  table: 'orders',
  method: 'insert',
  columns: ['id'],
} satisfies PgBatchWritableOptions<Order>
new PgBatchWritable<Order>(ready)

// wrong items
plain.write([{ id: 1, total: '2', placed: new Date() }])
plain.write([{ id: 1, total: '2', placed: new Date() }], error => expectType<Error | null | undefined>(error))
expectError(plain.write([{ id: '1', total: '2', placed: new Date() }]))
expectError(plain.write([{ id: 1 }]))
expectError(plain.write({ id: 1, total: '2', placed: new Date() }))
expectError(plain.write('text'))
expectError(plain.end([{ id: 1 }]))
plain.end([{ id: 1, total: '2', placed: new Date() }])
plain.end()
await new Promise(resolve => plain.end(resolve))
await new Promise<void>(resolve => plain.end(resolve))
declare const someOrders: readonly Order[]
new PgBatchWritable({ pool, table: 'orders' }).write(someOrders) // without a type, any objects
expectError(new PgBatchWritable({ pool, table: 'orders' }).write(['text']))

// Kysely's and Drizzle's types of a table's rows
interface Database {
  people: { id: Generated<number>; name: string; born: ColumnType<Date, string | Date, never> }
}
const people = new PgBatchWritable<Insertable<Database['people']>>({
  pool,
  table: 'people',
  columns: ['name', 'born'],
  onConflict: { target: ['id'], action: 'update', update: ['name'] },
})
people.write([
  { name: 'Ada', born: '1815-12-10' },
  { id: 2, name: 'Grace', born: new Date() },
])
expectError(people.write([{ born: '1815-12-10' }]))
expectError(people.write([{ name: 1, born: '1815-12-10' }]))
expectNotAssignable<PgBatchWritableOptions<Insertable<Database['people']>>>({
  pool,
  table: 'people',
  columns: ['nmae'],
})
const visits = pgTable('visits', {
  id: serial('id').primaryKey(),
  path: text('path').notNull(),
  note: text('note'),
})
const visitSink = new PgBatchWritable<typeof visits.$inferInsert>({
  pool,
  table: getTableName(visits),
  columns: ['path', 'note'],
})
visitSink.write([{ path: '/' }, { id: 2, path: '/a', note: null }])
expectError(visitSink.write([{ note: 'no path' }]))
expectNotAssignable<PgBatchWritableOptions<typeof visits.$inferInsert>>({
  pool,
  table: 'v',
  columns: ['url'],
})
expectType<Promise<void>>(
  pipeline(
    Readable.from([]),
    new BatchTransform<Insertable<Database['people']>>(),
    new PgBatchWritable<Insertable<Database['people']>>({ pool, table: 'people' }),
  ),
)

new PgBatchWritable<Order>({ pool, table: 'orders', singleTransaction: true })
expectNotAssignable<PgBatchWritableOptions<Order>>({ pool, table: 'orders', singleTransaction: 'yes' })

new PgBatchWritable<Order>({ pool, table: 'orders', replace: true })
new PgBatchWritable<Order>({ pool, table: 'orders', replace: { minRows: 1000 } })
expectNotAssignable<PgBatchWritableOptions<Order>>({ pool, table: 'orders', replace: 1000 })

// wrong options
expectError(new PgBatchWritable<Order>())
expectError(new PgBatchWritable<Order>({ pool }))
expectError(new PgBatchWritable<Order>({ table: 'orders' }))
expectNotAssignable<PgBatchWritableOptions<Order>>({ pool, connectionString: 'postgres://', table: 'orders' })
expectNotAssignable<PgBatchWritableOptions<Order>>({ pool, table: 'orders', columns: ['no_such_key'] })
expectNotAssignable<PgBatchWritableOptions<Order>>({ pool, table: 'orders', method: 'COPY' })
expectNotAssignable<PgBatchWritableOptions<Order>>({ pool, table: 'orders', concurrency: '4' })
expectNotAssignable<PgBatchWritableOptions<Order>>({ pool, table: 'orders', onConflict: { target: ['id'] } })
expectNotAssignable<PgBatchWritableOptions<Order>>({
  pool,
  table: 'orders',
  onConflict: { action: 'replace' },
})
expectNotAssignable<PgBatchWritableOptions<Order>>({ pool: {}, table: 'orders' })
expectNotAssignable<PgBatchWritableOptions<Order>>({
  pool,
  table: 'orders',
  laneOf: (order: Order) => order.placed,
})
expectError(new PgBatchWritable<Order>({ pool, table: 'orders', batchSize: 10 }))
// columns of `onConflict` are those of the row, not of the item
expectNotAssignable<PgBatchWritableOptions<Order, Row>>({
  pool,
  table: 'orders',
  onConflict: { target: ['id'], action: 'update' },
})

// rejected rows: their texts, and a file that they reach through a table
const rejecting = new PgBatchWritable<Order>({
  pool,
  table: 'orders',
  rejectLimit: 10,
  deadLetter: { table: 'rejected', file: 'rejected.ndjson' },
})
rejecting.on('reject', ({ item, values, withoutText, operation }) => {
  expectType<Order>(item)
  expectType<Readonly<Record<string, string | null>>>(values)
  expectType<Readonly<Record<string, string>>>(withoutText)
  expectType<'delete' | undefined>(operation)
})
expectNotAssignable<PgBatchWritableOptions<Order>>({ pool, table: 'orders', deadLetter: { file: 'x' } })
