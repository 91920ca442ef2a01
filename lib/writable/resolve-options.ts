import { resolve } from 'node:path'
import type { Writable } from 'node:stream'
import type { PgPoolLike } from '../connection/pg-types.ts'
import { DEFAULT_WAIT_MS } from '../connection/pool/lease.ts'
import type { ConnectionParameters } from '../connection-string/connection-parameters.ts'
import { parseConnection } from '../connection-string/parse-connection.ts'
import { ConnectionStringError } from '../connection-string/settings-error.ts'
import type { CsvColumns, CsvFormat } from '../csv/record.ts'
import {
  checkAbortSignal,
  checkFunction,
  checkInteger,
  checkIntegerOrInfinity,
  checkKnownKeys,
  checkObject,
  checkOneOf,
  checkString,
  checkTimeoutMs,
  checkWaitMs,
  expectOption,
  optionError,
  withDefaults,
} from '../options/checks.ts'
import { parseTableName } from '../table/identifier.ts'
import type { CheckpointPlan } from '../write/checkpoint/checkpoint.ts'
import { CommittedPositions } from '../write/checkpoint/committed-positions.ts'
import { LastItems } from '../write/checkpoint/last-items.ts'
import { DEFAULT_CHECKPOINT_TABLE } from '../write/checkpoint/read-checkpoint.ts'
import { orderOf } from '../write/checkpoint/source-order.ts'
import type { RetryPolicy } from '../write/faults/retry.ts'
import type { WriteOptions } from '../write/open-writing.ts'
import type { ConflictOption } from '../write/plan/conflict.ts'
import type { WriteRequest } from '../write/plan/write-request.ts'
import type { PgBatchWritableOptions } from './options.ts'

const RETRY_DEFAULTS = Object.freeze({
  retries: 10,
  minDelayMs: 100,
  maxDelayMs: 5000,
  maxElapsedMs: Number.POSITIVE_INFINITY,
  shouldRetry: () => true,
})

/** The loader's alone. */
const INTERNAL: readonly string[] = ['csv', 'rejectedItem']

/** kafkaToPg's alone: what its tables know together. */
const INTERNAL_OF_CHECKPOINT: readonly string[] = ['committed']

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
  rejectedItem: undefined,
  onConflict: undefined,
  operation: undefined,
  concurrency: 1,
  laneOf: undefined,
  inTransaction: undefined,
  afterCommit: undefined,
  retry: undefined,
  statementTimeoutMs: DEFAULT_WAIT_MS,
  commitTimeoutMs: 30_000,
  callbackTimeoutMs: 120_000,
  deadLetter: undefined,
  rejectLimit: 0,
  checkpoint: undefined,
  position: undefined,
  onDiscard: undefined,
  signal: undefined,
})

/** The names of all public options. */
export const WRITABLE_OPTIONS: readonly string[] = Object.keys(DEFAULTS).filter(
  name => !INTERNAL.includes(name),
)

export interface ResolvedWritableOptions<Item> extends WriteOptions<Item> {
  readonly pool: PgPoolLike | undefined
  /** What `connectionString` and the PG* variables say. */
  readonly connection: ConnectionParameters | undefined
  readonly laneOf: ((item: Item) => string | number) | undefined
  readonly deadLetterStream: Writable | undefined
  readonly signal: AbortSignal | undefined
}

/** @throws TypeError that says what was expected and what came */
export function resolveWritableOptions<Item, Row>(
  options: PgBatchWritableOptions<Item, Row>,
): ResolvedWritableOptions<Item> {
  const given = checkObject('options', options) as typeof options & Record<string, unknown>
  checkKnownKeys('PgBatchWritable', given, WRITABLE_OPTIONS, INTERNAL)
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
    callbackTimeoutMs: checkTimeoutMs('callbackTimeoutMs', others.callbackTimeoutMs),
    ...checkDeadLetter(given.deadLetter),
    rejectedItem: optional('rejectedItem', given.rejectedItem, checkFunction),
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
): Pick<ResolvedWritableOptions<never>, 'pool' | 'connection'> {
  if (pool !== undefined && connectionString !== undefined) {
    throw optionError('Expected either `pool` or `connectionString`, got both')
  }
  if (pool === undefined && connectionString === undefined) {
    throw optionError('Expected `pool` (of the package pg) or `connectionString`, got neither')
  }
  if (pool === undefined) return { pool, connection: checkConnection(connectionString) }
  const holds =
    typeof pool === 'object' && pool !== null && 'connect' in pool && typeof pool.connect === 'function'
  expectOption<PgPoolLike>('pool', pool, 'a pool with a connect() method', holds)
  return { pool, connection: undefined }
}

