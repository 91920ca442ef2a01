import type { PgPoolLike } from '../../connection/pg-types.ts'
import { checkObject, checkString } from '../../options/checks.ts'
import { optional, required, resolveOptions } from '../../options/option-table.ts'
import type { TableName } from '../../types.ts'
import { readCheckpoint } from '../../write/checkpoint/read-checkpoint.ts'
import { checkTopics } from '../check-topics.ts'
import type { SeekingConsumer, TopicStates } from '../consumer/consumer-like.ts'
import { commitOffsets } from './commit-after.ts'
import { type KafkaOffset, parsePartitionKey, partitionKey } from './position.ts'

/** What {@link seekToStored} goes by: the `checkpoint` of the PgBatchWritable that the messages go to. */
export interface SeekOptions {
  readonly topics: readonly string[]
  /** `checkpoint.name` */
  readonly name: string
  /** `checkpoint.table` @default 'pg_batch_checkpoint' */
  readonly table?: TableName | undefined
}

const SEEK_OPTIONS = Object.freeze({
  topics: required(checkTopics),
  name: required(checkString),
  table: optional((_name, value) => value as TableName),
})

const EARLIEST = -2n
const LATEST = -1n

/**
 * Moves a group's offsets to what PostgreSQL holds, for the partitions that are assigned to this consumer, which joins
 * the group if it has not. Call it before `consume({ mode: 'committed', fallbackMode: 'earliest' })`, and again after a
 * rebalance. The checkpoint in PostgreSQL drops what comes twice; this spares the reading of it, and it is what finds
 * the rows again that PostgreSQL has lost, when it was restored from a backup: Kafka's offsets are ahead of it then.
 * @returns for each assigned partition the offset that is read next
 * @throws what the client, the pool or the server throws
 */
export async function seekToStored(
  pool: PgPoolLike,
  consumer: SeekingConsumer,
  options: SeekOptions,
): Promise<KafkaOffset[]> {
  const { topics, name, table } = resolveOptions(
    'seekToStored',
    SEEK_OPTIONS,
    checkObject('options', options),
  )
  consumer.topics.trackAll(...topics.filter(topic => !consumer.topics.current.includes(topic)))
  if (!consumer.isActive()) await consumer.joinGroup()
  return (await seek(consumer, topics, await readCheckpoint(pool, name, table))).starts
}

/**
 * Makes the group's offsets of this consumer's partitions ones that can be read from: the offset after the stored one,
 * else the group's own, else the earliest. One that the log does not hold any more, or not yet, becomes the earliest,
 * as `fallbackMode: 'earliest'` would have it; the client by itself would fail with OFFSET_OUT_OF_RANGE.
 * @param stored positions by `partitionKey`, as a checkpoint has them
 * @param begins where partitions without a stored position begin, by `partitionKey`, in place of the group's own offset
 */
export async function seek(
  consumer: SeekingConsumer,
  topics: readonly string[],
  stored: ReadonlyMap<string, bigint>,
  begins: ReadonlyMap<string, bigint> = new Map(),
): Promise<{ starts: KafkaOffset[]; topics: TopicStates }> {
  const mine = (consumer.assignments ?? [])
    .filter(({ topic, partitions }) => topics.includes(topic) && partitions.length > 0)
    .map(({ topic, partitions }) => ({ topic, partitions: [...partitions] }))
  if (mine.length === 0) return { starts: [], topics: new Map() }
  const names = mine.map(({ topic }) => topic)
  const metadata = await consumer.metadata({ topics: [...names], forceUpdate: true })
  const committed = await consumer.listCommittedOffsets({ topics: mine })
  const earliest = await consumer.listOffsets({ topics: [...names], timestamp: EARLIEST })
  const latest = await consumer.listOffsets({ topics: [...names], timestamp: LATEST })
  const starts: KafkaOffset[] = []
  const moved: KafkaOffset[] = []
  for (const { topic, partitions } of mine) {
    const id = metadata.topics.get(topic)?.id
    const madeAgain = id !== undefined && wasMadeAgain(topic, id, stored)
    if (madeAgain) warn(`The topic ${topic} was deleted and made again: it is read from its start`)
    for (const partition of partitions) {
      const first = earliest.get(topic)?.[partition] ?? 0n
      const end = latest.get(topic)?.[partition] ?? first
      const known = committed.get(topic)?.[partition] ?? -1n
      const last =
        stored.get(partitionKey(topic, partition, id)) ?? stored.get(partitionKey(topic, partition))
      const begin = begins.get(partitionKey(topic, partition, id))
      const wanted = last !== undefined ? last + 1n : (begin ?? (madeAgain || known < 0n ? first : known))
      const inLog = wanted >= first && wanted <= end
      if (!inLog) warn(outOfLog({ topic, partition, offset: wanted }, first, end))
      const start = { topic, partition, offset: inLog ? wanted : first }
      starts.push(start)
      if (start.offset !== known) moved.push(start)
    }
  }
  await commitOffsets(consumer, moved)
  return { starts, topics: metadata.topics }
}

/** A checkpoint knows the topic's name by other ids, and not by this one. */
function wasMadeAgain(topic: string, id: string, stored: ReadonlyMap<string, bigint>): boolean {
  const ids = [...stored.keys()]
    .map(parsePartitionKey)
    .filter(key => key.topic === topic && key.topicId !== undefined)
    .map(({ topicId }) => topicId)
  return ids.length > 0 && !ids.includes(id)
}

function outOfLog({ topic, partition, offset }: KafkaOffset, first: bigint, end: bigint): string {
  const lost = offset < first ? `, and ${first - offset} of its offsets were deleted unread` : ''
  return `Partition ${partition} of topic ${topic} is to be read from offset ${offset}, but holds ${first} to ${end}${lost}: it is read from ${first}`
}

function warn(message: string): void {
  process.emitWarning(message, { type: 'PgBatchWarning' })
}
