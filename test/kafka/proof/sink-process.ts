import { OwnConsumer, type OwnConsumerOptions } from '../../../lib/kafka/consumer/own-consumer.ts'
import { type KafkaToPg, type KafkaToPgStats, kafkaToPg } from '../../../lib/kafka/index.ts'

/** The settings of a process that runs sinks, as JSON in its first argument. */
export interface SinkPlan {
  readonly consumer: OwnConsumerOptions
  readonly topic: string
  readonly connectionString: string
  readonly table: string
  readonly delivery: 'exactly-once' | 'at-least-once'
  /**
   * Every transaction asks for this advisory lock before COMMIT, shared: who holds it alone holds them all
   * up.
   */
  readonly gate: number
}

/** What it is asked to do, by a message. */
export type SinkOrder = 'join' | 'leave'

/** The process takes orders. */
export interface SinkReady {
  readonly event: 'ready'
}

/** A process's report on a sink. `failed`: the sink has failed, and the process waits for orders. */
export interface SinkReport {
  readonly event: 'assigned' | 'progress' | 'left' | 'failed'
  /** Distinguishes the sinks of a process. */
  readonly sink: number
  readonly stats: KafkaToPgStats
  /** The group's generation that this member knows of. */
  readonly generation: number
  readonly reason?: string
}

interface Value {
  id: number
}

interface Row {
  id: number
  part: number
  place: bigint
}

const UPSERT = { onConflict: { target: ['id'], action: 'update' } } as const
const STATS_MS = 50

/** The client's errors say what Kafka answered in the errors that they hold. */
function reasonOf(error: Error & { errors?: readonly Error[]; cause?: unknown }): string {
  const inner = [...(error.errors ?? []), error.cause].filter(one => one instanceof Error)
  return [String(error), ...inner.map(reasonOf)].join(': ')
}

/** A member of the group, from `join` to `leave`. */
class Membership {
  readonly #number: number
  readonly #consumer: OwnConsumer
  readonly #sink: KafkaToPg<Value>
  readonly #timer: NodeJS.Timeout
  #generation = 0

  constructor(number: number, plan: SinkPlan) {
    this.#number = number
    // like kafkaToPg, and reports generations too
    this.#consumer = new OwnConsumer(plan.consumer)
    this.#consumer.on('consumer:group:join', ({ generationId }) => {
      this.#generation = generationId
    })
    this.#consumer.on('error', () => {}) // kafkaToPg hears it while it runs
    this.#sink = kafkaToPg<Value, Row>({
      consumer: this.#consumer,
      topics: [plan.topic],
      connectionString: plan.connectionString,
      table: plan.table,
      delivery: plan.delivery,
      ...(plan.delivery === 'at-least-once' ? UPSERT : {}),
      concurrency: 2,
      // a whole fetch is one batch: much is under way when partitions move
      batch: { maxCount: 10_000 },
      retry: { retries: Number.POSITIVE_INFINITY, minDelayMs: 20, maxDelayMs: 300 },
      toRow: ({ value, partition, offset }) => ({ id: value.id, part: partition, place: offset }),
      inTransaction: async client => {
        await client.query('SELECT pg_advisory_xact_lock_shared($1)', [plan.gate])
      },
    })
    this.#sink.on('assigned', () => this.#tell('assigned'))
    this.#timer = setInterval(() => this.#tell('progress'), STATS_MS)
    this.#sink.finished.then(
      () => this.#end('left'),
      error => this.#end('failed', reasonOf(error)),
    )
  }

  leave(): void {
    this.#sink.close().catch(() => {}) // `finished` says so, too
  }

  async #end(event: 'left' | 'failed', reason?: string): Promise<void> {
    clearInterval(this.#timer)
    try {
      await this.#consumer.close(true)
    } catch {
      // Kafka may be away
    }
    this.#tell(event, reason)
  }

  #tell(event: SinkReport['event'], reason?: string): void {
    const report: SinkReport = {
      event,
      sink: this.#number,
      stats: this.#sink.stats,
      generation: this.#generation,
      ...(reason === undefined ? {} : { reason }),
    }
    if (process.connected) process.send!(report)
  }
}

const plan = JSON.parse(process.argv[2]!) as SinkPlan
let memberships = 0
let member: Membership | undefined
process.on('message', (order: SinkOrder) => {
  if (order === 'join') member = new Membership(++memberships, plan)
  else member?.leave()
})
process.send!({ event: 'ready' } satisfies SinkReady)
process.once('disconnect', () => process.exit()) // the parent is gone