/** Of what is ignored the process is warned, once for each text: the stream may be one of many. */
function checkConnection(value: unknown): ConnectionParameters {
  try {
    const text = checkString('connectionString', value)
    const connection = parseConnection(text, '`connectionString`', process.env)
    for (const note of connection.notes) warnOnce(note)
    return connection
  } catch (error) {
    if (error instanceof ConnectionStringError) throw optionError(error.message)
    throw error
  }
}

const warned = new Set<string>()

function warnOnce(note: string): void {
  if (warned.has(note)) return
  warned.add(note)
  process.emitWarning(note, { type: 'PgBatchWarning', code: 'PG_BATCH_PARAMETER_IGNORED' })
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
  checkKnownKeys('deadLetter', given, ['table', 'file'])
  if (given.file !== undefined && given.table === undefined) {
    throw optionError(
      'Expected `deadLetter.table` with `deadLetter.file`: rejected rows are safe in it until they are in the file',
    )
  }
  const file = optional('deadLetter.file', given.file, checkString)
  return {
    deadLetterStream: undefined,
    deadLetterTable: { table: checkTable(given.table), file: file && resolve(file) },
  }
}

function checkCheckpoint<Item>(name: string, value: unknown): CheckpointPlan<Item> {
  const given = checkObject(name, value)
  checkKnownKeys(name, given, ['name', 'position', 'table', 'startsAfter'], INTERNAL_OF_CHECKPOINT)
  const { committed = new CommittedPositions() } = given
  const plan: CheckpointPlan<Item> = {
    name: checkString(`${name}.name`, given.name),
    position: checkFunction(`${name}.position`, given.position as CheckpointPlan<Item>['position']),
    table: checkTable(given.table ?? DEFAULT_CHECKPOINT_TABLE),
    lastItems: new LastItems(),
    hasItemIndex: false,
    committed: committed as CommittedPositions,
  }
  for (const [partition, position] of checkPositions(`${name}.startsAfter`, given.startsAfter))
    plan.committed.note({ name: plan.name, partition, order: orderOf({ offset: position }) })
  return plan
}

function checkPositions(name: string, value: unknown): Iterable<[string, bigint]> {
  if (value === undefined) return []
  const holds =
    value instanceof Map &&
    [...value].every(([partition, offset]) => typeof partition === 'string' && typeof offset === 'bigint')
  expectOption<Map<string, bigint>>(name, value, 'a Map of bigints, as `readCheckpoint` returns it', holds)
  return value
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
  const { delimiter, quote, escape: escapeBy, nulls, forceNull } = given
  for (const [name, character] of Object.entries({ delimiter, quote, escape: escapeBy })) {
    const optional = name !== 'delimiter' && character === undefined
    const holds = optional || (typeof character === 'string' && /^[\0-\x7f]$/.test(character))
    expectOption(`csv.format.${name}`, character, 'a character of ASCII', holds)
  }
  const areTexts = Array.isArray(nulls) && nulls.every(text => typeof text === 'string')
  expectOption('csv.format.nulls', nulls, 'an array of strings', areTexts)
  expectOption(
    'csv.format.forceNull',
    forceNull,
    'a boolean',
    [undefined, true, false].includes(forceNull as boolean),
  )
  return { delimiter, quote, escape: escapeBy, nulls, ...(forceNull ? { forceNull } : {}) } as CsvFormat
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
