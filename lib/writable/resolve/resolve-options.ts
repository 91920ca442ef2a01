import { DEFAULT_WAIT_MS } from '../../connection/pool/lease.ts'
import {
  checkAbortSignal,
  checkFlag,
  checkFunction,
  checkKnownKeys,
  checkObject,
  integerFrom,
  integerOrInfinityFrom,
  oneOf,
  optionError,
  timeoutMsFrom,
} from '../../options/checks.ts'
import {
  defaultsTo,
  internal,
  optional,
  publicNames,
  type Resolved,
  required,
  resolveOptions,
} from '../../options/option-table.ts'
import type { Table } from '../../types.ts'
import type { WriteOptions } from '../../write/write-options.ts'
import type { PgBatchWritableOptions } from '../options.ts'
import { checkBlocks } from './check-blocks.ts'
import { checkCheckpoint } from './check-checkpoint.ts'
import { checkCodecs } from './check-codecs.ts'
import { checkConflict } from './check-conflict.ts'
import { checkCounter } from './check-counter.ts'
import { checkCsv } from './check-csv.ts'
import { checkDeadLetter } from './check-dead-letter.ts'
import { checkConnection, checkPool, expectOneDestination } from './check-destination.ts'
import { checkEvolve } from './check-evolve.ts'
import { checkJson } from './check-json.ts'
import { checkReplace, expectReplacement } from './check-replace.ts'
import { checkRetry, DEFAULT_RETRY } from './check-retry.ts'
import { expectSingleTransaction } from './check-single-transaction.ts'
import { checkColumns, checkTable } from './check-table.ts'

/** The type of a callback, as writing calls it. */
type Callback<Item, Name extends keyof WriteOptions<Item>> = NonNullable<WriteOptions<Item>[Name]>

/**
 * Every option of PgBatchWritable, with its default and its check. `PgBatchWritableOptions` says what they
 * mean.
 */
function optionTable<Item>() {
  return {
    pool: optional(checkPool),
    connectionString: optional(checkConnection),
    table: required(checkTable),
    described: internal(optional(checkDescribed)),
    columns: optional(checkColumns),
    toRow: optional(checkFunction<Callback<Item, 'toRow'>>),
    unknownKeys: defaultsTo('error', oneOf('error', 'ignore')),
    evolve: optional(checkEvolve),
    method: defaultsTo('auto', oneOf('auto', 'copy', 'insert')),
    copyFormat: defaultsTo('auto', oneOf('auto', 'binary', 'text')),
    codecs: optional(checkCodecs),
    csv: internal(optional(checkCsv)),
    json: internal(optional(checkJson)),
    blocks: internal(optional(checkBlocks)),
    identity: internal(optional(oneOf('keep'))),
    onConflict: optional(checkConflict),
    operation: optional(checkFunction<Callback<Item, 'operation'>>),
    singleTransaction: optional(checkFlag),
    replace: optional(checkReplace),
    beforeCommit: internal(optional(checkFunction<Callback<Item, 'beforeCommit'>>)),
    rollsBack: internal(defaultsTo(false, checkFlag)),
    concurrency: defaultsTo(1, integerFrom(1)),
    patienceMs: internal(defaultsTo(0, integerFrom(0))),
    gracefulSignal: internal(optional(checkAbortSignal)),
    laneOf: optional(checkFunction<(item: Item) => string | number>),
    onBegin: optional(checkFunction<Callback<Item, 'onBegin'>>),
    inTransaction: optional(checkFunction<Callback<Item, 'inTransaction'>>),
    afterCommit: optional(checkFunction<Callback<Item, 'afterCommit'>>),
    retry: defaultsTo(DEFAULT_RETRY, checkRetry),
    statementTimeoutMs: defaultsTo(DEFAULT_WAIT_MS, timeoutMsFrom(100)),
    commitTimeoutMs: defaultsTo(30_000, timeoutMsFrom(100)),
    callbackTimeoutMs: defaultsTo(120_000, timeoutMsFrom(1)),
    deadLetter: optional(checkDeadLetter),
    rejectedItem: internal(optional(checkFunction<Callback<Item, 'rejectedItem'>>)),
    awaitsParents: internal(optional(checkFunction<() => boolean>)),
    rejectLimit: defaultsTo(0, integerOrInfinityFrom(0)),
    rejectCounter: internal(optional(checkCounter)),
    checkpoint: optional(checkCheckpoint<Item>),
    position: optional(checkFunction<Callback<Item, 'position'>>),
    onDiscard: optional(checkFunction<Callback<Item, 'onDiscard'>>),
    signal: optional(checkAbortSignal),
  }
}

