import { Lease } from '../../connection/pool/lease.ts'
import type { AnyRow, QueryPool } from './query-pool.ts'

/**
 * Runs one statement that reads the catalogue, or is about the progress of loads. It waits for no table of
 * the user, which another session may lock for as long as it likes. So a server that is silent is noticed:
 * the statement fails after two minutes with a DeadlineError, and may be run again.
 */
export function queryInTime<Row extends object = AnyRow>(
  pool: QueryPool,
  text: string,
  values?: unknown[],
): Promise<{ rows: Row[]; rowCount: number | null }> {
  return Lease.use(pool, client => client.query(text, values) as Promise<{ rows: Row[]; rowCount: number }>)
}
