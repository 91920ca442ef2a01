import type { PgBatchError } from '../errors.ts'
import { withOutcome } from './faults/failure.ts'
import { pause } from './faults/pause.ts'
import { mayRetry, type RetryPolicy, retryDelayMs } from './faults/retry.ts'
import { isRowsFault, mayHideSqlState } from './faults/transient.ts'
import { type AbandonedTransaction, endAbandoned } from './outcome/end-abandoned.ts'
import { findOutcome } from './outcome/find-outcome.ts'
import type { OpenOutcomes } from './outcome/open-outcomes.ts'
import type { WritePlan } from './plan/plan.ts'
import { hasUnknownKey, prepareBatch } from './prepare/prepare-batch.ts'
import type { Batch } from './rows/batch.ts'
import { RowError, type RowPlace } from './rows/row-sender.ts'
import { type Committed, type IsolateHint, type RunContext, TransactionRun } from './transaction-run.ts'
import type { TransactionSize } from './transaction-size.ts'

/**
 * When a transaction takes no further batches; `rows` counts items without a row, too. Bytes bound what is held for another attempt, and so memory; the time
 * bounds how long a row that has arrived can stay invisible. A commit waits for the disk, some 7 ms: 20,000 rows of 105
 * bytes a transaction reach 0.8 of the rate of 100,000 on one connection.
 */
export const TRANSACTION_BOUNDS = Object.freeze({ rows: 100_000, bytes: 6 * 1024 * 1024, ms: 1000 })

/** What a batch's items take while they are held, as a multiple of their bytes: 500 of heap for a row of 120. */
const ITEMS_PER_BYTES = 4

export interface WriteContext<Item> extends RunContext<Item> {
  /** How many transactions may be under way at once. */
  readonly lanes: number
  readonly retry: RetryPolicy
  readonly openOutcomes: OpenOutcomes
  /** Sending a batch twice leaves what sending it once does, so that an unknown outcome is no obstacle. */
  readonly isIdempotent: (plan: WritePlan<Item>) => boolean
  /** How many batches a transaction takes, by how the last ones went. */
  readonly size: TransactionSize
}

/** Resolves to the next batch, or undefined when none is ready. */
export type NextBatch<Item> = () => Promise<Batch<Item> | undefined>

/** What writing tells as it goes. */
export type Progress<Item> =
  | { readonly kind: 'committed'; readonly committed: Committed<Item>; readonly attempts: number }
  /** A callback has committed the rows behind the stream's back; the stream's failure comes next. */
  | { readonly kind: 'committed-early'; readonly committed: Committed<Item> }
  | {
      readonly kind: 'retry'
      readonly error: PgBatchError
      readonly attempt: number
      readonly delayMs: number
    }

/** A transaction that failed, with what is needed to go on from there. */
interface Failure<Item> {
  readonly run: TransactionRun<Item>
  /** All that it was to write: what it had added, and what it had not come to. */
  readonly batches: readonly Batch<Item>[]
  /** Batches that come after them, which an earlier, larger attempt had taken. */
  readonly rest: readonly Batch<Item>[]
  readonly error: PgBatchError
  /** Some row is to blame, so that the others can be told from it. */
  readonly rowsFault: boolean
  /** The row that is, where it is known. */
  readonly place: RowPlace | undefined
}

/** Adds batches to a transaction, and, where it may take them, further ones. */
type Write<Item> = (
  run: TransactionRun<Item>,
  batches: readonly Batch<Item>[],
  takesMore: boolean,
) => Promise<void>

/**
 * Writes `first`, and the batches that `next` has ready, in as few transactions as they need, and yields what each
 * of them committed.
 *
 *     transient failure                   → the same batches again, after a pause, in smaller transactions
 *     its outcome open                    → asked for first: committed, or again
 *     permanent, several batches          → each of them alone, so that each is committed or not by its own merits
 *     permanent, one batch, a row's fault → its bad rows are rejected, as far as the budget goes
 *     permanent otherwise                 → thrown
 *
 * @throws PgBatchError of the first batch that could not be written; later ones are not written then
 */
export async function* writeBatches<Item>(
  first: Batch<Item>,
  next: NextBatch<Item>,
  context: WriteContext<Item>,
): AsyncGenerator<Progress<Item>, void> {
  for (let waiting: readonly Batch<Item>[] = [first]; waiting.length > 0; ) {
    const left: Batch<Item>[] = []
    const failure: Failure<Item> | undefined = yield* attempt(waiting, fillFrom(next, left, context), context)
    if (failure?.batches.length === 1) yield* writeIsolated(failure.batches[0]!, failure, context)
    else if (failure) yield* writeOneByOne(failure, context)
    waiting = [...(failure?.rest ?? []), ...left]
  }
}

