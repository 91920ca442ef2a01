import { spawn } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { peakBytesOf } from '../../test/support/processes/peak-memory.ts'
import { processCpu } from '../support/cpu-time.ts'
import { checkCount, emptyTable } from '../support/table.ts'

export interface CommandSample {
  /** From the start of the process to its end. */
  readonly seconds: number
  /** Undefined where /proc does not show it. */
  readonly clientCpu: number | undefined
  /** Of the backends that served it. */
  readonly serverCpu: number | undefined
  /** The most that the process had in memory. */
  readonly megabytes: number | undefined
}

/** Runs a command that fills the empty table with `rows` rows. */
export async function timeCommand(
  connectionString: string,
  rows: number,
  [program, ...words]: readonly [string, ...string[]],
  { table, key }: { readonly table: string; readonly key: readonly string[] },
): Promise<CommandSample> {
  // its own backend must not end within the run: another would take its place, and its CPU would count
  const pool = new pg.Pool({ connectionString, max: 1, idleTimeoutMillis: 0 })
  try {
    await emptyTable(pool, table)
    const postmaster = await postmasterPid(pool)
    const others = await backends(pool)
    const before = cpuOfEnded(postmaster)
    const started = performance.now()
    const { peakBytes } = await runCommand(program, words)
    const seconds = (performance.now() - started) / 1000
    await backendsEnded(pool, postmaster, others)
    const after = cpuOfEnded(postmaster)
    await checkCount(pool, rows, table, key)
    return {
      seconds,
      clientCpu: difference(after.clients, before.clients),
      serverCpu: difference(after.backends, before.backends),
      megabytes: peakBytes === undefined ? undefined : peakBytes / 1e6,
    }
  } finally {
    await pool.end()
  }
}

/**
 * CPU seconds of the programs that this process has started, and of the server's backends, which have all
 * ended.
 */
function cpuOfEnded(postmaster: number) {
  return { clients: processCpu('self')?.children, backends: processCpu(postmaster)?.children }
}

function difference(after: number | undefined, before: number | undefined): number | undefined {
  return after === undefined || before === undefined ? undefined : after - before
}

/** What a process had in memory is looked at so often. It is a peak, so that the last look nearly has it. */
const LOOK_MS = 20

/**
 * Runs a program. `peakBytes` are undefined where /proc does not show them.
 * @throws if it ends with another status than 0
 */
export function runCommand(
  program: string,
  words: readonly string[],
): Promise<{ peakBytes: number | undefined }> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, words, { stdio: ['ignore', 'ignore', 'inherit'] })
    let peakBytes: number | undefined
    const looks = setInterval(() => {
      peakBytes = peakBytesOf(child.pid!) ?? peakBytes
    }, LOOK_MS)
    child.once('error', reject)
    child.once('exit', status => {
      clearInterval(looks)
      if (status === 0) resolve({ peakBytes })
      else reject(new Error(`${program} ended with status ${status}`))
    })
  })
}

async function postmasterPid(pool: pg.Pool): Promise<number> {
  const { rows } = await pool.query(
    "SELECT split_part(pg_read_file('postmaster.pid'), chr(10), 1)::int AS pid",
  )
  return rows[0].pid
}

const QUIET_MS = 50

async function backends(pool: pg.Pool): Promise<number[]> {
  const { rows } = await pool.query<{ pid: number }>(
    "SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend'",
  )
  return rows.map(({ pid }) => pid)
}

/** Waits until the postmaster has reaped the backends, which end a little later than their clients. */
async function backendsEnded(pool: pg.Pool, postmaster: number, others: readonly number[]): Promise<void> {
  while ((await backends(pool)).some(pid => !others.includes(pid))) await sleep(QUIET_MS)
  for (let before = Number.NaN; ; ) {
    const now = processCpu(postmaster)?.children ?? 0
    if (now === before) return
    before = now
    await sleep(QUIET_MS)
  }
}
