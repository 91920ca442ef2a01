import type { PgBatchError } from '../errors.ts'
import type { Batch } from './batch.ts'
import { type Committed, type RunContext, TransactionRun } from './transaction-run.ts'

/**
 * When a transaction takes no further batches. Rows and bytes bound what is held for a rollback, and so memory; the
 * time bounds how long a row that has arrived can stay invisible. All lanes of a stream share rows and bytes.
 */
export const TRANSACTION_BOUNDS = Object.freeze({ rows: 100_000, bytes: 16 * 1024 * 1024, ms: 1000 })

/** Why a transaction failed, and whose rows it held. */
export class TransactionFailure<Item> extends Error {
  override readonly name = 'TransactionFailure'
  readonly batches: readonly Batch<Item>[]
  override readonly cause: PgBatchError

  constructor(batches: readonly Batch<Item>[], cause: PgBatchError) {
    super(cause.message)
    this.batches = batches
    this.cause = cause
  }
}

export interface TransactionWriterOptions<Item> extends RunContext<Item> {
  /** How many lanes share the bounds. */
  readonly lanes: number
}

/** Resolves to the next batch, or undefined when none is ready. */
export type NextBatch<Item> = () => Promise<Batch<Item> | undefined>

/**
 * Writes `first`, and the batches that `next` has ready, in as few transactions as they need, and yields what each
 * of them committed. That batches share a transaction shows in its speed alone: when one fails, those that were
 * with it are written again, one by one, so that each is committed or not by its own merits.
 * @throws PgBatchError of the first batch that failed; later ones are not written then
 */
export async function* writeBatches<Item>(
  first: Batch<Item>,
  next: NextBatch<Item>,
  options: TransactionWriterOptions<Item>,
): AsyncGenerator<Committed<Item>, void> {
  let failure: TransactionFailure<Item>
  try {
    yield await writeTransaction(first, next, options)
    return
  } catch (error) {
    if (!(error instanceof TransactionFailure)) throw error
    failure = error as TransactionFailure<Item>
  }
  if (failure.batches.length === 1 || !mayTryAlone(failure.cause)) throw failure.cause
  for (const batch of failure.batches) {
    try {
      yield await writeTransaction(batch, async () => undefined, options)
    } catch (error) {
      throw error instanceof TransactionFailure ? error.cause : error
    }
  }
}

function mayTryAlone({ outcome, code }: PgBatchError): boolean {
  return outcome !== 'unknown' && outcome !== 'committed' && code !== 'ABORTED' && code !== 'CONNECTION'
}

async function writeTransaction<Item>(
  first: Batch<Item>,
  next: NextBatch<Item>,
  options: TransactionWriterOptions<Item>,
): Promise<Committed<Item>> {
  const run = new TransactionRun(options)
  try {
    for (let batch: Batch<Item> | undefined = first; batch; ) {
      await run.add(batch)
      batch = isFull(run, options) ? undefined : await next()
    }
    return await run.commit()
  } catch (error) {
    await run.rollback()
    throw new TransactionFailure(run.batches, run.explain(error))
  } finally {
    run.release()
  }
}

function isFull<Item>(run: TransactionRun<Item>, { lanes, plan }: TransactionWriterOptions<Item>): boolean {
  const { rows, bytes, ms } = TRANSACTION_BOUNDS
  return run.rows >= rows / lanes || run.bytes >= bytes / lanes || run.ageMs >= ms || !plan.mayGroup
}
