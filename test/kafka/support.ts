import type { ConsumerOptions } from '@platformatic/kafka'
import type pg from 'pg'
import { type KafkaToPg, type KafkaToPgOptions, kafkaToPg } from '../../lib/kafka/index.ts'
import type { TestKafka } from '../support/kafka/kafka.ts'
import { until } from '../support/until.ts'

export type Given<Value, Row> = Omit<KafkaToPgOptions<Value, Row>, 'consumer' | 'pool' | 'connectionString'>

/** A rebalance, a first join and an outage take longer than what tests wait for elsewhere. */
export const PATIENCE_MS = 30_000

/** Opens sinks for the tests of one `describe`, and closes those that a test left open. */
export function useSinks(kafka: TestKafka, pool: () => pg.Pool) {
  const open: KafkaToPg<never>[] = []
  afterEach(async function () {
    this.timeout(PATIENCE_MS)
    await Promise.allSettled(open.splice(0).map(sink => sink.close()))
  })
  return <Value = Record<string, unknown>, Row = Value>(
    groupId: string,
    options: Given<Value, Row>,
    consumer: Partial<ConsumerOptions<Buffer, Buffer, Buffer, Buffer>> = {},
  ): KafkaToPg<Value> => {
    const sink = kafkaToPg<Value, Row>({
      ...options,
      consumer: { ...consumerOptions(kafka, groupId), ...consumer },
      pool: pool(),
    } as KafkaToPgOptions<Value, Row>)
    sink.finished.catch(() => {}) // a test that wants to know awaits it
    open.push(sink as unknown as KafkaToPg<never>)
    return sink
  }
}

/** A consumer that is impatient: a member that is gone is missed after a second or so. */
export function consumerOptions(kafka: TestKafka, groupId: string) {
  return {
    clientId: groupId,
    groupId,
    bootstrapBrokers: kafka.bootstrapBrokers,
    sessionTimeout: 1500,
    heartbeatInterval: 200,
    rebalanceTimeout: 3000,
    retries: 2,
    retryDelay: 100,
    maxWaitTime: 500,
  }
}

/** Messages with values `{ id }` from `from` to `to`, dealt to partitions in turn. */
export function ids(from: number, to: number, partitions = 1) {
  return Array.from({ length: to - from }, (_, index) => ({
    key: String(from + index),
    value: { id: from + index },
    partition: (from + index) % partitions,
  }))
}

export async function count(pool: pg.Pool, table: string): Promise<number> {
  const { rows } = await pool.query(`SELECT count(*)::int AS count FROM ${table}`)
  return rows[0].count
}

/** Waits until a table has so many rows, or more: what a test then says of the number may still fail. */
export async function untilRows(pool: pg.Pool, table: string, rows: number): Promise<void> {
  await until(`${rows} rows in ${table}`, async () => (await count(pool, table)) >= rows, PATIENCE_MS)
}

export async function untilCommitted(
  kafka: TestKafka,
  groupId: string,
  topic: string,
  offsets: readonly bigint[],
): Promise<void> {
  let last: bigint[] = []
  await until(
    `offsets ${offsets} of ${topic}`,
    async () => {
      last = await kafka.committed(groupId, topic, offsets.length)
      return offsets.every((offset, partition) => last[partition] === offset)
    },
    PATIENCE_MS,
  ).catch(error => {
    throw new Error(`${error.message}, but ${last}`)
  })
}