/** Writes each batch of a failed transaction by itself. */
async function* writeOneByOne<Item>(
  { batches, error }: Failure<Item>,
  context: WriteContext<Item>,
): AsyncGenerator<Progress<Item>, void> {
  if (isFinal(error)) throw error
  for (const batch of batches) {
    const alone = yield* attempt([batch], addAll, context)
    if (alone) yield* writeIsolated(batch, alone, context)
  }
}

/**
 * Another attempt, alone or row by row, would meet the same: no connection, an open outcome, a server that has forgotten
 * commits, a stream that is over.
 */
function isFinal({ retryable, outcome, code }: PgBatchError): boolean {
  return (
    retryable ||
    outcome === 'unknown' ||
    outcome === 'committed' ||
    code === 'ABORTED' ||
    code === 'OFFSET_REPEATED' ||
    code === 'CHECKPOINT_REGRESSED' ||
    code === 'CONNECTION'
  )
}

async function addAll<Item>(run: TransactionRun<Item>, batches: readonly Batch<Item>[]): Promise<void> {
  for (const batch of batches) await run.add(batch)
}

/**
 * Adds further batches while they are ready and there is room.
 * @param left receives a batch for which the table may have to be looked at again, by the next transaction
 */
function fillFrom<Item>(
  next: NextBatch<Item>,
  left: Batch<Item>[],
  context: WriteContext<Item>,
): Write<Item> {
  return async (run, batches, takesMore) => {
    await addAll(run, batches)
    while (takesMore && left.length === 0 && !isFull(run, context)) {
      const batch = await next()
      if (!batch) return
      if (run.suits(batch)) await run.add(batch)
      else left.push(batch)
    }
  }
}

function isFull<Item>(run: TransactionRun<Item>, context: WriteContext<Item>): boolean {
  const { lanes, bytesSuffice, size } = context
  const { plan } = run
  if (run.batches.length >= size.limit) return true
  const { rows, bytes, ms } = TRANSACTION_BOUNDS
  const onlyBytes = bytesSuffice && run.method === 'copy' && !plan.conflict && !plan.isCitus
  const held = run.bytes * (onlyBytes ? 1 : ITEMS_PER_BYTES)
  // a COPY that stays open is one statement: what is left of its time is for the merge
  const openMs = Math.min(ms, run.timeoutMs / 2)
  if (run.items >= rows || held >= bytes || run.ageMs >= openMs || !plan.mayGroup) return true
  // locks of one statement are taken in the order of keys, those of several are not: other lanes may deadlock
  return lanes > 1 && plan.conflict !== undefined && run.method === 'insert'
}

/** Rejects a batch's bad rows, where they are to blame and may be rejected. */
async function* writeIsolated<Item>(
  batch: Batch<Item>,
  failure: Failure<Item>,
  context: WriteContext<Item>,
): AsyncGenerator<Progress<Item>, void> {
  let last = failure
  // what is checked at the end of the transaction is not isolated by the first round
  // a COPY into Citus hides which constraint was broken, and the line that it names may be another row's
  const byInsert = failure.run.plan.isCitus
  for (const immediate of [false, true]) {
    if (context.budget.left === 0 || !last.rowsFault) throw last.error
    const hint: IsolateHint = { error: last.error, place: last.place, immediate }
    const isolated = yield* attempt([batch], run => run.addIsolated(batch, hint), context, byInsert)
    if (!isolated) return
    last = isolated
  }
  throw last.error
}

/**
 * Runs transactions until all of the batches are committed, or an error is final: returns that failure. Another attempt
 * is at the same batches only, and each commit gives all attempts back.
 */
