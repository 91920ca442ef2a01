import { setTimeout as sleep } from 'node:timers/promises'
import { NumberedTopic } from '../../test/support/kafka/numbered-topic.ts'
import { openPool } from '../support/pool.ts'
import { quantile } from '../support/statistics.ts'
import { checkCount, makeTable } from '../support/table.ts'
import { nowMs, type SinkPlan } from './sink-process.ts'
import { Sinks } from './sinks.ts'

export interface KafkaTask {
  readonly bootstrapBrokers: string[]
  readonly connectionString: string
  readonly processes: number
  readonly delivery: SinkPlan['delivery']
  readonly messages: number
  readonly stream: KafkaStream
}

/**
 * How the messages come: all of them are there before the clock runs; as fast as the broker takes them, one
 * request of 500 after the other; or so many a second.
 */
export type KafkaStream = 'backlog' | 'full speed' | { readonly messagesPerSecond: number }

export interface KafkaSample {
  /** Messages that became visible in a second. */
  readonly rate: number
  /**
   * Milliseconds from the moment when a message was due to be produced, at full speed when its request was
   * made, to that when its commit was known.
   */
  readonly p50: number
  readonly p99: number
}

/** Divisible by 1, 2 and 3 processes. */
export const PARTITIONS = 6

const TABLE = 'bench_messages'
const COLUMNS = [
  { name: 'id', type: 'bigint' },
  { name: 'due', type: 'float8' },
  { name: 'note', type: 'text' },
]
/** A message of about 130 bytes. */
const NOTE = 'an order of some length, '.repeat(3)
/** Warms up: connections open, and code is compiled. */
const WARM_UP_MESSAGES = 2000

export async function measure(task: KafkaTask): Promise<KafkaSample> {
  const { bootstrapBrokers, connectionString, processes, delivery, messages, stream } = task
  const pool = openPool({ connectionString, max: 2 })
  let dueAt = (_id: number): number => nowMs()
  const topic = await NumberedTopic.make(bootstrapBrokers, PARTITIONS, id => ({ due: dueAt(id), note: NOTE }))
  const warmUp = Math.min(WARM_UP_MESSAGES, messages)
  const all = warmUp + messages
  let sinks: Sinks | undefined
  try {
    await makeTable(pool, { table: TABLE, columns: COLUMNS })
    const plan = { bootstrapBrokers, topic: topic.name, connectionString, table: TABLE, delivery }
    sinks = new Sinks({ ...plan, firstTimedId: warmUp }, processes, PARTITIONS)
    await sinks.assigned()
    await topic.produce(warmUp)
    await sinks.committed(warmUp)
    await checkCount(pool, warmUp, TABLE)
    const started = await produce()
    await sinks.committed(all)
    const rate = messages / ((nowMs() - started) / 1000)
    const waits = await sinks.close()
    await checkCount(pool, all, TABLE)
    if (waits.length !== messages) throw new Error(`${waits.length} of ${messages} messages were timed`)
    return { rate, p50: quantile(waits, 0.5), p99: quantile(waits, 0.99) }
  } catch (error) {
    sinks?.kill()
    throw error
  } finally {
    await topic.close()
    await pool.end()
  }

  /** Resolves, once all are produced, to the moment from which the clock runs. */
  async function produce(): Promise<number> {
    if (stream === 'backlog') {
      const release = await holdUp()
      await topic.produce(messages)
      await pool.query('CHECKPOINT')
      const started = nowMs()
      await release()
      return started
    }
    const started = nowMs()
    if (stream === 'full speed') {
      await topic.produce(messages)
      return started
    }
    dueAt = id => started + ((id - warmUp) / stream.messagesPerSecond) * 1000
    await produceSteadily(topic, messages, stream.messagesPerSecond)
    return started
  }

  /**
   * Locks the table until `release`, so that all messages are in Kafka before the clock runs.
   */
  async function holdUp(): Promise<() => Promise<void>> {
    const client = await pool.connect()
    await client.query(`BEGIN; LOCK TABLE ${TABLE}`)
    return async () => {
      await client.query('COMMIT')
      client.release()
    }
  }
}

/** Produces the messages that are due, one request after another. */
async function produceSteadily(topic: NumberedTopic, messages: number, perSecond: number): Promise<void> {
  const started = performance.now()
  for (let sent = 0; sent < messages; ) {
    const elapsedMs = performance.now() - started
    const due = Math.min(messages, Math.floor((elapsedMs / 1000) * perSecond) + 1)
    if (due > sent) await topic.produce(due - sent)
    else await sleep(1)
    sent = due
  }
}
