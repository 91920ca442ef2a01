import { Lease, type StopSignals } from '../connection/lease.ts'
import type { PgPoolLike } from '../connection/pg-types.ts'
import { connectionSurvives, isServerError } from '../connection/server-error.ts'
import { PgBatchError } from '../errors.ts'
import { quoteTable } from '../table/identifier.ts'
import { INTROSPECTION_SQL, introspectionValues, readTable } from '../table/introspect.ts'
import type { Table } from '../types.ts'
import { toPgBatchError } from './failure.ts'
import { makePlan, type WritePlan, type WriteRequest } from './plan.ts'

/**
 * Asks the catalogue for the table and makes the plan of every batch to come.
 * @throws PgBatchError, `outcome: 'not-sent'`: no connection, no such table, columns or keys that it does not have
 */
export async function learnPlan<Item>(
  request: WriteRequest<Item>,
  pool: PgPoolLike,
  signals: StopSignals,
): Promise<WritePlan<Item>> {
  let lease: Lease | undefined
  try {
    lease = await Lease.take(pool, signals)
    return makePlan(request, await learnTable(lease, request))
  } catch (error) {
    if (lease && !(error instanceof PgBatchError) && !connectionSurvives(error))
      lease.broken ??= error as Error
    if (signals.stop.aborted) {
      throw new PgBatchError('ABORTED', 'The stream was destroyed before anything was sent', {
        outcome: 'not-sent',
        cause: signals.stop.reason,
      })
    }
    throw toPgBatchError(error, 'not-sent', {}, lease ? 'write' : 'connect')
  } finally {
    lease?.release()
  }
}

async function learnTable<Item>(lease: Lease, request: WriteRequest<Item>): Promise<Table | undefined> {
  const { table, method, columns } = request
  try {
    const { rows } = await lease.client.query(INTROSPECTION_SQL, introspectionValues(table))
    if (rows[0]) return readTable(rows[0])
  } catch (error) {
    // pg-mem has no catalogue and says so in words of its own; INSERT into named columns can do without
    if (method === 'insert' && columns && !isServerError(error) && !lease.broken) return undefined
    throw error
  }
  throw new PgBatchError(
    'TABLE_NOT_FOUND',
    `Table ${quoteTable(table)} does not exist, or is no table to this role`,
    {
      outcome: 'not-sent',
    },
  )
}
