import type pg from 'pg'
import { processCpu } from '../support/cpu-time.ts'
import { openPool } from '../support/pool.ts'
import { benchRows } from '../support/rows.ts'
import { checkCount, emptyTable, makeTable } from '../support/table.ts'
import { WAYS, type WayName } from './ways.ts'

export interface ServerCpuTask {
  readonly connectionString: string
  readonly way: WayName
  readonly rows: number
}

/** CPU seconds, for all rows. */
export interface ServerCpuSample {
  readonly backends: number
  readonly client: number
}

/** The application_name by which this process's backends are found. */
const APPLICATION = 'pg-batch-bench-server-cpu'
const WARM_UP_ROWS = 20_000
const POOL_SIZE = 3

export async function measure({
  connectionString,
  way,
  rows: count,
}: ServerCpuTask): Promise<ServerCpuSample> {
  // connections stay open: a backend's CPU time can be read only while it lives
  const pool = openPool({
    connectionString,
    max: POOL_SIZE,
    idleTimeoutMillis: 0,
    application_name: APPLICATION,
  })
  try {
    const rows = benchRows(count)
    const { prepare, write } = WAYS[way]
    const [few, all] = [prepare(rows.slice(0, WARM_UP_ROWS)), prepare(rows)]
    await makeTable(pool)
    await write(pool, few)
    await emptyTable(pool)
    const before = await backendSeconds(pool)
    const { user, system } = process.cpuUsage()
    await write(pool, all)
    const client = process.cpuUsage({ user, system })
    const after = await backendSeconds(pool)
    for (const pid of before.keys())
      if (!after.has(pid)) throw new Error('A backend ended while it was measured')
    await checkCount(pool, count)
    const used = [...after].map(([pid, seconds]) => seconds - (before.get(pid) ?? 0))
    return {
      backends: used.reduce((sum, seconds) => sum + seconds, 0),
      client: (client.user + client.system) / 1e6,
    }
  } finally {
    await pool.end()
  }
}

/** @throws where the backends cannot be seen: not on Linux, or not on this machine */
async function backendSeconds(pool: pg.Pool): Promise<Map<number, number>> {
  const { rows } = await pool.query<{ pid: number }>(
    'SELECT pid FROM pg_stat_activity WHERE application_name = $1',
    [APPLICATION],
  )
  return new Map(
    rows.map(({ pid }) => {
      const cpu = processCpu(pid)
      if (!cpu) throw new Error(`/proc does not show the backend ${pid}`)
      return [pid, cpu.own]
    }),
  )
}
