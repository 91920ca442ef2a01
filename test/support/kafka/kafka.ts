import { randomBytes } from 'node:crypto'
import { Admin, Producer } from '@platformatic/kafka'
import { type KafkaBroker, startKafka } from './broker.ts'
import { testKafka } from './test-broker.ts'

/** What a message may be made of; text and objects become bytes, objects as JSON. `null` is a tombstone. */
export interface TestMessage {
  readonly key?: string
  readonly value: string | Buffer | object | null
  readonly partition?: number
  readonly headers?: Readonly<Record<string, string>>
}

/** A broker for the tests of one `describe`, with what they do to it. */
export interface TestKafka {
  readonly broker: KafkaBroker
  readonly bootstrapBrokers: string[]
  /** A name that no other test has: for topics and groups. */
  fresh(word: string): string
  /** Makes a topic, of a fresh name unless one is given. */
  createTopic(partitions?: number, name?: string): Promise<string>
  deleteTopic(name: string): Promise<void>
  /** Lets a topic have so many partitions. */
  addPartitions(name: string, count: number): Promise<void>
  /** Resolves when the broker has them all. Without `partition` the key decides, or one after the other. */
  produce(topic: string, messages: readonly TestMessage[]): Promise<void>
  /** The offset of the next message of each partition. */
  ends(topic: string): Promise<bigint[]>
  /** The offset that a group would read next, of each partition; -1 for none. */
  committed(groupId: string, topic: string, partitions: number): Promise<bigint[]>
  /** How many members a group has. */
  members(groupId: string): Promise<number>
  /** Sets them, of a group that has no members. */
  setCommitted(groupId: string, topic: string, offsets: readonly bigint[]): Promise<void>
}

/**
 * Gives the surrounding `describe` a broker: the run's own, or one of its own, to kill, with `own`.
 * What it returns may be read inside hooks and tests only.
 */
export function useKafka({ own = false }: { own?: boolean } = {}): TestKafka {
  let broker: KafkaBroker
  let admin: Admin
  let producer: Producer<Buffer, Buffer, string, string>
  before(async function () {
    this.timeout(600_000) // a first run downloads the broker
    broker = await (own ? startKafka() : testKafka())
    admin = new Admin(clientOptions())
    producer = makeProducer()
  })
  const clientOptions = () => ({ clientId: 'test', bootstrapBrokers: [...broker.bootstrapBrokers] })
  const makeProducer = () =>
    new Producer<Buffer, Buffer, string, string>({
      ...clientOptions(),
      idempotent: true, // the client sends again what went to a partition that had no leader yet
      serializers: { headerKey: text => Buffer.from(text!), headerValue: text => Buffer.from(text!) },
    })
  after(async () => {
    await producer?.close()
    await admin?.close()
    if (own) await broker?.stop()
  })
  const fresh = (word: string): string => `${word}-${randomBytes(4).toString('hex')}`
  return {
    get broker() {
      return broker
    },
    get bootstrapBrokers() {
      return [...broker.bootstrapBrokers]
    },
    fresh,
    async createTopic(partitions = 1, name = fresh('topic')) {
      await admin.createTopics({ topics: [name], partitions, replicas: 1 })
      return name
    },
    async deleteTopic(name) {
      await admin.deleteTopics({ topics: [name] })
      await producer.close() // it knows the topic, and its own place in it
      producer = makeProducer()
    },
    async addPartitions(name, count) {
      await admin.createPartitions({ topics: [{ name, count, assignments: null }] })
    },
    async produce(topic, messages) {
      for (let start = 0; start < messages.length; start += PRODUCE_COUNT) {
        const part = messages.slice(start, start + PRODUCE_COUNT)
        await producer.send({ messages: part.map(message => toRecord(topic, message)) })
      }
    },
    async ends(topic) {
      const { topics } = await admin.metadata({ topics: [topic], forceUpdate: true })
      const count = topics.get(topic)!.partitionsCount
      const partitions = indexes(count).map(partitionIndex => ({ partitionIndex, timestamp: -1n }))
      const [listed] = await admin.listOffsets({ topics: [{ name: topic, partitions }] })
      return indexes(count).map(
        index => listed!.partitions.find(({ partitionIndex }) => partitionIndex === index)!.offset,
      )
    },
    async committed(groupId, topic, partitions) {
      const topics = [{ name: topic, partitionIndexes: indexes(partitions) }]
      const [group] = await admin.listConsumerGroupOffsets({ groups: [{ groupId, topics }] })
      const known = group?.topics.find(({ name }) => name === topic)?.partitions ?? []
      return indexes(partitions).map(
        index => known.find(({ partitionIndex }) => partitionIndex === index)?.committedOffset ?? -1n,
      )
    },
    async members(groupId) {
      const groups = await admin.describeGroups({ groups: [groupId] })
      return groups.get(groupId)?.members.size ?? 0
    },
    async setCommitted(groupId, topic, offsets) {
      const partitionOffsets = offsets.map((offset, partition) => ({ partition, offset }))
      await admin.alterConsumerGroupOffsets({ groupId, topics: [{ name: topic, partitionOffsets }] })
    },
  }
}

function indexes(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index)
}

/** Messages of one request; the broker refuses requests of more than a megabyte. */
const PRODUCE_COUNT = 1000

function toRecord(topic: string, { key, value, partition, headers }: TestMessage) {
  return {
    topic,
    ...(key === undefined ? {} : { key: Buffer.from(key) }),
    // the client sends an undefined value as null, as its types have it
    ...(value === null ? {} : { value: toBytes(value) }),
    ...(partition === undefined ? {} : { partition }),
    ...(headers ? { headers: new Map(Object.entries(headers)) } : {}),
  }
}

function toBytes(value: string | Buffer | object): Buffer {
  if (Buffer.isBuffer(value)) return value
  return Buffer.from(typeof value === 'string' ? value : JSON.stringify(value))
}
