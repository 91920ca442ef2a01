import { EventEmitter } from 'node:events'
import type { ConsumerOptions } from '@platformatic/kafka'
import { withDefaults } from '../../options/option-table.ts'
import type {
  CommittingConsumer,
  OffsetsByTopic,
  ReadAssignment,
  ReadingConsumer,
  RecordStream,
  SeekingConsumer,
} from './consumer-like.ts'
import { PatchedConsumer } from './patched-consumer.ts'

export type OwnConsumerOptions = ConsumerOptions<Buffer, Buffer, Buffer, Buffer>

/** What differs from the client's own defaults. */
const DEFAULTS = Object.freeze({
  /**
   * A member that was killed is waited for until its session is over, by whoever joins; the client's 60 s are longer than
   * its `requestTimeout` of 30 s, so that a process which is started again would fail to join.
   */
  sessionTimeout: 10_000,
  /** By a heartbeat a member learns that its group shares the partitions out anew, or knows it no more. */
  heartbeatInterval: 1000,
})

/** The client's own. Before the first assignment a failure is final: time is given to a broker that starts. */
const FIRST_RETRY_DELAY_MS = 1000

/** Later, the sooner the client gives up, the sooner the outage is noticed; it is then met with a growing delay. */
function retryDelayMs(attempt: number): number {
  return Math.min(1000, 50 * 2 ** attempt)
}

const FORWARDED = ['consumer:group:join', 'consumer:group:rebalance', 'client:metadata', 'error'] as const

/**
 * A consumer that joins its group each time with a new client, as the same member. For a client of version 1 looks for
 * the group's coordinator once in its life, and stays with a broker that died or that coordinates the group no more.
 */
export class OwnConsumer extends EventEmitter implements ReadingConsumer {
  readonly #options: OwnConsumerOptions
  #client: PatchedConsumer
  #joined = false
  #assigned = false

  /** @throws what the client throws for wrong options */
  constructor(options: OwnConsumerOptions) {
    super()
    const retryDelay = (_client: unknown, _operation: string, attempt: number): number =>
      this.#assigned ? retryDelayMs(attempt) : FIRST_RETRY_DELAY_MS
    this.#options = withDefaults({ ...DEFAULTS, retryDelay }, options) as unknown as OwnConsumerOptions
    this.#client = this.#open()
  }

  get groupId(): string {
    return this.#client.groupId
  }

  get assignments(): ReadAssignment[] | null {
    return this.#client.assignments
  }

  get topics(): SeekingConsumer['topics'] {
    return this.#client.topics
  }

  isActive(): boolean {
    return this.#client.isActive()
  }

  joinGroup(): Promise<unknown> {
    if (this.#joined) this.#renew()
    this.#joined = true
    return this.#client.joinGroup()
  }

  metadata(options: Parameters<SeekingConsumer['metadata']>[0]): ReturnType<SeekingConsumer['metadata']> {
    return this.#client.metadata(options)
  }

  listOffsets(options: Parameters<SeekingConsumer['listOffsets']>[0]): Promise<OffsetsByTopic> {
    return this.#client.listOffsets(options)
  }

  listCommittedOffsets(
    options: Parameters<SeekingConsumer['listCommittedOffsets']>[0],
  ): Promise<OffsetsByTopic> {
    return this.#client.listCommittedOffsets(options)
  }

  commit(options: Parameters<CommittingConsumer['commit']>[0]): Promise<void> {
    return this.#client.commit(options)
  }

  async consume(options: Parameters<ReadingConsumer['consume']>[0]): Promise<RecordStream> {
    const stream = await this.#client.consume(options)
    this.#assigned = true
    return stream
  }

  async leaveGroup(force?: boolean): Promise<void> {
    await this.#client.leaveGroup(force)
  }

  /** Leaves the group, if that can be had: when Kafka is away, it will miss this member when its session is over. */
  async close(force?: boolean): Promise<void> {
    const client = this.#client
    // a client that could not leave its group stays open, and its connections keep the process alive
    await client.close(force).catch(() => abandon(client))
  }

  #open(): PatchedConsumer {
    const client = new PatchedConsumer(this.#options)
    const forward = (event: string, ...args: unknown[]): void => {
      if (client === this.#client) this.emit(event, ...args)
    }
    for (const event of FORWARDED) client.on(event, (...args: unknown[]) => forward(event, ...args))
    // the client goes on with its heartbeats to whom it takes for the coordinator, and tells nobody that they fail
    client.on('consumer:heartbeat:error', ({ error }) => forward('error', error))
    return client
  }

  #renew(): void {
    const last = this.#client
    this.#client = this.#open()
    this.#client.topics.trackAll(...last.topics.current)
    // the group need not wait until the session of a member that is no more is over
    this.#client.memberId = last.memberId
    abandon(last).catch(() => {}) // nobody waits for it: its broker may not answer
  }
}

/** Closes a client without a word to its group. */
async function abandon(client: PatchedConsumer): Promise<void> {
  client.memberId = null
  await client.leaveGroup() // it ends the heartbeats
  await client.close()
}
