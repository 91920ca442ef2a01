import type { PgPoolLike } from '../../connection/pg-types.ts'
import { checkObject, checkString } from '../../options/checks.ts'
import { optional, required, resolveOptions } from '../../options/option-table.ts'
import type { TableName } from '../../types.ts'
import { readCheckpoint } from '../../write/checkpoint/read-checkpoint.ts'
import { checkTopics } from '../check-topics.ts'
import type { SeekingConsumer, TopicStates } from '../consumer/consumer-like.ts'
import { commitOffsets } from './commit-after.ts'
import { type KafkaOffset, parsePartitionKey, partitionKey } from './position.ts'

/** The options of {@link seekToStored}: the `checkpoint` of the PgBatchWritable that writes the messages. */
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
 * Sets the group's offsets of this consumer's partitions to the positions that PostgreSQL has stored. The
 * consumer joins the group first, if it has not. Call this before `consume({ mode: 'committed', fallbackMode:
 * 'earliest' })`, and again after a rebalance.
 *
 * The checkpoint in PostgreSQL skips messages that come twice anyway; with this they are not read at all. And
 * after PostgreSQL was restored from a backup, Kafka's offsets are ahead: only this reads the lost messages
 * again.
 * @returns the offset that is read next, for each assigned partition
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
 * Sets the group's offset of each of this consumer's partitions to the first of these: the offset after the
 * stored one, the group's own, the earliest. An offset that the log has no longer, or not yet, becomes the
 * earliest, as with `fallbackMode: 'earliest'`; the client itself would fail with OFFSET_OUT_OF_RANGE.
 * @param stored a checkpoint's positions, by `partitionKey`
 * @param begins the offsets to use, by `partitionKey`, instead of the group's own for partitions without a
 *   stored position
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
    const isNew = id !== undefined && wasCreatedAgain(topic, id, stored)
    if (isNew) warn(`The topic ${topic} was deleted and created again: it is read from its start`)
    for (const partition of partitions) {
      const first = earliest.get(topic)?.[partition] ?? 0n
      const end = latest.get(topic)?.[partition] ?? first
      const known = committed.get(topic)?.[partition] ?? -1n
      const last =
        stored.get(partitionKey(topic, partition, id)) ?? stored.get(partitionKey(topic, partition))
      const begin = begins.get(partitionKey(topic, partition, id))
      const wanted = last !== undefined ? last + 1n : (begin ?? (isNew || known < 0n ? first : known))
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

/** Returns true if a checkpoint has positions of this topic under other ids, and none under this one. */
function wasCreatedAgain(topic: string, id: string, stored: ReadonlyMap<string, bigint>): boolean {
  const ids = [...stored.keys()]
    .map(parsePartitionKey)
    .filter(key => key.topic === topic && key.topicId !== undefined)
    .map(({ topicId }) => topicId)
  return ids.length > 0 && !ids.includes(id)
}

function outOfLog({ topic, partition, offset }: KafkaOffset, first: bigint, end: bigint): string {
  const lost = offset < first ? `, and ${first - offset} of its offsets were deleted unread` : ''
  return (
    `Partition ${partition} of topic ${topic} is to be read from offset ${offset}, ` +
    `but holds ${first} to ${end}${lost}: it is read from ${first}`
  )
}

function warn(message: string): void {
  process.emitWarning(message, { type: 'PgBatchWarning' })
}
