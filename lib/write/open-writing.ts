import type { PgTransactionClient } from '../connection/pg-transaction-client.ts'
import type { PgPoolLike } from '../connection/pg-types.ts'
import type { StopSignals } from '../connection/pool/lease.ts'
import { SlabPool } from '../encode/wire/slabs.ts'
import type { PgBatchError } from '../errors.ts'
import { createCheckpointTable } from '../table/checkpoint-sql.ts'
import { addFileColumns, createDeadLetterTable, FILE_COLUMNS } from '../table/dead-letter-sql.ts'
import type { Table } from '../types.ts'
import type { Beginning } from './begin/on-begin.ts'
import type { CheckpointPlan } from './checkpoint/checkpoint.ts'
import type { Position } from './checkpoint/position.ts'
import { type AlteredTable, alter } from './evolve/alter.ts'
import { Evolution } from './evolve/evolution.ts'
import { CallbackError, toPgBatchError } from './faults/failure.ts'
import { pause } from './faults/pause.ts'
import { mayRetry, type RetryPolicy, retryDelayMs } from './faults/retry.ts'
import { isNameFailure } from './faults/transient.ts'
import { OpenOutcomes } from './outcome/open-outcomes.ts'
import { CurrentPlan } from './plan/current-plan.ts'
import {
  type IntrospectedPlan,
  type IntrospectOptions,
  introspectPlan,
  type SideTable,
} from './plan/introspect-plan.ts'
import type { WriteRequest } from './plan/write-request.ts'
import type { DeadLetterTable } from './rejects/dead-letter.ts'
import { DeadLetterFile } from './rejects/dead-letter-file.ts'
import { RejectBudget } from './rejects/reject-budget.ts'
import type { SettledItems } from './transaction/settled-items.ts'
import { TransactionPool } from './transaction/transaction-pool.ts'
import { TransactionSize } from './transaction/transaction-size.ts'
import type { BeforeCommit, WriteContext } from './write-context.ts'

/** What a stream's options say about writing. */
export interface WriteOptions<Item> extends WriteRequest<Item> {
  readonly statementTimeoutMs: number
  readonly commitTimeoutMs: number
  readonly retry: RetryPolicy
  readonly rejectLimit: number
  /** Counts the rejected rows of several streams, which share the limit. */
  readonly rejectCounter?: Int32Array | undefined
  readonly deadLetterTable: DeadLetterTable | undefined
  readonly rejectedItem: ((item: Item) => unknown) | undefined
  readonly checkpoint: CheckpointPlan<Item> | undefined
  readonly position: ((item: Item) => Position) | undefined
  readonly awaitsParents: (() => boolean) | undefined
  readonly concurrency: number
  /** Everything up to the end is one transaction. */
  readonly singleTransaction: boolean
  readonly beforeCommit?: BeforeCommit | undefined
  /** That transaction is rolled back where it would commit. */
  readonly rollsBack: boolean
  readonly replace?: { readonly minRows: number } | undefined
  readonly callbackTimeoutMs: number
  readonly described: Table | undefined
  readonly onBegin: Beginning['onBegin']
  readonly afterCommit:
    | ((batch: readonly Item[], settled: SettledItems<Item>) => Promise<void> | void)
    | undefined
  readonly onDiscard: ((items: Item[]) => void) | undefined
  readonly inTransaction:
    | ((client: PgTransactionClient, batch: readonly Item[]) => Promise<void> | void)
    | undefined
}

