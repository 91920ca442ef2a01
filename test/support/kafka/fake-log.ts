import { EventEmitter } from 'node:events'
import { Readable } from 'node:stream'
import type { ReadingConsumer } from '../../../lib/kafka/index.ts'

type Offsets = Parameters<ReadingConsumer['commit']>[0]

/** The only member of a group that reads one topic, of which each partition is a log in memory. */
export class FakeLog extends EventEmitter implements ReadingConsumer {
  readonly groupId = 'g'
  readonly topics = { current: ['t'], trackAll() {}, untrackAll() {} }
  readonly assignments: { topic: string; partitions: number[] }[]
  /** For each partition the offset that the group would read next. */
  readonly committed: bigint[]
  readonly #logs: object[][]
  #stream: Readable | undefined
  #sent: number[] = []

  constructor(partitions = 1) {
    super()
    const numbers = Array.from({ length: partitions }, (_, partition) => partition)
    this.assignments = [{ topic: 't', partitions: numbers }]
    this.committed = numbers.map(() => -1n)
    this.#logs = numbers.map(() => [])
  }

  /** Appends values to a partition. */
  append(values: readonly object[], partition = 0): void {
    this.#logs[partition]!.push(...values)
    this.#deliver()
  }

  isActive(): boolean {
    return true
  }
  async joinGroup(): Promise<void> {
    this.emit('consumer:group:join')
  }
  async metadata() {
    return { topics: new Map([['t', { id: 'x', partitionsCount: this.#logs.length }]]) }
  }
  async listOffsets({ timestamp }: { timestamp: bigint }) {
    return new Map([['t', this.#logs.map(log => (timestamp === -1n ? BigInt(log.length) : 0n))]])
  }
  async listCommittedOffsets() {
    return new Map([['t', [...this.committed]]])
  }
  async commit({ offsets }: Offsets): Promise<void> {
    for (const { partition, offset } of offsets) this.committed[partition] = offset
  }
  async consume(): Promise<Readable> {
    this.#stream = new Readable({ objectMode: true, read() {} })
    this.#sent = this.committed.map(offset => (offset < 0n ? 0 : Number(offset)))
    this.#deliver()
    return this.#stream
  }
  async leaveGroup(): Promise<void> {}
  async close(): Promise<void> {}

  #deliver(): void {
    for (const [partition, log] of this.#logs.entries()) {
      for (let offset = this.#sent[partition] ?? 0; this.#stream && offset < log.length; offset++) {
        const value = Buffer.from(JSON.stringify(log[offset]))
        this.#stream.push({
          topic: 't',
          partition,
          offset: BigInt(offset),
          timestamp: 0n,
          headers: new Map(),
          value,
        })
        this.#sent[partition] = offset + 1
      }
    }
  }
}