async function* attempt<Item>(
  first: readonly Batch<Item>[],
  write: Write<Item>,
  context: WriteContext<Item>,
  byInsertAtFirst = false,
): AsyncGenerator<Progress<Item>, Failure<Item> | undefined> {
  const { retry, signals, isIdempotent, size } = context
  let waiting = first
  let failedAt: number | undefined
  let abandoned: AbandonedTransaction | undefined
  /** An attempt was made again without anyone knowing how the one before it had ended. */
  let earlierUnknown = false
  let doubted = false
  let byInsert = byInsertAtFirst
  for (let attempts = 1; ; attempts++) {
    const batches = waiting.slice(0, size.limit)
    const rest = waiting.slice(batches.length)
    const run = new TransactionRun(context, batches, byInsert)
    const takesMore = attempts === 1 && rest.length === 0
    const failure = await transact(run, { batches, rest, takesMore }, write, context)
    const resolved = failure && (await findOutcome(failure.error, run, context))
    if (failure?.error.outcome === 'committed') {
      yield { kind: 'committed-early', committed: run.result }
      return failure
    }
    if (!failure || resolved!.outcome === 'committed') {
      run.noteCommitted()
      size.committed(run.batches.length)
      yield { kind: 'committed', committed: run.result, attempts }
      if (rest.length === 0) return undefined
      waiting = rest
      attempts = 0
      failedAt = undefined
      continue
    }
    run.releaseBudget()
    waiting = [...failure.batches, ...rest]
    failedAt ??= performance.now()
    const { outcome, stillOpen = false } = resolved!
    // a later attempt that has found its checkpoint knows that the earlier one is rolled back
    const open =
      earlierUnknown && failure.run.reached.size === 0 && failure.error.code !== 'CHECKPOINT_REGRESSED'
    const error = withOutcome(failure.error, open ? 'unknown' : outcome)
    earlierUnknown = error.outcome === 'unknown'
    if (!byInsert && hidesSqlState({ ...failure, error })) {
      byInsert = true
      continue
    }
    if (!doubted && !isFinal(error) && (await hasNewPlan({ ...failure, error }, context))) {
      doubted = true
      continue
    }
    const final = !error.retryable || stillOpen || (outcome === 'unknown' && !isIdempotent(run.plan))
    if (final || !mayRetry(retry, error, attempts, performance.now() - failedAt)) {
      // what a callback has left running would hold its locks until its statement_timeout
      if (error.code === 'CALLBACK_FAILED' && run.abandoned) await endAbandoned(run.abandoned, context)
      return { ...failure, error }
    }
    if (error.outcome !== 'not-sent') size.failed(run.batches.length)
    const delayMs = retryDelayMs(retry, attempts, Math.random())
    yield { kind: 'retry', error, attempt: attempts, delayMs }
    await pause(delayMs, signals.stop, error)
    abandoned = failure.run.abandoned ?? abandoned
    if (abandoned && (await endAbandoned(abandoned, context))) abandoned = undefined
  }
}

/** Returns true when a COPY has failed in a way that INSERTs of the same rows explain, see `mayHideSqlState`. */
function hidesSqlState<Item>({ run, error }: Failure<Item>): boolean {
  return run.plan.isCitus && run.method === 'copy' && !isFinal(error) && mayHideSqlState(error.cause)
}

/**
 * Returns true when the table has another definition than the one that the failed rows were made for: they are tried
 * again by the new one.
 * @throws the failure's error where all rows of a batch bring a column that was dropped: that is no fault of theirs
 */
async function hasNewPlan<Item>(
  { run, batches, error, rowsFault }: Failure<Item>,
  { current, budget, signals }: WriteContext<Item>,
): Promise<boolean> {
  if (error.code !== 'TABLE_CHANGED' && error.code !== 'REFUSED') return false
  const urgent = !rowsFault || budget.left === 0
  const withRows = batches.filter(({ prepared }) => prepared && prepared.groups.length > 0)
  // what the failure says is of more use than that the catalogue could not be asked
  const isReplaced = await current.replaces(run.plan, { urgent, stop: signals.stop }).catch(() => false)
  // thrown, since each batch alone would be made by the new plan, which rejects all of its rows
  if (isReplaced && withRows.some(batch => losesAllRows(batch, current.plan))) throw error
  return isReplaced
}

function losesAllRows<Item>(batch: Batch<Item>, plan: WritePlan<Item>): boolean {
  const prepared = prepareBatch(batch, plan)
  return prepared.groups.length === 0 && hasUnknownKey(prepared, plan)
}

/** Runs one transaction to its end; resolves to what made it fail, if something has. */
async function transact<Item>(
  run: TransactionRun<Item>,
  { batches, rest, takesMore }: Pick<Failure<Item>, 'batches' | 'rest'> & { takesMore: boolean },
  write: Write<Item>,
  { openOutcomes }: WriteContext<Item>,
): Promise<Failure<Item> | undefined> {
  await openOutcomes.none()
  try {
    await write(run, batches, takesMore)
    await run.commit()
    return undefined
  } catch (thrown) {
    const place = run.locate(thrown)
    await run.rollback()
    const rowsFault = isRowsFault(thrown) || thrown instanceof RowError
    // a run that fails early has added only the first of what an earlier attempt had
    const all = run.batches.length > batches.length ? run.batches : batches
    return { run, batches: all, rest, error: run.explain(thrown, place), rowsFault, place }
  } finally {
    run.release()
  }
}
