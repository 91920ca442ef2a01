import type { PgTransactionClient } from '../../connection/pg-transaction-client.ts'
import type { PgClientLike, PgPoolLike } from '../../connection/pg-types.ts'
import { DEFAULT_WAIT_MS, Lease, type StopSignals } from '../../connection/pool/lease.ts'
import { Transaction } from '../../connection/transaction/transaction.ts'
import { CallbackError, toPgBatchError } from '../faults/failure.ts'
import { isTransient } from '../faults/transient.ts'

/** What runs first in each transaction: the option `onBegin`, and how long it may take. */
export interface Beginning {
  readonly onBegin: ((client: PgTransactionClient) => Promise<void> | void) | undefined
  readonly callbackTimeoutMs: number
}

/**
 * Begins a transaction, and runs `onBegin` in it. Does nothing without the option.
 * @throws CallbackError
 */
export async function runOnBegin(
  transaction: Transaction,
  { onBegin, callbackTimeoutMs }: Beginning,
): Promise<void> {
  if (!onBegin) return
  await transaction.begin()
  try {
    await transaction.lend({ option: 'onBegin', timeoutMs: callbackTimeoutMs, use: onBegin })
  } catch (cause) {
    throw new CallbackError('onBegin', cause)
  }
  transaction.proveWithNext()
}

/** A short piece of work beside the transactions of rows. */
export interface SideWork<T> {
  readonly lease: Lease
  /** How long one answer of the server may take. */
  readonly waitMs: number
  /** How the transaction of `onBegin` ends. */
  readonly end: 'commit' | 'rollback'
  readonly work: (client: PgClientLike) => Promise<T>
}

/**
 * Does side work as the rows are written: in a transaction after `onBegin`, and without the option as it is.
 * @throws the error that says what `onBegin` has done to the transaction, where it has made the work fail
 */
export async function afterOnBegin<T>(
  beginning: Beginning | undefined,
  { lease, waitMs, end, work }: SideWork<T>,
): Promise<T> {
  if (!beginning?.onBegin) return lease.within(waitMs, work(lease.client))
  const transaction = new Transaction(lease, {
    statementTimeoutMs: waitMs,
    commitTimeoutMs: waitMs,
    ticketed: false,
  })
  try {
    await runOnBegin(transaction, beginning)
    const result = await lease.within(waitMs, work(lease.client))
    if (end === 'commit') await transaction.commit()
    return result
  } catch (error) {
    throw transaction.explained(error)
  } finally {
    await transaction.rollback()
  }
}

/**
 * Runs `onBegin` and then the work, in one transaction on a client of the pool.
 * @throws what the server throws; a PgBatchError with code CALLBACK_FAILED when `onBegin` fails permanently
 */
export async function useAfterOnBegin<T>(
  pool: PgPoolLike,
  beginning: Beginning | undefined,
  work: (client: PgClientLike) => Promise<T>,
  waitMs: number = DEFAULT_WAIT_MS,
  signals?: StopSignals,
): Promise<T> {
  const done = (_client: PgClientLike, lease: Lease): Promise<T> =>
    afterOnBegin(beginning, { lease, waitMs, end: 'commit', work })
  try {
    return await Lease.use(pool, done, waitMs, signals)
  } catch (error) {
    const shown = transientCause(error)
    throw shown instanceof CallbackError ? toPgBatchError(shown, 'not-sent', {}, 'write') : shown
  }
}

/**
 * Returns the server's or the socket's error where `onBegin` failed for it and another attempt may succeed.
 */
export function transientCause(error: unknown): unknown {
  return error instanceof CallbackError && isTransient(error.cause) ? error.cause : error
}
