import { tracingChannel } from 'node:diagnostics_channel'
import type { PgBatchError } from '../../errors.ts'
import type { TableParts } from '../../table/identifier.ts'
import type { Outcome } from '../../types.ts'
import type { Batch } from '../rows/batch.ts'
import type { Committed, FailedTransaction } from './transaction-result.ts'

/**
 * The message of the tracing channel `pg-batch-streams:transaction`: one attempt to write a transaction. All
 * five events of an attempt get the same object, which is filled in when the attempt has ended.
 */
export interface TransactionMessage {
  readonly table: TableParts
  /** The number of the attempt, from 1. */
  readonly attempt: number
  /** Items of its batches: at `start` those that it begins with, at `asyncEnd` all that it has reached. */
  rows: number
  /** The command by which rows travelled; undefined before the end. */
  method: 'copy' | 'insert' | undefined
  /** The outcome of the rows; undefined before the end. */
  outcome: Outcome | undefined
  /** Why the attempt has failed; another one may follow. */
  error?: PgBatchError | Error
}

/**
 * Publishes each transaction of every stream in the process, for tracing code that does not create the
 * streams.
 * @see https://nodejs.org/api/diagnostics_channel.html#class-tracingchannel
 */
const channel = tracingChannel<unknown, TransactionMessage>('pg-batch-streams:transaction')

/** A transaction that failed, and the outcome of its rows. */
type Failed<Item> = FailedTransaction<Item> & { readonly outcome: Outcome }

/** Runs one attempt, and publishes it where something listens. */
export async function traceTransaction<Item, Failure extends Failed<Item>>(
  { table, attempt, batches }: { table: TableParts; attempt: number; batches: readonly Batch<Item>[] },
  run: () => Promise<Committed<Item> | Failure>,
): Promise<Committed<Item> | Failure> {
  if (!channel.hasSubscribers) return run()
  const message: TransactionMessage = {
    table,
    attempt,
    rows: countItems(batches),
    method: undefined,
    outcome: undefined,
  }
  let result: Committed<Item> | Failure | undefined
  const traced = async (): Promise<void> => {
    result = await run()
    note(message, result)
    if ('error' in result) throw result.error // for the channel's `error`
  }
  try {
    await channel.tracePromise(traced, message)
  } catch (error) {
    if (!result) throw error
  }
  return result!
}

function note<Item>(message: TransactionMessage, result: Committed<Item> | Failed<Item>): void {
  const isFailure = 'error' in result
  const batches = isFailure ? result.batches.slice(0, result.reachedBatches) : result.batches
  message.rows = countItems(batches)
  message.method = result.method
  message.outcome = isFailure ? result.outcome : 'committed'
}

function countItems(batches: readonly Batch<unknown>[]): number {
  return batches.reduce((total, { count }) => total + count, 0)
}
