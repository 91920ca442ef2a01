import type { Writable } from 'node:stream'
import type { PgClientLike, PgPoolLike } from './connection/pg-types.ts'
import type { CsvColumns, CsvFormat } from './csv/record.ts'
import {
  checkAbortSignal,
  checkFunction,
  checkInteger,
  checkIntegerOrInfinity,
  checkKnownKeys,
  checkObject,
  checkOneOf,
  checkString,
  checkWaitMs,
  expectOption,
  optionError,
  withDefaults,
} from './options.ts'
import { parseTableName } from './table/identifier.ts'
import type { CopyFormat, Method, TableName } from './types.ts'
import type { CheckpointPlan, Position } from './write/checkpoint.ts'
import type { ConflictOption } from './write/conflict.ts'
import type { WriteOptions } from './write/open-writing.ts'
import type { WriteRequest } from './write/plan.ts'
import { DEFAULT_CHECKPOINT_TABLE } from './write/read-checkpoint.ts'
import type { RetryOptions, RetryPolicy } from './write/retry.ts'

/** What to do with a row whose key is in the table already. */
export interface OnConflict<Row = Record<string, unknown>> {
  /**
   * The columns of a unique index, or a constraint's name. May be left out with `action: 'nothing'`, which then
   * covers every unique index.
   */
  target?: readonly ColumnOf<Row>[] | { constraint: string } | undefined
  /** `update`: the last row of a key in a batch wins. `nothing`: the row that was there first stays. */
  action: 'nothing' | 'update'
  /** The columns that an update sets. @default every written column that is not in the target */
  update?: readonly ColumnOf<Row>[] | undefined
}

/** The names of a row's keys, where its type has names; any string, where it has not. */
export type ColumnOf<Row> = Extract<keyof Row, string>

/** What {@link PgBatchWritable} takes. Either `pool` or `connectionString` says where to. */
export type PgBatchWritableOptions<Item, Row = Item> = PgBatchWritableSettings<Item, Row> &
  (
    | {
        /** Where clients come from. It stays yours: the stream takes clients for a transaction each, and never ends it. */
        pool: PgPoolLike
        connectionString?: undefined
      }
    | {
        /** A pool of the stream's own, made when the first batch comes and ended with the stream. Needs the package pg. */
        connectionString: string
        pool?: undefined
      }
  )

