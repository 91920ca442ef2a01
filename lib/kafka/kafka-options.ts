import { type BatchTransformOptions, resolveBatchOptions } from '../batch/batch-options.ts'
import {
  checkFunction,
  checkKnownKeys,
  checkObject,
  checkString,
  integerFrom,
  oneOf,
  optionError,
} from '../options/checks.ts'
import { defaultsTo, optional, type Resolved, required, resolveOptions } from '../options/option-table.ts'
import type { TableName } from '../types.ts'
import type { Destination } from '../writable/options/destination.ts'
import type { PgBatchWritableOptions } from '../writable/options.ts'
import { expectOneDestination } from '../writable/resolve/check-destination.ts'
import {
  type ResolvedWritableOptions,
  resolveWritableOptions,
  WRITABLE_OPTIONS,
} from '../writable/resolve/resolve-options.ts'
import { DEFAULT_CHECKPOINT_TABLE } from '../write/checkpoint/read-checkpoint.ts'
import { checkTopics } from './check-topics.ts'
import type { ReadingConsumer } from './consumer/consumer-like.ts'
import { OwnConsumer, type OwnConsumerOptions } from './consumer/own-consumer.ts'
import type { KafkaMessage, ParseValue } from './messages/kafka-message.ts'

/** Returns a message's table, or null to skip the message. */
type TableOf<Value> = (message: KafkaMessage<Value>) => TableName | null | undefined

/**
 * The options of {@link kafkaToPg}: its own, and those of PgBatchWritable. Each table uses up to
 * `concurrency` clients of the pool at once, and the adapter one more.
 */
export type KafkaToPgOptions<Value, Row = Value> = KafkaSettings<Value, Row> &
  Omit<PgBatchWritableOptions<KafkaMessage<Value>, Row>, keyof KafkaSettings<Value, Row> | NotPassed> &
  Destination

type NotPassed = 'pool' | 'connectionString' | 'signal' | 'onDiscard' | 'singleTransaction' | 'replace'

interface KafkaSettings<Value, Row> {
  /**
   * The options of a consumer, which the adapter creates without some faults of the client's; or a consumer
   * of yours, which leaves its group at the end and is not closed. On a cluster a consumer of yours has to be
   * of version 2.12 or later. Either way: the classic group protocol, and no deserializers.
   */
  consumer: ReadingConsumer | OwnConsumerOptions
  /** The topics to read; not empty. */
  topics: readonly string[]
  /**
   * `exactly-once`: each message is written once, whatever fails. Offsets are stored in the rows' own
   * transactions, in the table `checkpoint.table`. `at-least-once`: messages may be written twice after a
   * failure or a rebalance. Kafka's offsets are committed after the rows. An upsert (`onConflict`) makes the
   * second write harmless, except that during a rebalance an older version of a row may be written after a
   * newer one.
   */
  delivery: 'at-least-once' | 'exactly-once'
  /** The table, or a function that returns each message's table, or null to skip the message. */
  table: TableName | TableOf<Value>
  /**
   * Makes a row of a message. Called once for each message. For null or undefined the message is skipped. To
   * reject a message with a text of your own, throw a PgBatchError with code ROW_INVALID.
   * @default the value is the row; of a tombstone that is a delete, the key
   */
  toRow?: ((message: KafkaMessage<Value>) => Row | null | undefined) | undefined
  /**
   * Makes a message's value of its bytes. If it throws, the message is rejected.
   * @default JSON; a number that JavaScript would round is a bigint, or a `LongNumber` if it is not an
   *   integer
   */
  parseValue?: ParseValue<Value> | undefined
  /** The batches, as for BatchTransform. @default { maxCount: 1000, maxWaitMs: 100 } */
  batch?: BatchTransformOptions<KafkaMessage<Value>> | undefined
  /** Where `exactly-once` stores positions. By default the name is made of the group's and the table's. */
  checkpoint?: { name?: string | undefined; table?: TableName | undefined } | undefined
  /**
   * The maximum size of an answer to a fetch, for each broker. Bytes, an integer ≥ 1. The client holds up to
   * two answers in memory, however many messages they have.
   * @default 1048576
   */
  maxBytes?: number | undefined
  /** How many rows may be rejected, as for PgBatchWritable. @default 0; with `deadLetter` Infinity */
  rejectLimit?: number | undefined
}

/**
 * The adapter's own options. Their meaning is above; a table's own name is checked by its PgBatchWritable.
 */
function optionTable<Value>() {
  return {
    consumer: required(checkConsumer),
    topics: required(checkTopics),
    delivery: required(oneOf('at-least-once', 'exactly-once')),
    table: required((_name, value) => value as TableName | TableOf<Value>),
    toRow: optional(checkFunction<(message: KafkaMessage<Value>) => unknown>),
    parseValue: optional(checkFunction<ParseValue<Value>>),
    batch: defaultsTo({}, checkBatch<Value>),
    checkpoint: optional(checkCheckpoint),
    maxBytes: defaultsTo(1_048_576, integerFrom(1)),
  }
}

const NOT_PASSED: readonly string[] = [
  'signal',
  'onDiscard',
  'singleTransaction',
  'replace',
] satisfies NotPassed[]

type OwnOptions<Value> = Resolved<ReturnType<typeof optionTable<Value>>>

