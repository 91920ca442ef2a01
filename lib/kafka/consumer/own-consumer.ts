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

/** Defaults that differ from the client's own. */
const DEFAULTS = Object.freeze({
  /**
   * How long a killed member keeps its group waiting. The client's default of 60 s is longer than its
   * `requestTimeout` of 30 s, so that a process which is started again would fail to join.
   */
  sessionTimeout: 10_000,
  /** The answer to a heartbeat says that the group rebalances, or has dropped this member. */
  heartbeatInterval: 1000,
})

/**
 * The client's own default. A failure before the first assignment is final, so this gives a starting broker
 * time.
 */
const FIRST_RETRY_DELAY_MS = 1000

/** Later the client gives up sooner, so that an outage is noticed, and then retried with a growing delay. */
function retryDelayMs(attempt: number): number {
  return Math.min(1000, 50 * 2 ** attempt)
}

const FORWARDED = ['consumer:group:join', 'consumer:group:rebalance', 'client:metadata', 'error'] as const

/**
 * A consumer that joins its group with a new client each time, as the same member. A client of version 1
 * looks for the group's coordinator only once, and stays with a broker that died or is no longer the
 * coordinator.
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

  /** Leaves the group if Kafka is reachable. Otherwise the group drops this member when its session ends. */
  async close(force?: boolean): Promise<void> {
    const client = this.#client
    // a client that could not leave its group stays open, and would keep the process alive
    await client.close(force).catch(() => abandon(client))
  }

  #open(): PatchedConsumer {
    const client = new PatchedConsumer(this.#options)
    const forward = (event: string, ...args: unknown[]): void => {
      if (client === this.#client) this.emit(event, ...args)
    }
    for (const event of FORWARDED) client.on(event, (...args: unknown[]) => forward(event, ...args))
    // the client continues its heartbeats to a broker that is no longer the coordinator, and emits no error
    // for them
    client.on('consumer:heartbeat:error', ({ error }) => forward('error', error))
    return client
  }

  #renew(): void {
    const last = this.#client
    this.#client = this.#open()
    this.#client.topics.trackAll(...last.topics.current)
    // as the same member, so that the group does not wait for the old member's session to end
    this.#client.memberId = last.memberId
    abandon(last).catch(() => {}) // not awaited: its broker may not answer
  }
}

/** Closes a client without leaving its group. */
async function abandon(client: PatchedConsumer): Promise<void> {
  client.memberId = null
  await client.leaveGroup() // ends the heartbeats; without an id nothing is sent
  await client.close()
}