function checkDescribed(name: string, value: unknown): Table {
  return checkObject(name, value) as unknown as Table
}

/** The names of all public options. */
export const WRITABLE_OPTIONS: readonly string[] = publicNames(optionTable())

/** The names of the options that one part of this package passes to another. */
const INTERNAL_OPTIONS: readonly string[] = Object.keys(optionTable()).filter(
  name => !WRITABLE_OPTIONS.includes(name),
)

type Checked<Item> = Resolved<ReturnType<typeof optionTable<Item>>>

/** The options of one stream: checked, defaults in place, and free of contradictions. */
export type ResolvedWritableOptions<Item> = ReturnType<typeof resolveWritableOptions<Item, unknown>>

/** @throws TypeError that says what was expected and what came */
export function resolveWritableOptions<Item, Row>(options: PgBatchWritableOptions<Item, Row>) {
  const input = checkObject('options', options)
  expectNoPool(input)
  checkKnownKeys('PgBatchWritable', input, WRITABLE_OPTIONS, INTERNAL_OPTIONS)
  expectOneDestination(input)
  expectNothingBesideCsv(input)
  const checked: Checked<Item> = resolveOptions('PgBatchWritable', optionTable<Item>(), input)
  expectNoContradiction(checked)
  if (checked.evolve?.addColumns) expectRoomForColumns(input)
  const { connectionString, deadLetter, ...others } = checked
  return {
    ...others,
    singleTransaction: isSingleTransaction(checked),
    ...(checked.csv && ofRecords(checked.csv)),
    connection: connectionString,
    deadLetterStream: deadLetter?.stream,
    deadLetterTable: deadLetter?.table,
  }
}

/** Throws for a pool in the place of the options. */
function expectNoPool(options: Record<string, unknown>): void {
  if (typeof options.connect === 'function') {
    throw optionError('Expected `options` to be an object, got a pool: write `{ pool, table }`')
  }
}

/** What the records of a CSV file decide by themselves. */
const DECIDED_BY_CSV = ['columns', 'unknownKeys', 'method', 'codecs', 'operation', 'evolve', 'json'] as const

function expectNothingBesideCsv(options: Record<string, unknown>): void {
  if (options.csv === undefined) return
  const other = DECIDED_BY_CSV.find(name => options[name] !== undefined)
  if (other) throw optionError(`Expected no \`${other}\` with \`csv\`, whose fields say it`)
}

function ofRecords({ fields }: NonNullable<Checked<never>['csv']>) {
  const columns = fields.filter(name => name !== undefined)
  return { columns, unknownKeys: 'ignore', method: 'copy' } as const
}

/** A new column would never be written where `columns` names the others, or unknown keys are left out. */
function expectRoomForColumns({ columns, unknownKeys }: Record<string, unknown>): void {
  const hint = 'leave it out, or set `evolve: { addColumns: false, widenTypes: true }`'
  if (columns !== undefined) {
    throw optionError(`Expected no \`columns\` with \`evolve\`, which adds columns for other keys: ${hint}`)
  }
  if (unknownKeys === 'ignore') {
    throw optionError(
      `Expected no \`unknownKeys: 'ignore'\` with \`evolve\`, which adds columns for unknown keys: ${hint}`,
    )
  }
}

function isSingleTransaction({
  singleTransaction,
  replace,
}: Pick<Checked<never>, 'singleTransaction' | 'replace'>): boolean {
  return singleTransaction === true || replace !== undefined
}

function expectNoContradiction<Item>(options: Checked<Item>): void {
  const { operation, onConflict, checkpoint, laneOf, concurrency, position, method, copyFormat } = options
  if (operation && onConflict?.action !== 'update') {
    throw optionError(
      "Expected `onConflict` with `target` and `action: 'update'` with `operation`: a delete needs the key",
    )
  }
  if (checkpoint && laneOf && concurrency > 1) {
    throw optionError('Expected no `laneOf` with `checkpoint`, whose partitions are the lanes')
  }
  if (checkpoint && position) {
    throw optionError('Expected no `position` with `checkpoint`, which has its own')
  }
  if (method === 'insert' && copyFormat !== 'auto') {
    throw optionError("Expected no `copyFormat` with `method: 'insert'`, which does not COPY")
  }
  if (options.replace) expectReplacement(options)
  if (isSingleTransaction(options)) expectSingleTransaction(options)
}
