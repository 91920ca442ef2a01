import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { Admin, Producer } from '@platformatic/kafka'

/** Messages of one request. */
const REQUEST_COUNT = 500
const RETRY_MS = 200

/** What a message says, apart from its `id`. */
export type FieldsOf = (id: number) => object

/** A topic of numbered messages `{ id, … }`, dealt to the partitions in turn. */
export class NumberedTopic {
  readonly name: string
  readonly #partitions: number
  readonly #fieldsOf: FieldsOf
  readonly #options: { clientId: string; bootstrapBrokers: string[] }
  readonly #admin: Admin
  #producer: Producer
  #produced = 0

  static async make(
    bootstrapBrokers: readonly string[],
    partitions: number,
    fieldsOf: FieldsOf = () => ({}),
  ): Promise<NumberedTopic> {
    const topic = new NumberedTopic(bootstrapBrokers, partitions, fieldsOf)
    await topic.#admin.createTopics({ topics: [topic.name], partitions, replicas: 1 })
    return topic
  }

  private constructor(bootstrapBrokers: readonly string[], partitions: number, fieldsOf: FieldsOf) {
    this.#fieldsOf = fieldsOf
    this.name = `numbered-${randomBytes(4).toString('hex')}`
    this.#partitions = partitions
    this.#options = { clientId: 'numbered', bootstrapBrokers: [...bootstrapBrokers] }
    this.#admin = new Admin(this.#options)
    this.#producer = this.#openProducer()
  }

  #openProducer(): Producer {
    return new Producer({ ...this.#options, idempotent: true })
  }

  /** Ids that were produced: 0 to this, without it. */
  get produced(): number {
    return this.#produced
  }

  /** Produces further ids; resolves when the broker has them. While it is away, again and again. */
  async produce(count: number): Promise<void> {
    for (let left = count; left > 0; ) {
      const size = Math.min(left, REQUEST_COUNT)
      const messages = Array.from({ length: size }, (_, index) => {
        const id = this.#produced + index
        return {
          topic: this.name,
          partition: id % this.#partitions,
          key: Buffer.from(String(id)),
          value: Buffer.from(JSON.stringify({ id, ...this.#fieldsOf(id) })),
        }
      })
      try {
        await this.#producer.send({ messages })
      } catch {
        // some of them may be in the log; then they are there twice, under other offsets
        await this.#producer.close().catch(() => {})
        await sleep(RETRY_MS)
        this.#producer = this.#openProducer()
        continue
      }
      this.#produced += size
      left -= size
    }
  }

  /**
   * How many messages the log holds. It may also hold messages whose acknowledgement the producer missed.
   */
  async logged(): Promise<number> {
    const partitions = Array.from({ length: this.#partitions }, (_, partitionIndex) => ({
      partitionIndex,
      timestamp: -1n,
    }))
    const [listed] = await this.#admin.listOffsets({ topics: [{ name: this.name, partitions }] })
    return listed!.partitions.reduce((sum, { offset }) => sum + Number(offset), 0)
  }

  async close(): Promise<void> {
    await this.#producer.close().catch(() => {})
    await this.#admin.close().catch(() => {})
  }
}
