import { type BatchTransformOptions, resolveBatchOptions } from '../batch/batch-options.ts'
import {
  checkFunction,
  checkInteger,
  checkKnownKeys,
  checkObject,
  checkOneOf,
  checkString,
  expectOption,
  optionError,
  withDefaults,
} from '../options/checks.ts'
import type { TableName } from '../types.ts'
import type { Destination, PgBatchWritableOptions } from '../writable/options.ts'
import {
  type ResolvedWritableOptions,
  resolveWritableOptions,
  WRITABLE_OPTIONS,
} from '../writable/resolve-options.ts'
import { DEFAULT_CHECKPOINT_TABLE } from '../write/checkpoint/read-checkpoint.ts'
import type { ReadingConsumer } from './consumer/consumer-like.ts'
import { OwnConsumer, type OwnConsumerOptions } from './consumer/own-consumer.ts'
import type { KafkaMessage, ParseValue } from './messages/kafka-message.ts'

/** A message's table; null skips it. */
type TableOf<Value> = (message: KafkaMessage<Value>) => TableName | null | undefined

/**
 * The options of the adapter's own, and those of PgBatchWritable that are no different here. Each table takes up to
 * `concurrency` clients of the pool at once, and the adapter one more.
 */
export type KafkaToPgOptions<Value, Row = Value> = KafkaSettings<Value, Row> &
  Omit<PgBatchWritableOptions<KafkaMessage<Value>, Row>, keyof KafkaSettings<Value, Row> | NotPassed> &
  Destination

type NotPassed = 'pool' | 'connectionString' | 'signal' | 'onDiscard'

interface KafkaSettings<Value, Row> {
  /**
   * The options of a consumer that is the adapter's own, which is free of some faults of the client's, or a consumer of
   * yours (it is made to leave its group at the end, and not closed; on a cluster it has to be of version 2.12 or later).
   * Of the classic group protocol, and without deserializers.
   */
  consumer: ReadingConsumer | OwnConsumerOptions
  /** The topics to read; not empty. */
  topics: readonly string[]
  /**
   * What a failure costs. `exactly-once`: nothing; offsets are stored in the rows' own transactions, in the table
   * `checkpoint.table`. `at-least-once`: messages may be written twice after a failure or a rebalance, which an upsert
   * (`onConflict`) makes good, save that an older version of a row may land after a newer one in a rebalance; Kafka's
   * offsets are committed after the rows.
   */
  delivery: 'at-least-once' | 'exactly-once'
  /** The table, or the table of each message; null skips the message. */
  table: TableName | TableOf<Value>
  /**
   * Makes a row of a message, once for each. null or undefined skips the message. A PgBatchError with code ROW_INVALID
   * that it throws rejects the message with that error's text.
   * @default the value is the row; for a tombstone that is a delete, the key is
   */
  toRow?: ((message: KafkaMessage<Value>) => Row | null | undefined) | undefined
  /**
   * Makes the value of a message of its bytes. What it throws rejects the message.
   * @default JSON; a number that JavaScript would round is a bigint, or a `LongNumber` if it is no integer
   */
  parseValue?: ParseValue<Value> | undefined
  /** The batches, as for BatchTransform. @default { maxCount: 1000, maxWaitMs: 100 } */
  batch?: BatchTransformOptions<KafkaMessage<Value>> | undefined
  /** Where `exactly-once` keeps positions. The group and the table tell one sink from another by default. */
  checkpoint?: { name?: string | undefined; table?: TableName | undefined } | undefined
  /**
   * The size of an answer to a fetch, of each broker; an integer ≥ 1. This, and not a count, bounds what the client
   * holds in memory: up to two answers. @default 1048576
   */
  maxBytes?: number | undefined
  /** As for PgBatchWritable. @default 0; with `deadLetter` Infinity */
  rejectLimit?: number | undefined
}

const DEFAULTS = Object.freeze({
  consumer: undefined,
  topics: undefined,
  delivery: undefined,
  table: undefined,
  toRow: undefined,
  parseValue: undefined,
  batch: undefined,
  checkpoint: undefined,
  maxBytes: 1_048_576,
})

const NOT_PASSED: readonly string[] = ['signal', 'onDiscard'] satisfies NotPassed[]

export interface ResolvedKafkaOptions<Value> {
  readonly consumer: ReadingConsumer
  readonly ownsConsumer: boolean
  readonly topics: readonly string[]
  readonly tableOf: TableOf<Value>
  /** Undefined: each message has a table of its own. */
  readonly onlyTable: TableName | undefined
  readonly toRow: ((message: KafkaMessage<Value>) => unknown) | undefined
  readonly parseValue: ParseValue<Value> | undefined
  readonly batch: BatchTransformOptions<KafkaMessage<Value>>
  /** Undefined: at least once. */
  readonly checkpoint: { readonly name: string; readonly table: TableName } | undefined
  readonly maxBytes: number
  /** What is passed on to PgBatchWritable, unchecked and as it is checked. */
  readonly passed: Record<string, unknown>
  readonly writable: SharedOptions<Value>
}

