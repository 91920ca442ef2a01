import { FaultServer, LOADER } from '../../faults/servers/server.ts'
import { type KafkaBroker, startKafka } from '../../support/kafka/broker.ts'
import { NumberedTopic } from '../../support/kafka/numbered-topic.ts'
import { type PgBouncer, startPgBouncer } from '../../support/servers/pgbouncer.ts'
import { Member, Tally } from './member.ts'
import type { SinkPlan } from './sink-process.ts'

export const PARTITIONS = 6

/**
 * A broker and a server of the proof's own, which may be killed; sinks may have PgBouncer in front of the
 * server.
 */
export class Environment {
  readonly broker: KafkaBroker
  readonly server: FaultServer
  readonly #pooler: PgBouncer | undefined

  static async open({ pooled = false } = {}): Promise<Environment> {
    const broker = await startKafka()
    let server: FaultServer | undefined
    try {
      server = await FaultServer.start()
      const pooler = pooled ? await startPgBouncer(server.loaderUrl(server.port)) : undefined
      return new Environment(broker, server, pooler)
    } catch (error) {
      await server?.stop()
      await broker.stop()
      throw error
    }
  }

  private constructor(broker: KafkaBroker, server: FaultServer, pooler: PgBouncer | undefined) {
    this.broker = broker
    this.server = server
    this.#pooler = pooler
  }

  /** Where sinks connect to. */
  get sinkUrl(): string {
    return this.#pooler?.connectionString ?? this.server.loaderUrl(this.server.port)
  }

  async close(): Promise<void> {
    await this.#pooler?.stop()
    await this.server.stop()
    await this.broker.stop()
  }
}

export interface RunOptions {
  readonly delivery: SinkPlan['delivery']
  /** A copy of the library that is to be used instead of this one. */
  readonly root?: string | undefined
}

/** One topic, one table, and the processes between them. */
export class Run {
  readonly topic: NumberedTopic
  readonly server: FaultServer
  readonly broker: KafkaBroker
  readonly tally = new Tally()
  readonly #members: Member[] = []
  readonly #options: RunOptions
  readonly #sinkUrl: string
  readonly #table: string
  readonly #gate: number

  static async open(environment: Environment, options: RunOptions): Promise<Run> {
    const { broker, server } = environment
    const topic = await NumberedTopic.make(broker.bootstrapBrokers, PARTITIONS)
    const run = new Run(environment, topic, options)
    const key = options.delivery === 'at-least-once' ? ', PRIMARY KEY (id)' : ''
    await server.query(
      `CREATE TABLE ${run.#table} (id bigint NOT NULL, part int NOT NULL, place bigint NOT NULL${key})`,
    )
    await server.query(`GRANT ALL ON ${run.#table} TO ${LOADER}`)
    return run
  }

  private constructor({ broker, server, sinkUrl }: Environment, topic: NumberedTopic, options: RunOptions) {
    this.broker = broker
    this.server = server
    this.#sinkUrl = sinkUrl
    this.topic = topic
    this.#options = options
    this.#table = topic.name.replace('-', '_')
    this.#gate = Number.parseInt(topic.name.slice(-7), 16)
  }

  /** A member that has not joined yet. */
  member(): Member {
    const plan: SinkPlan = {
      consumer: {
        clientId: 'proof',
        groupId: this.topic.name,
        bootstrapBrokers: [...this.broker.bootstrapBrokers],
        // who was killed is missed soon
        sessionTimeout: 1500,
        heartbeatInterval: 200,
        rebalanceTimeout: 3000,
        retries: 2,
        retryDelay: 100,
        maxWaitTime: 200,
      },
      topic: this.topic.name,
      connectionString: this.#sinkUrl,
      table: this.#table,
      delivery: this.#options.delivery,
      gate: this.#gate,
    }
    const member = new Member(plan, this.tally, this.#options.root)
    this.#members.push(member)
    return member
  }

  /** Calls `work` while no transaction of the members gets to its COMMIT. */
  async heldUp(work: () => Promise<void>): Promise<void> {
    const client = await this.server.client()
    try {
      await client.query('SELECT pg_advisory_lock($1)', [this.#gate])
      await work()
    } finally {
      await client.end() // and the lock with it
    }
  }

  /** How many transactions are held up. */
  async held(): Promise<number> {
    const [row] = await this.server.query(
      "SELECT count(*)::int AS held FROM pg_locks WHERE locktype = 'advisory' AND objid = $1 AND NOT granted",
      [this.#gate],
    )
    return row!.held as number
  }

  async count(): Promise<{ stored: number; messages: number; ids: number }> {
    const [row] = await this.server.query(
      `SELECT count(*)::int AS stored, count(DISTINCT (part, place))::int AS messages, count(DISTINCT id)::int AS ids
         FROM ${this.#table}`,
    )
    return row as { stored: number; messages: number; ids: number }
  }

  async stored(): Promise<number> {
    const [row] = await this.server.query(`SELECT count(*)::int AS stored FROM ${this.#table}`)
    return row!.stored as number
  }

  /** All members write what they have read, and leave. */
  async leaveAll(): Promise<void> {
    await Promise.all(this.#members.filter(member => member.isIn).map(member => member.leave()))
  }

  async close(): Promise<void> {
    await Promise.all(this.#members.map(member => member.stop()))
    await this.topic.close()
    await this.server.query(`DROP TABLE IF EXISTS ${this.#table}`)
  }
}