/** The options of one kafkaToPg: checked, defaults in place, and free of contradictions. */
export interface ResolvedKafkaOptions<Value>
  extends Pick<OwnOptions<Value>, 'topics' | 'toRow' | 'parseValue' | 'batch' | 'maxBytes'> {
  readonly consumer: ReadingConsumer
  readonly ownsConsumer: boolean
  readonly tableOf: TableOf<Value>
  /** Undefined: each message has a table of its own. */
  readonly onlyTable: TableName | undefined
  /** Undefined: at least once. */
  readonly checkpoint: { readonly name: string; readonly table: TableName } | undefined
  /** The options for PgBatchWritable as the caller gave them. */
  readonly passed: Record<string, unknown>
  /** The same, checked. */
  readonly writable: SharedOptions<Value>
}

/** The options of PgBatchWritable that all tables share and the adapter itself uses. */
type SharedOptions<Value> = Pick<
  ResolvedWritableOptions<KafkaMessage<Value>>,
  | 'pool'
  | 'onBegin'
  | 'callbackTimeoutMs'
  | 'connection'
  | 'concurrency'
  | 'statementTimeoutMs'
  | 'retry'
  | 'rejectLimit'
  | 'afterCommit'
>

/** @throws TypeError that says what was expected and what came */
export function resolveKafkaOptions<Value, Row>(
  options: KafkaToPgOptions<Value, Row>,
): ResolvedKafkaOptions<Value> {
  const input = checkObject('options', options)
  expectOneDestination(input)
  const table = optionTable<Value>()
  const passable = WRITABLE_OPTIONS.filter(name => !NOT_PASSED.includes(name))
  checkKnownKeys('kafkaToPg', input, [...new Set([...Object.keys(table), ...passable])])
  const isOwn = (name: string): boolean => name in table
  const own = resolveOptions('kafkaToPg', table, pick(input, isOwn))
  const isExactlyOnce = own.delivery === 'exactly-once'
  if (!isExactlyOnce && own.checkpoint) {
    throw optionError("Expected no `checkpoint` with `delivery: 'at-least-once'`")
  }
  const passed = {
    rejectLimit: input.deadLetter === undefined ? 0 : Number.POSITIVE_INFINITY,
    ...pick(input, name => !isOwn(name)),
  }
  // an error here is the caller's; each table's PgBatchWritable gets its own table and checkpoint later
  const writable: SharedOptions<Value> = resolveWritableOptions({
    ...passed,
    table: typeof own.table === 'function' ? 'of each message' : own.table,
    ...(isExactlyOnce && {
      checkpoint: { name: 'checked', position: () => ({ offset: 0 }), ...own.checkpoint },
    }),
  } as unknown as PgBatchWritableOptions<KafkaMessage<Value>>)
  // last, so that a wrong option never leaves an open consumer
  const { consumer, ownsConsumer } = openConsumer(own.consumer)
  return {
    topics: own.topics,
    toRow: own.toRow,
    parseValue: own.parseValue,
    batch: own.batch,
    maxBytes: own.maxBytes,
    consumer,
    ownsConsumer,
    ...tableOf(own.table),
    checkpoint: isExactlyOnce
      ? { name: `kafka:${consumer.groupId}`, table: DEFAULT_CHECKPOINT_TABLE, ...own.checkpoint }
      : undefined,
    passed,
    writable,
  }
}

/** Returns the options whose names are wanted and whose values are not undefined. */
function pick(options: Record<string, unknown>, isWanted: (name: string) => boolean) {
  return Object.fromEntries(
    Object.entries(options).filter(([name, value]) => isWanted(name) && value !== undefined),
  )
}

function tableOf<Value>(
  table: TableName | TableOf<Value>,
): Pick<ResolvedKafkaOptions<Value>, 'tableOf' | 'onlyTable'> {
  if (typeof table === 'function') return { tableOf: table, onlyTable: undefined }
  return { tableOf: () => table, onlyTable: table }
}

function checkBatch<Value>(name: string, value: unknown): BatchTransformOptions<KafkaMessage<Value>> {
  const batch = checkObject(name, value) as BatchTransformOptions<KafkaMessage<Value>>
  resolveBatchOptions(batch, `${name}.`)
  return batch
}

/** PgBatchWritable checks the table. */
const CHECKPOINT_OPTIONS = Object.freeze({
  name: optional(checkString),
  table: optional((_name, value) => value as TableName),
})

function checkCheckpoint(name: string, value: unknown): { name?: string; table?: TableName } {
  const checkpoint = resolveOptions(name, CHECKPOINT_OPTIONS, checkObject(name, value), `${name}.`)
  return pick(checkpoint, () => true)
}

/** Checks a consumer, or the options of one. The client checks most of its options itself. */
function checkConsumer(name: string, value: unknown): ReadingConsumer | OwnConsumerOptions {
  const consumer = checkObject(name, value)
  if (typeof consumer.consume === 'function') return consumer as unknown as ReadingConsumer
  if (consumer.groupProtocol !== undefined) oneOf('classic')(`${name}.groupProtocol`, consumer.groupProtocol)
  if (consumer.deserializers !== undefined) {
    throw optionError(`Expected no \`${name}.deserializers\`: \`parseValue\` takes their place`)
  }
  checkString(`${name}.groupId`, consumer.groupId)
  return consumer as unknown as OwnConsumerOptions
}

function openConsumer(
  consumer: ReadingConsumer | OwnConsumerOptions,
): Pick<ResolvedKafkaOptions<never>, 'consumer' | 'ownsConsumer'> {
  if ('consume' in consumer) return { consumer, ownsConsumer: false }
  return { consumer: new OwnConsumer(consumer), ownsConsumer: true }
}