/** What the sinks of all tables have in common, and the adapter itself goes by. */
type SharedOptions<Value> = Pick<
  ResolvedWritableOptions<KafkaMessage<Value>>,
  'pool' | 'connection' | 'concurrency' | 'statementTimeoutMs' | 'retry' | 'rejectLimit' | 'afterCommit'
>

/** @throws TypeError that says what was expected and what came */
export function resolveKafkaOptions<Value, Row>(
  options: KafkaToPgOptions<Value, Row>,
): ResolvedKafkaOptions<Value> {
  const given = checkObject('options', options) as typeof options & Record<string, unknown>
  const passable = WRITABLE_OPTIONS.filter(name => !NOT_PASSED.includes(name))
  checkKnownKeys('kafkaToPg', given, [...new Set([...Object.keys(DEFAULTS), ...passable])])
  const { table, toRow, parseValue, batch = {} } = given
  const { delivery, maxBytes } = withDefaults(DEFAULTS, given)
  const exactlyOnce = checkOneOf('delivery', delivery, ['at-least-once', 'exactly-once']) === 'exactly-once'
  const passed: Record<string, unknown> = {
    rejectLimit: given.deadLetter === undefined ? 0 : Number.POSITIVE_INFINITY,
    ...Object.fromEntries(
      Object.entries(given).filter(([name, value]) => !(name in DEFAULTS) && value !== undefined),
    ),
  }
  const checkpoint = checkCheckpoint(given.checkpoint)
  if (!exactlyOnce && given.checkpoint !== undefined) {
    throw optionError("Expected no `checkpoint` with `delivery: 'at-least-once'`")
  }
  // a function's tables are checked when they come
  const onlyTable = typeof table === 'function' ? undefined : table
  // with stand-ins for what each sink is given, which are checked together with the rest, and go no further
  const writable: SharedOptions<Value> = resolveWritableOptions({
    ...passed,
    table: typeof table === 'function' ? 'of each message' : table,
    ...(exactlyOnce
      ? { checkpoint: { name: 'checked', position: () => ({ offset: 0 }), ...checkpoint } }
      : {}),
  } as unknown as PgBatchWritableOptions<KafkaMessage<Value>>)
  resolveBatchOptions(batch)
  const resolved = {
    topics: checkTopics(given.topics),
    tableOf: typeof table === 'function' ? table : () => table,
    onlyTable,
    toRow: toRow === undefined ? undefined : checkFunction('toRow', toRow),
    parseValue: parseValue === undefined ? undefined : checkFunction('parseValue', parseValue),
    batch,
    maxBytes: checkInteger('maxBytes', maxBytes, 1),
    passed,
    writable,
  }
  const consumer = openConsumer(given.consumer)
  return {
    ...resolved,
    ...consumer,
    checkpoint: exactlyOnce
      ? {
          name: checkpoint.name ?? `kafka:${consumer.consumer.groupId}`,
          table: checkpoint.table ?? DEFAULT_CHECKPOINT_TABLE,
        }
      : undefined,
  }
}

function checkCheckpoint(value: unknown): { name?: string; table?: TableName } {
  if (value === undefined) return {}
  const { name, table, ...unknown } = checkObject('checkpoint', value)
  checkKnownKeys('checkpoint', unknown, ['name', 'table'])
  return {
    ...(name === undefined ? {} : { name: checkString('checkpoint.name', name) }),
    ...(table === undefined ? {} : { table: table as TableName }),
  }
}

function checkTopics(value: unknown): readonly string[] {
  const holds =
    Array.isArray(value) &&
    value.length > 0 &&
    value.every(topic => typeof topic === 'string' && topic !== '')
  expectOption<readonly string[]>('topics', value, "an array of topics' names that is not empty", holds)
  return [...new Set(value)]
}

function openConsumer(value: unknown): Pick<ResolvedKafkaOptions<never>, 'consumer' | 'ownsConsumer'> {
  const given = checkObject('consumer', value)
  if (typeof given.consume === 'function') {
    return { consumer: given as unknown as ReadingConsumer, ownsConsumer: false }
  }
  if (given.groupProtocol !== undefined) {
    checkOneOf('consumer.groupProtocol', given.groupProtocol, ['classic'])
  }
  if (given.deserializers !== undefined) {
    throw optionError('Expected no `consumer.deserializers`: `parseValue` takes their place')
  }
  checkString('consumer.groupId', given.groupId)
  return {
    consumer: new OwnConsumer(given as unknown as OwnConsumerOptions),
    ownsConsumer: true,
  }
}
