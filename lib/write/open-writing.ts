import type { PgPoolLike } from '../connection/pg-types.ts'
import type { StopSignals } from '../connection/pool/lease.ts'
import { Timelines } from '../connection/timelines.ts'
import type { TransactionOptions } from '../connection/transaction/opening.ts'
import { SLAB_BYTES, SlabPool } from '../encode/wire/slabs.ts'
import { CHECKPOINT_COLUMNS, createCheckpointTable } from '../table/checkpoint-sql.ts'
import {
  addFileColumns,
  createDeadLetterTable,
  DEAD_LETTER_COLUMNS,
  FILE_COLUMNS,
} from '../table/dead-letter-sql.ts'
import type { TableParts } from '../table/identifier.ts'
import type { Beginning } from './begin/on-begin.ts'
import { type AlteredTable, alter } from './evolve/alter.ts'
import { Evolution } from './evolve/evolution.ts'
import { CallbackError, toPgBatchError } from './faults/failure.ts'
import type { Retry } from './faults/retry.ts'
import { introspectWithRetries } from './introspect-with-retries.ts'
import type { OpenOutcomes } from './outcome/open-outcomes.ts'
import { CurrentPlan } from './plan/current-plan.ts'
import { type IntrospectedPlan, introspectPlan, type SideTable } from './plan/introspect-plan.ts'
import type { WritePlan } from './plan/plan.ts'
import type { DeadLetterTable } from './rejects/dead-letter.ts'
import { DeadLetterFile } from './rejects/dead-letter-file.ts'
import { RejectBudget } from './rejects/reject-budget.ts'
import { TransactionPool } from './transaction/transaction-pool.ts'
import { TransactionSize } from './transaction/transaction-size.ts'
import type { WriteContext } from './write-context.ts'
import type { WriteOptions } from './write-options.ts'

/** What a stream brings besides its options. */
export interface WritingStream {
  readonly pool: PgPoolLike
  readonly signals: StopSignals
  /** Stops what follows a COMMIT. Default: `signals` */
  readonly settleSignals?: StopSignals
  /** The same one each time that a stream introspects its table: a COMMIT may be open meanwhile. */
  readonly openOutcomes: OpenOutcomes
  readonly onRetry: (retry: Retry) => void
  /** The stream has altered its table. */
  readonly onEvolve: (altered: AlteredTable) => void
}

/** What every batch is written with, and what handles its rejects after COMMIT. */
export interface Writing<Item> extends WriteContext<Item> {
  /** Moves rejected rows from their table to a file. */
  readonly deadLetterFile: DeadLetterFile | undefined
}

/**
 * Introspects the table, creates the side tables that the options ask for, and returns what every batch is
 * written with.
 * @throws PgBatchError, `outcome: 'not-sent'`
 */
export async function openWriting<Item>(
  options: WriteOptions<Item>,
  stream: WritingStream,
): Promise<Writing<Item>> {
  const { statementTimeoutMs, commitTimeoutMs, checkpoint, inTransaction, onBegin } = options
  const { pool, signals, openOutcomes } = stream
  const beginning = { onBegin, callbackTimeoutMs: options.callbackTimeoutMs }
  const asking = { pool, signals, beginning, waitMs: statementTimeoutMs }
  const introspected = await introspectWithRetries(
    options,
    { ...asking, sideTables: sideTablesOf(options), described: options.described },
    stream.onRetry,
  )
  const current = new CurrentPlan(introspected, () => introspectPlan(options, { ...asking, sideTables: [] }))
  const limits = {
    statementTimeoutMs,
    commitTimeoutMs,
    ticketed: introspected.ticketed,
    savepointed: false,
    timelines: new Timelines(),
  }
  const side = { ...stream, limits, beginning }
  // one that is cut off while it appends would let others append the same rows
  const deadLetterFile = openDeadLetterFile(options, { ...side, signals: stream.settleSignals ?? signals })
  await moveLeftoverRejects(deadLetterFile)
  const rowLimits = limitsOfRows(options, introspected, limits)
  const beginsEarly = !rowLimits.endless && !hasCallback(options) && !checkpoint
  return {
    ...beginning,
    pool,
    signals,
    current,
    evolution: openEvolution(options, current, side),
    limits: rowLimits,
    checkpoint,
    position: options.position,
    awaitsParents: options.awaitsParents,
    deadLetterTable: options.deadLetterTable,
    deadLetterFile,
    rejectedItem: options.rejectedItem,
    budget: new RejectBudget(options.rejectLimit, options.rejectCounter),
    inTransaction,
    rollsBack: options.rollsBack,
    notesItems: inTransaction !== undefined || options.afterCommit !== undefined,
    canReleaseItems: !options.singleTransaction && !needsItems(options),
    beforeCommit: options.beforeCommit,
    replace: options.replace,
    keepsItems: options.onDiscard !== undefined,
    slabs: new SlabPool(SLAB_BYTES, (options.csv ?? options.json)?.wasm?.takeSlabs(SLAB_BYTES)),
    transactions: new TransactionPool({ pool, signals, limits: rowLimits, openOutcomes, beginsEarly }),
    lanes: options.concurrency,
    retry: options.retry,
    openOutcomes,
    size: new TransactionSize(),
    isIdempotent: plan => isIdempotent(plan, options),
  }
}