interface PgBatchWritableSettings<Item, Row> {
  /**
   * The table to write. A string is split once, at its first dot outside double quotes; names keep their case.
   * @example 'orders', 'sales.orders', { schema: 'sales', name: 'orders.2026' }
   */
  table: TableName
  /**
   * The columns to write, each by the row's key of the same name.
   * @default every column of the table that can be inserted
   */
  columns?: readonly ColumnOf<Row>[] | undefined
  /**
   * Makes a row of an item, once for each. null or undefined skips the item, and `stats.rowsSkipped` counts it.
   * @default the item is the row
   */
  toRow?: ((item: Item) => Row | null | undefined) | undefined
  /**
   * What to do with a key that is no column: fail before anything of the batch is sent, or leave it out.
   * @default 'error'
   */
  unknownKeys?: 'error' | 'ignore' | undefined
  /**
   * How rows travel. `auto` takes COPY, and INSERT for small upserts and where a table does not take COPY (a view,
   * row-level security, rules).
   * @default 'auto'
   */
  method?: Method | undefined
  /**
   * What COPY sends. `auto` takes binary where every column has a binary codec, and turns to text within a batch at
   * a value without an exact binary form. `binary` makes such a value an error.
   * @default 'auto'
   */
  copyFormat?: CopyFormat | undefined
  /**
   * Items are `CsvRecord`s: bytes as they stand in a CSV file, which are written without an object being made of them.
   * It names the column of each field, in place of `columns`, and takes COPY; `toRow` may skip or refuse them. For `pg-batch load`, which has what
   * cuts a file into records.
   * @internal
   */
  csv?: CsvColumns | undefined
  /** Makes the write an upsert. @default none: a duplicate key is an error */
  onConflict?: OnConflict<Row> | undefined
  /**
   * Says of an item whether its row is to be upserted or deleted: change events. Order counts for each key, and of a
   * key's items in a transaction only the last one is carried out. A delete needs the values of the key's columns in
   * its row, all of them and none NULL, and other keys are no matter; a key that is not in the table is deleted
   * already. Called once for each item that has a row. Needs `onConflict` with `target` and `action: 'update'`; at a
   * `concurrency` above 1 give `laneOf` the key.
   * @default none: every row is an upsert, or an insert
   */
  operation?: ((item: Item) => 'upsert' | 'delete') | undefined
  /**
   * How many transactions may be under way at once, each on a client of its own; an integer ≥ 1. At 1 batches commit
   * in order. Raising it costs connections and that order, and buys throughput up to about the server's cores.
   * @default 1
   */
  concurrency?: number | undefined
  /**
   * Names the lane of an item: items with the same answer are written in order at any `concurrency`. A batch with
   * items of several lanes is split, and each part is a batch of its own from there on.
   * @default none: a whole batch goes to whichever lane is free
   */
  laneOf?: ((item: Item) => string | number) | undefined
  /**
   * Runs in the batch's transaction after its rows, before COMMIT, with the client that wrote them. What it throws
   * rolls the batch back and fails the stream. It must not end the transaction itself.
   */
  inTransaction?: ((client: PgClientLike, batch: readonly Item[]) => Promise<void> | void) | undefined
  /**
   * Runs after the batch's COMMIT, in the order of commits of its lane, and before 'finish'. The place to acknowledge
   * what was written to its source. What it throws fails the stream; the rows stay committed.
   */
  afterCommit?: ((batch: readonly Item[]) => void | Promise<void>) | undefined
  /** How transient failures are met: a lost connection, a deadlock, a server that starts. `false`: not at all. */
  retry?: RetryOptions | false | undefined
  /**
   * A statement that takes longer is cancelled and tried again; a server that does not even answer loses its
   * connection, and what was in flight is asked for by another. Milliseconds, an integer ≥ 100. @default 120000
   */
  statementTimeoutMs?: number | undefined
  /** The same for COMMIT and ROLLBACK. Milliseconds, an integer ≥ 100. @default 30000 */
  commitTimeoutMs?: number | undefined
  /**
   * Where rejected rows go. An object-mode Writable gets a {@link RejectedRow} each after their batch was committed,
   * at its own pace; it stays yours, and is not ended. A table gets them in the batch's own transaction, and is made
   * where it does not exist.
   * @default nowhere but to the 'reject' event
   */
  deadLetter?: Writable | { table: TableName } | undefined
  /**
   * How many rows may be rejected: values that cannot be encoded, rows that the server refuses for their own sake.
   * One more fails the stream, and its batch is rolled back. An integer ≥ 0, or Infinity. Raising it from 0 costs
   * nothing until a row is bad; a batch with bad rows is sent up to three times.
   * @default 0
   */
  rejectLimit?: number | undefined
  /**
   * Makes delivery exactly-once for a source that delivers again after a failure: the highest offset of each
   * partition is stored with the rows, and items at or below it are skipped. See the README.
   */
  checkpoint?: CheckpointOptions<Item> | undefined
  /**
   * Says where an item stands in its source, for the dead letter: `source_partition` and `source_offset` of a table, and
   * `position` of a {@link RejectedRow}. With `checkpoint`, its own is taken. @default none
   */
  position?: ((item: Item) => Position) | undefined
  /**
   * Gets the items of every batch that was accepted and not committed, once, when the stream was destroyed.
   * What it throws becomes a process warning. @default none
   */
  onDiscard?: ((items: Item[]) => void) | undefined
  /** Aborting it destroys the stream: what is in flight is rolled back. @default none */
  signal?: AbortSignal | undefined
}

/** Ties an item to its place in its source. */
export interface CheckpointOptions<Item> {
  /** Names the stream: writers with one name share its positions, and fence each other off. */
  name: string
  /** Where an item stands. Offsets have to grow within a partition as items come; gaps are no matter. */
  position: (item: Item) => Position
  /** The table of positions, made where it does not exist. @default 'pg_batch_checkpoint' */
  table?: TableName | undefined
}

