import type { PgBatchError } from '../../errors.ts'
import type { AddedColumn } from '../../table/alter-table.ts'
import type { Table } from '../../types.ts'
import { type AlteredTable, alter } from '../../write/evolve/alter.ts'
import { dataError, interruptedError } from '../exit-error.ts'
import { interruptedLine } from '../terminal/messages.ts'
import type { Database } from './database.ts'

/** How long one attempt waits for the table, while other sessions wait after it. */
export const LOCK_TIMEOUT_MS = 2000

const WAIT_MS = 120_000

/**
 * Adds columns to a table, except those that another writer has added. Fails if it does not get the lock
 * within LOCK_TIMEOUT_MS, and may be called again.
 * @throws ExitError
 */
export async function addColumns(
  { pool }: Database,
  table: Table,
  added: readonly AddedColumn[],
  signal: AbortSignal,
): Promise<AlteredTable | undefined> {
  const context = {
    pool,
    signals: { stop: signal, kill: signal },
    limits: { statementTimeoutMs: WAIT_MS, commitTimeoutMs: WAIT_MS, ticketed: false },
    onBegin: undefined,
    callbackTimeoutMs: WAIT_MS,
    lockTimeoutMs: LOCK_TIMEOUT_MS,
  }
  try {
    return await alter(table, { added, widened: [] }, context)
  } catch (error) {
    if (signal.aborted) throw interruptedError(interruptedLine(table.name))
    throw refusal(error as PgBatchError, table)
  }
}

function refusal(error: PgBatchError, { name }: Table) {
  return dataError(`${name}: ${error.reason.replaceAll('`evolve`', '--evolve')}`, error)
}
