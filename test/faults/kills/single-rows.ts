import pg from 'pg'
import type { PgPoolLike } from '../../../lib/index.ts'
import { FaultProxy } from '../../support/network/proxy.ts'
import { SINGLE_ROWS_WAYS, writeSingleRows } from '../../support/single-rows.ts'
import type { Line } from '../run/report.ts'
import { type FaultServer, LOADER } from '../servers/server.ts'

const CALLERS = 1000

export const SINGLE_ROWS = 'single rows'

/**
 * A thousand callers who each await single rows of a `PgRowWriter`, one of a hundred of them bad, in each way
 * of writing.
 * @param faults of each way
 */
export async function singleRowsUnderFaults(
  server: FaultServer,
  { faults, seed }: { readonly faults: number; readonly seed: number },
): Promise<Omit<Line, 'cases'>[]> {
  const lines: Omit<Line, 'cases'>[] = []
  for (const [index, way] of SINGLE_ROWS_WAYS.entries()) {
    const proxy = await FaultProxy.start(server.port)
    const pool = new pg.Pool({ connectionString: server.loaderUrl(proxy.port), max: 3 })
    pool.on('error', () => {}) // connections die here by design
    try {
      const end = await writeSingleRows({
        way,
        pool: pool as PgPoolLike,
        proxy,
        query: async text => {
          const rows = await server.query(text)
          await server.query(`GRANT ALL ON ALL TABLES IN SCHEMA public TO ${LOADER};
            GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO ${LOADER}`)
          return rows
        },
        terminateAll: () =>
          server.query('SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = $1', [LOADER]),
        callers: CALLERS,
        faults,
        seed: seed + index,
      })
      for (const complaint of end.untrue.slice(0, 10)) console.error(`FAILED ${SINGLE_ROWS}: ${complaint}`)
      lines.push({
        name: `${SINGLE_ROWS} ${way.title}`,
        fired: end.fired,
        sent: end.sent,
        stored: end.resolved,
        distinct: end.resolved,
        rejected: end.refused + end.failed,
        lost: end.lost,
        doubled: end.doubled + end.untrue.length,
        hung: 0,
        unknown: end.unknown,
        restarts: 0,
      })
    } finally {
      await pool.end()
      await proxy.stop()
    }
  }
  return lines
}
