import { Readable, type Transform, Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { expectAssignable, expectError, expectType } from 'tsd'
import {
  type BatchEvent,
  BatchTransform,
  type BatchTransformOptions,
  type BatchTrigger,
} from '../../dist/index.js'

interface Order {
  id: number
  total: string
}

const batches = new BatchTransform<Order>({
  maxCount: 500,
  maxBytes: 1_000_000,
  sizeOf: order => {
    expectType<Order>(order)
    return order.total.length
  },
  maxWaitMs: Number.POSITIVE_INFINITY,
  onDiscard: orders => expectType<Order[]>(orders),
  signal: new AbortController().signal,
})
expectAssignable<Transform>(batches)
expectAssignable<BatchTransformOptions<Order>>({ maxCount: 1 })
expectType<void>(batches.flush())

// typed listeners, and those of every stream beside them
batches.on('batch', batch => {
  expectType<BatchEvent>(batch)
  expectType<number>(batch.count)
  expectType<number>(batch.bytes)
  expectType<number>(batch.ageMs)
  expectType<BatchTrigger>(batch.trigger)
})
batches.once('data', orders => expectType<Order[]>(orders))
batches.on('error', error => expectType<Error>(error))
batches.on('close', () => {})
expectAssignable<string>('count' satisfies BatchTrigger)

// items
batches.write({ id: 1, total: '2' })
batches.write({ id: 1, total: '2' }, error => expectAssignable<Error | null | undefined>(error))
expectError(batches.write({ id: '1', total: '2' }))
expectError(batches.write({ id: 1 }))
expectError(batches.write('text'))
expectError(batches.write([{ id: 1, total: '2' }]))
new BatchTransform().write('anything')
expectAssignable<BatchTransformOptions<Order>>({
  maxCount: Number.POSITIVE_INFINITY,
  maxBytes: 1000,
  sizeOf: order => order.total.length,
})

// composes
expectType<Promise<void>>(
  pipeline(Readable.from([]), new BatchTransform<Order>(), new Writable({ objectMode: true })),
)
for await (const orders of batches) expectAssignable<Order[]>(orders)

// wrong options
expectError(new BatchTransform<Order>({ maxCount: '500' }))
expectError(new BatchTransform<Order>({ maxWait: 100 }))
expectError(new BatchTransform<Order>({ sizeOf: (order: Order) => order.total }))
expectError(new BatchTransform<Order>({ sizeOf: (order: { other: string }) => order.other.length }))
expectError(new BatchTransform<Order>({ onDiscard: (orders: string[]) => orders }))
expectError(new BatchTransform<Order>({ signal: new AbortController() }))
expectError(batches.flush('now'))