/** What a stream brings besides its options. */
export interface WritingStream {
  readonly pool: PgPoolLike
  readonly signals: StopSignals
  readonly onRetry: (retry: { error: PgBatchError; attempt: number; delayMs: number }) => void
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
  const { statementTimeoutMs, commitTimeoutMs, retry, checkpoint, deadLetterTable, inTransaction } = options
  const { onBegin, callbackTimeoutMs } = options
  const { pool, signals } = stream
  const sideTables = [
    ...(checkpoint ? [{ table: checkpoint.table, create: createCheckpointTable(checkpoint.table) }] : []),
    ...(deadLetterTable ? [sideTable(deadLetterTable)] : []),
  ]
  const beginning = { onBegin, callbackTimeoutMs }
  const asking = { pool, signals, sideTables, beginning, waitMs: statementTimeoutMs }
  const introspected = await introspectWithRetries(
    options,
    { ...asking, described: options.described },
    stream,
  )
  const { ticketed, savepoints } = introspected
  const current = new CurrentPlan(introspected, () => introspectPlan(options, { ...asking, sideTables: [] }))
  const { singleTransaction: endless } = options
  const limits = { statementTimeoutMs, commitTimeoutMs, ticketed, savepointed: false }
  const { evolve: policy } = options
  const evolution =
    policy &&
    new Evolution<Item>({
      policy,
      current,
      alter: (table, change) =>
        alter(table, change, { pool, signals, limits, ...beginning, lockTimeoutMs: policy.lockTimeoutMs }),
      stop: signals.stop,
      onEvolve: stream.onEvolve,
    })
  const deadLetterFile =
    deadLetterTable?.file === undefined
      ? undefined
      : new DeadLetterFile({
          ...stream,
          limits,
          retry,
          beginning,
          table: deadLetterTable.table,
          path: deadLetterTable.file,
        })
  await moveLeftoverRejects(deadLetterFile)
  const hasCallback = (inTransaction ?? onBegin) !== undefined
  const transactionLimits = {
    ...limits,
    endless,
    readCommitted: options.replace !== undefined,
    savepointed: !ticketed && savepoints && hasCallback,
  }
  const openOutcomes = new OpenOutcomes()
  return {
    pool,
    current,
    evolution,
    limits: transactionLimits,
    checkpoint,
    position: options.position,
    awaitsParents: options.awaitsParents,
    deadLetterTable,
    deadLetterFile,
    rejectedItem: options.rejectedItem,
    budget: new RejectBudget(options.rejectLimit, options.rejectCounter),
    inTransaction,
    onBegin,
    rollsBack: options.rollsBack,
    callbackTimeoutMs,
    notesItems: inTransaction !== undefined || options.afterCommit !== undefined,
    canReleaseItems: !options.singleTransaction && !needsItems(options),
    beforeCommit: options.beforeCommit,
    replace: options.replace,
    keepsItems: options.onDiscard !== undefined,
    slabs: new SlabPool(),
    transactions: new TransactionPool({
      pool,
      signals,
      limits: transactionLimits,
      openOutcomes,
      beginsEarly: !endless && !hasCallback && !checkpoint,
    }),
    signals,
    lanes: options.concurrency,
    retry,
    openOutcomes,
    size: new TransactionSize(),
    // a checkpoint skips what is committed already; an upsert repeats its rows, but not what a callback or
    // the table of dead letters stores beside them
    isIdempotent: plan =>
      checkpoint !== undefined || (plan.idempotent && !inTransaction && !onBegin && !deadLetterTable),
  }
}

function sideTable({ table, file }: DeadLetterTable): SideTable {
  const create = createDeadLetterTable(table)
  if (file === undefined) return { table, create }
  return { table, create, lacking: { columns: FILE_COLUMNS, add: addFileColumns(table) } }
}

/** Moves the rejected rows that a killed process has left in the table, before anything is written. */
async function moveLeftoverRejects(file: DeadLetterFile | undefined): Promise<void> {
  try {
    await file?.move()
  } catch (cause) {
    throw toPgBatchError(new CallbackError('deadLetter', cause), 'not-sent', {}, 'write')
  }
}

/**
 * Returns true when a batch's items may be needed after they were sent: by a callback, the checkpoint, or a
 * reject.
 */
function needsItems<Item>(options: WriteOptions<Item>): boolean {
  const { rejectLimit, checkpoint, inTransaction, afterCommit, onDiscard, awaitsParents } = options
  return rejectLimit > 0 || [checkpoint, inTransaction, afterCommit, onDiscard, awaitsParents].some(Boolean)
}

/** How long a host name that has never resolved is tried again: it is probably mistyped. */
const UNKNOWN_NAME_MS = 5000

async function introspectWithRetries<Item>(
  options: WriteOptions<Item>,
  asking: IntrospectOptions,
  { onRetry }: WritingStream,
): Promise<IntrospectedPlan<Item>> {
  const started = performance.now()
  let resolved = false
  for (let attempt = 1; ; attempt++) {
    try {
      return await introspectPlan(options, asking)
    } catch (thrown) {
      const error = thrown as PgBatchError
      const elapsedMs = performance.now() - started
      resolved ||= !isNameFailure(error.cause)
      const leftMs = resolved ? Number.POSITIVE_INFINITY : UNKNOWN_NAME_MS - elapsedMs
      if (!error.retryable || leftMs <= 0 || !mayRetry(options.retry, error, attempt, elapsedMs)) throw error
      const delayMs = Math.min(leftMs, retryDelayMs(options.retry, attempt, Math.random()))
      onRetry({ error, attempt, delayMs })
      await pause(delayMs, asking.signals.stop, error)
    }
  }
}
