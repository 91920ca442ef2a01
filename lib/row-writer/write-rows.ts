import type { PgPoolLike } from '../connection/pg-types.ts'
import type { StopSignals } from '../connection/pool/lease.ts'
import { PgBatchError } from '../errors.ts'
import { publishCommit, publishEvolve, publishReject, publishRetry } from '../writable/diagnostics.ts'
import { commitEvent } from '../writable/settle.ts'
import { toPgBatchError } from '../write/faults/failure.ts'
import { openWriting, type Writing } from '../write/open-writing.ts'
import { OpenOutcomes } from '../write/outcome/open-outcomes.ts'
import type { Batch } from '../write/rows/batch.ts'
import type { RowResult } from '../write/rows/row-results.ts'
import type { Committed } from '../write/transaction/transaction-result.ts'
import { writeBatches } from '../write/write-batches.ts'
import type { WriteOptions } from '../write/write-options.ts'

/** The outcome of each row of a batch, in order: its result, or its error. */
export interface WrittenRows {
  readonly results: readonly (RowResult | PgBatchError)[]
  readonly bytes: number
}

/** Writes batches, each in a transaction of its own, so that a failure is that of one batch alone. */
export class RowsWriter<Row> {
  readonly #options: WriteOptions<Row>
  readonly #pool: PgPoolLike
  readonly #signals: StopSignals
  readonly #openOutcomes = new OpenOutcomes()
  #writing: Promise<Writing<Row>> | undefined
  #batches = 0

  constructor(options: WriteOptions<Row>, pool: PgPoolLike, signals: StopSignals) {
    this.#options = options
    this.#pool = pool
    this.#signals = signals
  }

  /** @throws PgBatchError of all the rows together, with their outcome */
  async write(rows: readonly Row[]): Promise<WrittenRows> {
    const batch: Batch<Row> = { id: ++this.#batches, count: rows.length, items: rows }
    try {
      return await this.#write(batch)
    } catch (thrown) {
      const error = toPgBatchError(thrown, 'unknown', {}, 'write')
      if (mayHaveChanged(error)) this.#introspectAgain()
      throw withoutBatch(error)
    }
  }

  /** Notes that a batch will come in about so many milliseconds. */
  expect(inMs: number): void {
    this.#writing?.then(
      ({ transactions }) => transactions.expect(inMs),
      () => {},
    )
  }

  /** Leaves no transaction open. Call it when every write has settled. */
  async close(): Promise<void> {
    const writing = await this.#writing?.catch(() => undefined)
    await writing?.transactions.close()
  }

  async #write(batch: Batch<Row>): Promise<WrittenRows> {
    const { table } = this.#options
    let written: WrittenRows | undefined
    for await (const progress of writeBatches(batch, async () => undefined, await this.#open())) {
      if (progress.kind === 'retry') {
        const { error, attempt, delayMs } = progress
        publishRetry(table, { error, attempt, delayMs })
      } else if (progress.kind === 'committed') {
        const { committed, attempts } = progress
        publishCommit(table, commitEvent(committed, attempts))
        for (const reject of committed.rejected) publishReject(table, reject)
        written = { results: resultsOf(batch, committed), bytes: committed.bytes }
      }
    }
    return written!
  }

  /** Introspects the table, once unless that fails. */
  #open(): Promise<Writing<Row>> {
    return this.#writing ?? this.#keep(this.#introspect())
  }

  #introspectAgain(): void {
    const before = this.#writing
    if (!before) return
    // `close` waits for the transactions that other lanes have begun, too
    const again = Promise.all([before, this.#introspect()]).then(([{ transactions }, writing]) => ({
      ...writing,
      transactions,
    }))
    this.#keep(again)
  }

  #introspect(): Promise<Writing<Row>> {
    const { table } = this.#options
    return openWriting(this.#options, {
      pool: this.#pool,
      signals: this.#signals,
      openOutcomes: this.#openOutcomes,
      onRetry: retry => publishRetry(table, retry),
      onEvolve: evolve => publishEvolve(table, evolve),
    })
  }

  /** Keeps what is opened for the batches that follow, unless that fails. */
  #keep(opening: Promise<Writing<Row>>): Promise<Writing<Row>> {
    this.#writing = opening
    opening.catch(() => {
      if (this.#writing === opening) this.#writing = undefined
    })
    return opening
  }
}

/** Returns true for an error that a table causes which was dropped, or altered. */
function mayHaveChanged({ code, sqlState }: PgBatchError): boolean {
  return sqlState === '42P01' || code === 'TABLE_CHANGED'
}

function resultsOf<Row>(batch: Batch<Row>, committed: Committed<Row>): (RowResult | PgBatchError)[] {
  const errors = new Map(committed.rejected.map(({ index, error }) => [index, withoutBatch(error)]))
  const { results } = committed
  return batch.items.map((_, index) => errors.get(index) ?? results?.get(batch, index) ?? INSERTED)
}

/** The result of a row where the command tag has counted all of them. */
const INSERTED: RowResult = Object.freeze({ action: 'inserted', row: undefined })

/** Returns the same error without the batch, which the caller of `write` knows nothing of. */
function withoutBatch(error: PgBatchError): PgBatchError {
  const { code, reason, outcome, retryable, callback, sqlState, column, constraint, cause } = error
  const ownReason = code === 'ABORTED' ? 'The writer was destroyed before the row was committed' : reason
  return new PgBatchError(code, ownReason, {
    outcome,
    retryable,
    callback,
    sqlState,
    column,
    constraint,
    cause,
  })
}
