import pg from 'pg'
import { expectAssignable, expectError, expectType } from 'tsd'
import {
  PgRowWriter,
  type PgTransactionClient,
  type RowWriterStats,
  type WrittenRow,
} from '../../dist/index.js'

interface Order {
  customer: string
  total: string | null
}

const pool = new pg.Pool()

// without returning, a row resolves with its action alone
const plain = new PgRowWriter<Order>({ pool, table: 'orders' })
const written = await plain.write({ customer: 'Ada', total: null })
expectType<WrittenRow<void>>(written)
expectType<'inserted' | 'updated' | 'deleted' | 'unchanged'>(written.action)
expectError(plain.write({ customer: 1, total: null }))
expectError(plain.write({ customer: 'Ada' }))
expectType<Promise<void>>(plain.flush())
expectType<Promise<void>>(plain.end())
expectType<void>(plain.destroy(new Error('over')))
expectType<Readonly<RowWriterStats>>(plain.stats)
expectAssignable<AsyncDisposable>(plain)
await plain.write({ customer: 'Ada', total: '1' }, { signal: AbortSignal.timeout(1000) })

// with returning, its columns are typed, and may be missing: the row may have changed nothing
const returning = new PgRowWriter<Order, { id: string }>({ pool, table: 'orders', returning: ['id'] })
const { row } = await returning.write({ customer: 'Ada', total: null })
expectType<{ id: string } | undefined>(row)
expectError(new PgRowWriter<Order, { id: string }>({ pool, table: 'orders', returning: ['ids'] }))

// every option
new PgRowWriter<Order, { id: string }>({
  connectionString: 'postgres://localhost/shop',
  table: { schema: 'sales', name: 'orders' },
  columns: ['customer', 'total'],
  unknownKeys: 'ignore',
  evolve: { addColumns: false, widenTypes: true },
  method: 'insert',
  onConflict: { target: ['customer'], action: 'update' },
  operation: order => (order.total === null ? 'delete' : 'upsert'),
  concurrency: 2,
  laneOf: order => order.customer,
  inTransaction: async (client, rows) => {
    expectType<PgTransactionClient>(client)
    expectType<readonly Order[]>(rows)
  },
  callbackTimeoutMs: 1000,
  retry: { retries: 3 },
  statementTimeoutMs: 1000,
  commitTimeoutMs: 1000,
  signal: new AbortController().signal,
  returning: ['id'],
  maxCount: 100,
  maxWaitMs: 1,
  maxPending: 1000,
})

// what belongs to streams is not an option
expectError(new PgRowWriter<Order>({ pool, table: 'orders', rejectLimit: 1 }))
expectError(new PgRowWriter<Order>({ pool, table: 'orders', onDiscard: () => {} }))
expectError(new PgRowWriter<Order>({ pool, table: 'orders', method: 'copy' }))
expectError(new PgRowWriter<Order>({ table: 'orders' }))
expectError(new PgRowWriter<Order>({ pool, connectionString: 'postgres://localhost', table: 'orders' }))
