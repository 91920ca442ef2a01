import { EventEmitter, once } from 'node:events'
import { Readable } from 'node:stream'
import { NetworkError } from '@platformatic/kafka'
import { expect } from 'chai'
import type { PgPoolLike } from '../../../lib/index.ts'
import {
  type KafkaToPg,
  type KafkaToPgOptions,
  kafkaToPg,
  type ReadingConsumer,
} from '../../../lib/kafka/index.ts'
import { until } from '../../support/until.ts'

const state = { id: 'x', partitionsCount: 1 }

/** A member with one partition, and a stream for each time that it consumes. */
class FakeConsumer extends EventEmitter implements ReadingConsumer {
  readonly groupId = 'g'
  readonly topics = { current: ['t'], trackAll() {}, untrackAll() {} }
  readonly assignments = [{ topic: 't', partitions: [0] }]
  readonly streams: Readable[] = []
  readonly committed: bigint[] = []
  #offset = 0n

  isActive(): boolean {
    return true
  }
  async joinGroup(): Promise<void> {
    this.emit('consumer:group:join')
  }
  async metadata() {
    return { topics: new Map([['t', state]]) }
  }
  async listOffsets({ timestamp }: { timestamp: bigint }) {
    return new Map([['t', [timestamp === -1n ? 1000n : 0n]]])
  }
  async listCommittedOffsets() {
    return new Map([['t', [0n]]])
  }
  async commit({ offsets }: Parameters<ReadingConsumer['commit']>[0]): Promise<void> {
    this.committed.push(offsets[0]!.offset)
  }
  async consume() {
    const stream = new Readable({ objectMode: true, read() {} })
    this.streams.push(stream)
    return stream
  }
  async leaveGroup(): Promise<void> {}
  async close(): Promise<void> {}

  /** Delivers a message by the stream that was opened last. */
  deliver(value: object = {}): void {
    const bytes = Buffer.from(JSON.stringify(value))
    const offset = this.#offset++
    this.streams
      .at(-1)!
      .push({ topic: 't', partition: 0, offset, timestamp: 0n, headers: new Map(), value: bytes })
  }
}

describe('kafkaToPg', () => {
  let consumer: FakeConsumer
  let sink: KafkaToPg<object>
  /** Opens a sink that skips all messages, so that nothing is asked of PostgreSQL. */
  const open = (options: Partial<KafkaToPgOptions<object>> = {}): void => {
    sink = kafkaToPg<object>({
      consumer,
      topics: ['t'],
      delivery: 'at-least-once',
      connectionString: 'postgres://127.0.0.1:1/none',
      table: () => null,
      retry: { minDelayMs: 1, maxDelayMs: 1 },
      ...options,
    } as KafkaToPgOptions<object>)
    sink.finished.catch(() => {})
  }
  beforeEach(() => {
    consumer = new FakeConsumer()
  })
  afterEach(() => sink.close().catch(() => {}))

  describe('when a rebalance starts and never ends, because Kafka is not reachable,', () => {
    it('commits again after a commit that failed', async () => {
      open()
      await once(sink, 'assigned')
      consumer.commit = async () => {
        consumer.emit('consumer:group:rebalance')
        throw new NetworkError('the join failed')
      }
      const outage = once(sink, 'outage')
      consumer.deliver()
      await outage
      consumer.commit = FakeConsumer.prototype.commit
      consumer.deliver()
      await until('a commit', () => consumer.committed.includes(2n))
    })

    it('joins again when its stream has failed', async () => {
      open()
      await once(sink, 'assigned')
      consumer.emit('consumer:group:rebalance')
      consumer.deliver()
      await until('the message to be taken', () => sink.stats.messagesReceived === 1)
      const assigned = once(sink, 'assigned')
      consumer.streams[0]!.destroy(new NetworkError('the fetch failed'))
      await assigned
      expect(consumer.committed).to.deep.equal([1n])
    })
  })

  it('ignores metadata without a topic, and joins again when the topic has new partitions', async () => {
    open()
    await once(sink, 'assigned')
    consumer.emit('client:metadata', { topics: new Map([['t', undefined]]) })
    consumer.emit('client:metadata', { topics: new Map([['t', state]]) })
    const again = once(sink, 'assigned')
    consumer.emit('client:metadata', { topics: new Map([['t', { ...state, partitionsCount: 2 }]]) })
    await again
    expect(sink.stats.assignments).to.equal(2)
  })

  it('gives PostgreSQL all of its retries again after each assignment', async () => {
    let refusals = 0
    const client = Object.assign(new EventEmitter(), { query: async () => ({ rows: [] }), release() {} })
    const connect = async () => {
      if (refusals-- > 0) throw Object.assign(new Error('refused'), { code: 'ECONNREFUSED' })
      return client
    }
    const pool = { connect } as unknown as PgPoolLike
    open({
      delivery: 'exactly-once',
      pool,
      connectionString: undefined,
      retry: { retries: 2, minDelayMs: 1 },
    } as object)
    await once(sink, 'assigned')
    for (let round = 0; round < 2; round++) {
      refusals = 2
      const again = once(sink, 'assigned')
      consumer.emit('error', new NetworkError('the join failed'))
      await Promise.race([again, sink.finished])
    }
    expect(sink.stats).to.include({ assignments: 3, outages: 6 })
  })

  it('stores progress under the id by which a topic was read, if it is created again meanwhile', async () => {
    const stored: unknown[] = []
    let answer: (() => void) | undefined
    const query = async (_text: string, [, partitions, positions]: unknown[] = []) => {
      if (positions) {
        stored.push([partitions, positions])
        await new Promise<void>(resolve => {
          answer = resolve
        })
      }
      return { rows: [] }
    }
    const client = Object.assign(new EventEmitter(), { query, release() {} })
    const pool = { connect: async () => client } as unknown as PgPoolLike
    open({ delivery: 'exactly-once', pool, connectionString: undefined } as object)
    await once(sink, 'assigned')
    consumer.deliver()
    await until('the first to be stored', () => stored.length === 1)
    consumer.deliver()
    await until('the second to be done', () => sink.stats.messagesReceived === 2)
    consumer.emit('client:metadata', { topics: new Map([['t', { ...state, id: 'y' }]]) })
    answer!()
    await until('the second to be stored', () => stored.length === 2)
    answer!()
    expect(stored).to.deep.equal([
      [['t:0:x'], ['0']],
      [['t:0:x'], ['1']],
    ])
  })
})