const RETRY_DEFAULTS = Object.freeze({
  retries: 10,
  minDelayMs: 100,
  maxDelayMs: 5000,
  maxElapsedMs: Number.POSITIVE_INFINITY,
  shouldRetry: () => true,
})

const DEFAULTS = Object.freeze({
  pool: undefined,
  connectionString: undefined,
  table: undefined,
  columns: undefined,
  toRow: undefined,
  unknownKeys: 'error',
  method: 'auto',
  copyFormat: 'auto',
  csv: undefined,
  onConflict: undefined,
  operation: undefined,
  concurrency: 1,
  laneOf: undefined,
  inTransaction: undefined,
  afterCommit: undefined,
  retry: undefined,
  statementTimeoutMs: 120_000,
  commitTimeoutMs: 30_000,
  deadLetter: undefined,
  rejectLimit: 0,
  checkpoint: undefined,
  position: undefined,
  onDiscard: undefined,
  signal: undefined,
})

/** The names of all options. */
export const WRITABLE_OPTIONS: readonly string[] = Object.keys(DEFAULTS)

export interface ResolvedWritableOptions<Item> extends WriteOptions<Item> {
  readonly pool: PgPoolLike | undefined
  readonly connectionString: string | undefined
  readonly laneOf: ((item: Item) => string | number) | undefined
  readonly afterCommit: ((batch: readonly Item[]) => void | Promise<void>) | undefined
  readonly deadLetterStream: Writable | undefined
  readonly onDiscard: ((items: Item[]) => void) | undefined
  readonly signal: AbortSignal | undefined
}

/** @throws TypeError that says what was expected and what came */
export function resolveWritableOptions<Item, Row>(
  options: PgBatchWritableOptions<Item, Row>,
): ResolvedWritableOptions<Item> {
  const given = checkObject('options', options) as typeof options & Record<string, unknown>
  checkKnownKeys('PgBatchWritable', given, Object.keys(DEFAULTS))
  const { unknownKeys, method, copyFormat, concurrency, signal, ...others } = withDefaults(DEFAULTS, given)
  const resolved: ResolvedWritableOptions<Item> = {
    ...checkDestination(given.pool, given.connectionString),
    table: checkTable(given.table),
    columns: optional('columns', given.columns, checkNames),
    toRow: optional('toRow', given.toRow, checkFunction),
    unknownKeys: checkOneOf('unknownKeys', unknownKeys, ['error', 'ignore']),
    method: checkOneOf('method', method, ['auto', 'copy', 'insert']),
    copyFormat: checkOneOf('copyFormat', copyFormat, ['auto', 'binary', 'text']),
    ...checkCsv(given),
    onConflict: optional('onConflict', given.onConflict, checkConflict),
    operation: optional('operation', given.operation, checkFunction),
    concurrency: checkInteger('concurrency', concurrency, 1),
    laneOf: optional('laneOf', given.laneOf, checkFunction),
    inTransaction: optional('inTransaction', given.inTransaction, checkFunction),
    afterCommit: optional('afterCommit', given.afterCommit, checkFunction),
    retry: checkRetry(given.retry),
    statementTimeoutMs: checkInteger('statementTimeoutMs', others.statementTimeoutMs, 100),
    commitTimeoutMs: checkInteger('commitTimeoutMs', others.commitTimeoutMs, 100),
    ...checkDeadLetter(given.deadLetter),
    rejectLimit: checkIntegerOrInfinity('rejectLimit', others.rejectLimit, 0),
    checkpoint: optional('checkpoint', given.checkpoint, checkCheckpoint<Item>),
    position: optional('position', given.position, checkFunction),
    onDiscard: optional('onDiscard', given.onDiscard, checkFunction),
    signal: optional('signal', signal, checkAbortSignal),
  }
  if (resolved.operation && resolved.onConflict?.action !== 'update') {
    throw optionError(
      "Expected `onConflict` with `target` and `action: 'update'` with `operation`: its key says what to delete",
    )
  }
  if (resolved.checkpoint && resolved.laneOf && resolved.concurrency > 1) {
    throw optionError('Expected no `laneOf` with `checkpoint`, whose partitions are the lanes')
  }
  if (resolved.checkpoint && resolved.position) {
    throw optionError('Expected no `position` with `checkpoint`, which has its own')
  }
  if (resolved.method === 'insert' && resolved.copyFormat !== 'auto') {
    throw optionError("Expected no `copyFormat` with `method: 'insert'`, which does not COPY")
  }
  return resolved
}