/** The stream, and the settings of its transactions that write no rows: ALTER TABLE, moving rejects. */
interface SideTransactions extends WritingStream {
  readonly limits: TransactionOptions
  readonly beginning: Beginning
}

function sideTablesOf<Item>({ checkpoint, deadLetterTable }: WriteOptions<Item>): SideTable[] {
  return [
    ...(checkpoint ? [tableOfPositions(checkpoint.table)] : []),
    ...(deadLetterTable ? [tableOfRejects(deadLetterTable)] : []),
  ]
}

function tableOfPositions(table: TableParts): SideTable {
  const option = 'checkpoint.table'
  return { option, table, create: createCheckpointTable(table), columns: CHECKPOINT_COLUMNS }
}

function tableOfRejects({ table, file }: DeadLetterTable): SideTable {
  const columns = ['target', ...Object.keys(DEAD_LETTER_COLUMNS)]
  const side = { option: 'deadLetter.table', table, create: createDeadLetterTable(table), columns } as const
  if (file === undefined) return side
  return { ...side, lacking: { columns: FILE_COLUMNS, add: addFileColumns(table) } }
}

function openDeadLetterFile<Item>(
  { deadLetterTable, retry }: WriteOptions<Item>,
  side: SideTransactions,
): DeadLetterFile | undefined {
  const { table, file: path } = deadLetterTable ?? {}
  return table && path !== undefined ? new DeadLetterFile({ ...side, retry, table, path }) : undefined
}

/** Moves the rejected rows that a killed process has left in the table, before anything is written. */
async function moveLeftoverRejects(file: DeadLetterFile | undefined): Promise<void> {
  try {
    await file?.move()
  } catch (cause) {
    throw toPgBatchError(new CallbackError('deadLetter', cause), 'not-sent', {}, 'write')
  }
}

function openEvolution<Item>(
  { evolve: policy }: WriteOptions<Item>,
  current: CurrentPlan<Item>,
  { pool, signals, limits, beginning, onEvolve }: SideTransactions,
): Evolution<Item> | undefined {
  if (!policy) return undefined
  const context = { ...beginning, pool, signals, limits, lockTimeoutMs: policy.lockTimeoutMs }
  return new Evolution<Item>({
    policy,
    current,
    alter: (table, change) => alter(table, change, context),
    stop: signals.stop,
    onEvolve,
  })
}

/** Returns what limits and proves the transactions of the rows. */
function limitsOfRows<Item>(
  options: WriteOptions<Item>,
  { ticketed, savepoints }: IntrospectedPlan<Item>,
  limits: TransactionOptions,
): TransactionOptions {
  return {
    ...limits,
    endless: options.singleTransaction,
    readCommitted: options.replace !== undefined,
    savepointed: !ticketed && savepoints && hasCallback(options),
  }
}

/** Returns true when a callback runs inside the transactions of the rows. */
function hasCallback<Item>({ inTransaction, onBegin }: WriteOptions<Item>): boolean {
  return (inTransaction ?? onBegin) !== undefined
}

/**
 * Returns true when a batch's items may be needed after they were sent: by a callback, the checkpoint, or a
 * reject.
 */
function needsItems<Item>(options: WriteOptions<Item>): boolean {
  const { rejectLimit, checkpoint, inTransaction, afterCommit, onDiscard, awaitsParents } = options
  return rejectLimit > 0 || [checkpoint, inTransaction, afterCommit, onDiscard, awaitsParents].some(Boolean)
}

/**
 * Returns true when writing a batch twice leaves what writing it once does. A checkpoint skips what is
 * committed already. An upsert repeats its rows, but not what a callback or the table of dead letters stores
 * beside them.
 */
function isIdempotent<Item>(plan: WritePlan<Item>, options: WriteOptions<Item>): boolean {
  const storesMore = hasCallback(options) || options.deadLetterTable !== undefined
  return options.checkpoint !== undefined || (plan.idempotent && !storesMore)
}
