import type { PgPoolLike } from '../../connection/pg-types.ts'
import { Lease, type StopSignals } from '../../connection/pool/lease.ts'
import { connectionSurvives, isServerError } from '../../connection/server-error.ts'
import type { TransactionOptions } from '../../connection/transaction/opening.ts'
import { Transaction } from '../../connection/transaction/transaction.ts'
import { PgBatchError } from '../../errors.ts'
import {
  alterTableSql,
  beginChangeSql,
  changeLeft,
  isEmptyChange,
  lockAndListColumns,
  type TableChange,
} from '../../table/alter-table.ts'
import { quoteTable, type TableParts } from '../../table/identifier.ts'
import { type Beginning, runOnBegin } from '../begin/on-begin.ts'
import { toPgBatchError } from '../faults/failure.ts'
import { isTransient } from '../faults/transient.ts'

/** What a change needs besides the table. */
export interface AlterContext extends Beginning {
  readonly pool: PgPoolLike
  readonly signals: StopSignals
  readonly limits: TransactionOptions
  /** How long this waits for each lock. */
  readonly lockTimeoutMs: number
}

/** What was changed, and by which statement. */
export interface AlteredTable extends TableChange {
  readonly sql: string
}

/**
 * Changes a table in a short transaction of its own. It holds no lock before it waits for that of ALTER
 * TABLE, so that it cannot be part of a deadlock. Resolves to undefined where another writer has changed the
 * table already: then no ALTER TABLE is sent, and no reader waits.
 * @throws PgBatchError, `outcome: 'not-sent'`; it is retryable where a lock did not come in time
 */
export async function alter(
  table: TableParts,
  change: TableChange,
  context: AlterContext,
): Promise<AlteredTable | undefined> {
  const { pool, signals, limits, lockTimeoutMs } = context
  let lease: Lease | undefined
  let transaction: Transaction | undefined
  let sql: string | undefined
  try {
    lease = await Lease.take(pool, signals, limits.statementTimeoutMs)
    // the columns are to be those that the table has after the wait for a lock
    transaction = new Transaction(lease, { ...limits, readCommitted: true })
    await runOnBegin(transaction, context)
    let left = changeLeft(change, await transaction.query(beginChangeSql(table, lockTimeoutMs)))
    if (isEmptyChange(left)) return undefined
    sql = alterTableSql(table, left)
    if (left.widened.length > 0) {
      // a session that does not wait for its turn may have made a column wider than this change would
      left = changeLeft(left, await transaction.query(lockAndListColumns(table)))
      if (isEmptyChange(left)) return undefined
      sql = alterTableSql(table, left)
    }
    await transaction.query(sql)
    signals.stop.throwIfAborted()
    await transaction.commit()
    return { ...left, sql }
  } catch (error) {
    lease?.noteFailure(error)
    if (signals.stop.aborted) throw aborted(signals.stop.reason)
    throw sql !== undefined && isServerError(error) && connectionSurvives(error)
      ? refused(error, table, sql)
      : toPgBatchError(error, 'not-sent', {}, lease ? 'write' : 'connect')
  } finally {
    await transaction?.rollback()
    lease?.release()
  }
}

const INSUFFICIENT_PRIVILEGE = '42501'

function refused(error: { message: string; code: string }, table: TableParts, sql: string): PgBatchError {
  const { message, code } = error
  const name = quoteTable(table)
  const hint = code === INSUFFICIENT_PRIVILEGE ? '; let its owner run it, or leave out `evolve`' : ''
  const reason = `\`evolve\` could not alter ${name}: ${message} (SQLSTATE ${code})${hint}: ${sql}`
  return new PgBatchError('REFUSED', reason, {
    outcome: 'not-sent',
    retryable: isTransient(error),
    sqlState: code,
    cause: error,
  })
}

function aborted(cause: unknown): PgBatchError {
  const reason = 'The stream was destroyed before the table was altered'
  return new PgBatchError('ABORTED', reason, { outcome: 'not-sent', cause })
}