function optional<Value, Checked>(
  name: string,
  value: Value | undefined,
  check: (name: string, value: Value) => Checked,
): Checked | undefined {
  return value === undefined ? undefined : check(name, value)
}

function checkDestination(
  pool: unknown,
  connectionString: unknown,
): Pick<ResolvedWritableOptions<never>, 'pool' | 'connectionString'> {
  if (pool !== undefined && connectionString !== undefined) {
    throw optionError('Expected either `pool` or `connectionString`, got both')
  }
  if (pool === undefined && connectionString === undefined) {
    throw optionError('Expected `pool` (of the package pg) or `connectionString`, got neither')
  }
  if (pool === undefined) return { pool, connectionString: checkString('connectionString', connectionString) }
  const holds =
    typeof pool === 'object' && pool !== null && 'connect' in pool && typeof pool.connect === 'function'
  expectOption<PgPoolLike>('pool', pool, 'a pool with a connect() method', holds)
  return { pool, connectionString: undefined }
}

function checkRetry(value: unknown): RetryPolicy {
  if (value === false) return { ...RETRY_DEFAULTS, retries: 0 }
  const given = value === undefined ? {} : checkObject('retry', value)
  checkKnownKeys('retry', given, Object.keys(RETRY_DEFAULTS))
  const { retries, minDelayMs, maxDelayMs, maxElapsedMs, shouldRetry } = withDefaults(RETRY_DEFAULTS, given)
  const policy = {
    retries: checkIntegerOrInfinity('retry.retries', retries, 0),
    minDelayMs: checkWaitMs('retry.minDelayMs', minDelayMs),
    maxDelayMs: checkWaitMs('retry.maxDelayMs', maxDelayMs),
    maxElapsedMs: checkWaitMs('retry.maxElapsedMs', maxElapsedMs),
    shouldRetry: checkFunction('retry.shouldRetry', shouldRetry as RetryPolicy['shouldRetry']),
  }
  const holds = policy.maxDelayMs >= policy.minDelayMs
  expectOption(
    'retry.maxDelayMs',
    maxDelayMs,
    `a number ≥ \`retry.minDelayMs\` (${policy.minDelayMs})`,
    holds,
  )
  return policy
}

function checkDeadLetter(
  value: unknown,
): Pick<ResolvedWritableOptions<never>, 'deadLetterStream' | 'deadLetterTable'> {
  if (value === undefined) return { deadLetterStream: undefined, deadLetterTable: undefined }
  const given = checkObject('deadLetter', value)
  if (typeof given.write === 'function') {
    const stream = value as Writable
    expectOption('deadLetter', value, 'a Writable in object mode', stream.writableObjectMode !== false)
    return { deadLetterStream: stream, deadLetterTable: undefined }
  }
  checkKnownKeys('deadLetter', given, ['table'])
  return { deadLetterStream: undefined, deadLetterTable: checkTable(given.table) }
}

function checkCheckpoint<Item>(name: string, value: unknown): CheckpointPlan<Item> {
  const given = checkObject(name, value)
  checkKnownKeys(name, given, ['name', 'position', 'table'])
  return {
    name: checkString(`${name}.name`, given.name),
    position: checkFunction(`${name}.position`, given.position as CheckpointPlan<Item>['position']),
    table: checkTable(given.table ?? DEFAULT_CHECKPOINT_TABLE),
  }
}

/** What records decide by themselves: an object's part in it is a contradiction. */
const NOT_WITH_CSV = ['columns', 'unknownKeys', 'method', 'operation'] as const

