import { createHash } from 'node:crypto'
import type { PgPoolLike } from '../../connection/pg-types.ts'
import { Lease, type StopSignals } from '../../connection/pool/lease.ts'
import { withinCallbackTime } from '../../connection/transaction/callbacks/callback-limits.ts'
import type { TransactionOptions } from '../../connection/transaction/opening.ts'
import { Transaction } from '../../connection/transaction/transaction.ts'
import { LOCK_FILE, removeLetters, takeLetters } from '../../table/dead-letter-sql.ts'
import type { TableParts } from '../../table/identifier.ts'
import { type Beginning, runOnBegin } from '../begin/on-begin.ts'
import { CallbackError, toPgBatchError } from '../faults/failure.ts'
import { pause } from '../faults/pause.ts'
import { mayRetry, type Retry, type RetryPolicy, retryDelayMs } from '../faults/retry.ts'
import { isTransient } from '../faults/transient.ts'
import { DurableLines, type IdentifiedLine } from './durable-lines.ts'

/** How many rows are moved in one transaction, which holds them in memory. */
const ROWS_AT_ONCE = 1000

export interface DeadLetterFileOptions {
  readonly pool: PgPoolLike
  readonly signals: StopSignals
  readonly limits: TransactionOptions
  readonly table: TableParts
  /** Absolute, because stored rows refer to it across processes. */
  readonly path: string
  readonly retry: RetryPolicy
  /**
   * `callbackTimeoutMs` also limits one write to the file: a pipe that is not read, or a network drive, may
   * never finish.
   */
  readonly beginning: Beginning
  readonly onRetry: (retry: Retry) => void
}

/**
 * Moves rejected rows from their table to a file. Each row is in at least one of them at any moment, even
 * when the process is killed:
 *
 *     rows' transaction   rejected rows are stored in the table, each with an id and the file's name
 *     move()              BEGIN; lock; DELETE … RETURNING; append to the file and sync; COMMIT
 *
 * Killed before the append, the row is still in the table. Killed between the append and COMMIT, it is in
 * both with one id, and the next `move` that appends removes it from the table without writing it again.
 */
export class DeadLetterFile {
  readonly #options: DeadLetterFileOptions
  readonly #lines: DurableLines
  #last: Promise<unknown> = Promise.resolve()

  constructor(options: DeadLetterFileOptions) {
    this.#options = options
    this.#lines = new DurableLines(options.path)
  }

  /** Resolves when every row that waits for the file is in it. Retries transient failures of the server. */
  move(): Promise<void> {
    const moved = this.#last.then(() => this.#moveAll())
    this.#last = moved.catch(() => {}) // the caller gets the error from `moved`
    return moved
  }

  async #moveAll(): Promise<void> {
    const { retry, onRetry, signals } = this.#options
    const started = performance.now()
    for (let attempt = 1; ; attempt++) {
      try {
        while (await this.#moveSome());
        return
      } catch (thrown) {
        if (!isTransient(thrown instanceof CallbackError ? thrown.cause : thrown)) throw thrown
        const error = toPgBatchError(thrown, 'rolled-back', {}, 'write')
        if (!mayRetry(retry, error, attempt, performance.now() - started)) throw error
        const delayMs = retryDelayMs(retry, attempt, Math.random())
        onRetry({ error, attempt, delayMs })
        await pause(delayMs, signals.stop, error)
      }
    }
  }

  /** Returns true when there may be more rows to move. */
  async #moveSome(): Promise<boolean> {
    const { pool, signals, limits, table, path, beginning } = this.#options
    const lease = await Lease.take(pool, signals, limits.statementTimeoutMs)
    // what others have moved before the lock was theirs no longer has to be seen
    const transaction = new Transaction(lease, { ...limits, readCommitted: true })
    try {
      await runOnBegin(transaction, beginning)
      await transaction.query(LOCK_FILE, [lockKey(path)])
      const { rows } = await transaction.query(takeLetters(table), [path, ROWS_AT_ONCE])
      if (rows.length > 0) {
        const lines = rows.map(toLetter).sort(byId).map(toLine)
        await withinCallbackTime('deadLetter', beginning.callbackTimeoutMs, () =>
          this.#lines.append(lines, {
            remove: ids => transaction.query(removeLetters(table), [path, ids]),
            check: () => checkLock(transaction),
          }),
        )
      }
      await transaction.commit()
      this.#lines.settle()
      return rows.length === ROWS_AT_ONCE
    } catch (error) {
      await transaction.rollback()
      throw error
    } finally {
      lease.release()
    }
  }
}

/** @throws if the server may have given the lock to another writer of the file */
function checkLock({ lease, state }: Transaction): void {
  if (lease.broken) throw lease.broken
  if (state !== 'open') throw new Error('The transaction that had locked the file has ended')
}

type Letter = Readonly<Record<string, string | null>>

function toLetter(row: Record<string, unknown>): Letter {
  return row as Letter
}

function byId(a: Letter, b: Letter): number {
  return Number(BigInt(a.id!) - BigInt(b.id!))
}

function toLine({ id: _, letter_id: id, batch_id, row_index, row, ...known }: Letter): IdentifiedLine {
  const letter = {
    id,
    batch_id: Number(batch_id),
    row_index: Number(row_index),
    ...known,
    row: JSON.parse(row!),
  }
  return { id: id!, text: JSON.stringify(letter) }
}

/** Returns the key of the advisory lock that every process takes that moves rows to this file. */
function lockKey(path: string): string {
  return String(createHash('sha256').update(`pg-batch-streams\0${path}`).digest().readBigInt64BE())
}
