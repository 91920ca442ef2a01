import { Lease } from '../../connection/pool/lease.ts'
import type { QueryPool } from './query-pool.ts'

/**
 * Runs one statement that reads the catalogue, or is about the progress of loads. It waits for no table of
 * the user, which another session may lock for as long as it likes. So a server that is silent is noticed:
 * the statement fails after two minutes with a DeadlineError, and may be run again.
 */
// biome-ignore lint/suspicious/noExplicitAny: as pg types it; the caller knows the columns
export function queryInTime<Row extends object = any>(
  pool: QueryPool,
  text: string,
  values?: unknown[],
): Promise<{ rows: Row[]; rowCount: number | null }> {
  return Lease.use(pool, client => client.query(text, values) as Promise<{ rows: Row[]; rowCount: number }>)
}