function checkCsv({
  csv: value,
  ...others
}: Record<string, unknown>): Pick<WriteRequest<never>, 'csv'> &
  Partial<Pick<WriteRequest<never>, 'columns' | 'unknownKeys' | 'method'>> {
  if (value === undefined) return { csv: undefined }
  const { format, fields, ...rest } = checkObject('csv', value)
  checkKnownKeys('csv', rest, ['format', 'fields'])
  const other = NOT_WITH_CSV.find(name => others[name] !== undefined)
  if (other) throw optionError(`Expected no \`${other}\` with \`csv\`, whose fields say it`)
  const holds = Array.isArray(fields) && fields.every(name => name === undefined || typeof name === 'string')
  expectOption<CsvColumns['fields']>('csv.fields', fields, 'an array of column names and undefined', holds)
  const columns = checkNames(
    'csv.fields',
    fields.filter(name => name !== undefined),
  )
  const checked = { format: checkCsvFormat(format), fields: [...fields] }
  return { csv: checked, columns, unknownKeys: 'ignore', method: 'copy' }
}

function checkCsvFormat(value: unknown): CsvFormat {
  const given = checkObject('csv.format', value)
  const { delimiter, quote, escape: escapeBy, nulls } = given
  for (const [name, character] of Object.entries({ delimiter, quote, escape: escapeBy })) {
    const optional = name !== 'delimiter' && character === undefined
    const holds = optional || (typeof character === 'string' && /^[\0-\x7f]$/.test(character))
    expectOption(`csv.format.${name}`, character, 'a character of ASCII', holds)
  }
  const areTexts = Array.isArray(nulls) && nulls.every(text => typeof text === 'string')
  expectOption('csv.format.nulls', nulls, 'an array of strings', areTexts)
  return { delimiter, quote, escape: escapeBy, nulls } as CsvFormat
}

function checkTable(table: unknown): WriteRequest<never>['table'] {
  if (typeof table !== 'object') {
    const parts = parseTableName(checkString('table', table))
    const holds = parts.name !== '' && parts.schema !== ''
    expectOption('table', table, "a table's name, or a schema's, a dot and a table's", holds)
    return parts
  }
  const parts = checkObject('table', table)
  checkKnownKeys('table', parts, ['schema', 'name'])
  const name = checkString('table.name', parts.name)
  return parts.schema === undefined ? { name } : { schema: checkString('table.schema', parts.schema), name }
}

function checkNames(name: string, value: unknown): readonly string[] {
  const holds =
    Array.isArray(value) &&
    value.length > 0 &&
    value.every(entry => typeof entry === 'string' && entry !== '')
  expectOption<string[]>(name, value, 'an array of column names that is not empty', holds)
  const twice = value.find((entry, index) => value.indexOf(entry) !== index)
  if (twice !== undefined)
    throw optionError(`Expected each column of \`${name}\` once, got ${JSON.stringify(twice)} twice`)
  return [...value]
}

function checkConflict(name: string, value: unknown): ConflictOption {
  const given = checkObject(name, value)
  checkKnownKeys(name, given, ['target', 'action', 'update'])
  const action = checkOneOf(`${name}.action`, given.action, ['nothing', 'update'])
  const target = optional(`${name}.target`, given.target, checkTarget)
  const update = optional(`${name}.update`, given.update, checkNames)
  if (action === 'update' && target === undefined) {
    throw optionError(
      `Expected \`${name}.target\` with \`action: 'update'\`, got none: name the key's columns`,
    )
  }
  if (action === 'nothing' && update !== undefined) {
    throw optionError(`Expected no \`${name}.update\` with \`action: 'nothing'\`, which changes no row`)
  }
  return { action, ...(target ? { target } : {}), ...(update ? { update } : {}) }
}

function checkTarget(name: string, value: unknown): NonNullable<ConflictOption['target']> {
  if (Array.isArray(value)) return checkNames(name, value)
  const given = checkObject(name, value)
  checkKnownKeys(name, given, ['constraint'])
  return { constraint: checkString(`${name}.constraint`, given.constraint) }
}
