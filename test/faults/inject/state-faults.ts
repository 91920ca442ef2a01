import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import type { StateAct } from '../cases/fault-kind.ts'
import type { Run } from '../run/run.ts'

/** How long a state is given to show: until the load has met its SQLSTATE. */
const SHOW_MS = 8000

/**
 * Brings the server into a state that refuses work, until the load has met it, and ends that state. Resolves
 * to whether it was met.
 */
export function injectState(run: Run, act: StateAct): Promise<boolean> {
  return run.server.disturb(() => bringInto(run, act))
}

function bringInto(run: Run, act: StateAct): Promise<boolean> {
  switch (act) {
    case 'read-only':
      return readOnly(run)
    case 'too many connections':
      return tooManyConnections(run)
    case 'disk full':
      return disruption(run, '53100', 'statement')
    case 'out of memory':
      return disruption(run, '53200', 'statement')
    case 'refused at COMMIT':
      return disruption(run, '40001', 'commit')
    case 'deadlock':
      return compete(run, '40P01', deadlockOnce)
    case 'serialization':
      return compete(run, '40001', changeOnce)
    case 'lock timeout':
      return compete(run, '55P03', lockOnce)
  }
}

/** Resolves to whether the load met `sqlState` since `before`, while `during` is done again and again. */
async function untilMet(
  run: Run,
  sqlState: string,
  during: () => Promise<unknown> = () => sleep(5),
): Promise<boolean> {
  const before = run.retriesAfter(sqlState)
  const end = performance.now() + SHOW_MS
  while (performance.now() < end && !run.isSettled()) {
    await during()
    if (run.retriesAfter(sqlState) > before) return true
  }
  return false
}

async function disruption(run: Run, sqlState: string, at: string): Promise<boolean> {
  const { server, tables } = run
  const met = untilMet(run, sqlState)
  await server.query(`INSERT INTO ${tables.disruption} VALUES ($1, $2)`, [sqlState, at])
  const fired = await met
  await server.query(`DELETE FROM ${tables.disruption}`)
  return fired
}

async function readOnly(run: Run): Promise<boolean> {
  const { server } = run
  const met = untilMet(run, '25006')
  await server.query('ALTER SYSTEM SET default_transaction_read_only = on')
  await server.query('SELECT pg_reload_conf()')
  const fired = await met
  await server.query('ALTER SYSTEM RESET default_transaction_read_only')
  await server.query('SELECT pg_reload_conf()')
  return fired
}

/** Hogs take every connection that the loader could have, and the loader loses those that it has. */
async function tooManyConnections(run: Run): Promise<boolean> {
  const { server, proxy } = run
  // a question for a lost COMMIT is refused, too, and is no retry of the stream's
  let isRefused = false
  proxy
    .arm({
      direction: 'down',
      at: ({ name, bytes }) => name === 'ErrorResponse' && bytes.includes('C53300\0'),
      action: { do: 'delay', ms: 0 },
    })
    .then(() => {
      isRefused = true
    })
  const hogs: pg.Client[] = []
  const hog = async (): Promise<void> => {
    while (hogs.length < 60) {
      const client = new pg.Client({
        connectionString: server.loaderUrl(server.port).replace('=loader', '=hog'),
      })
      client.on('error', () => {})
      try {
        await client.connect()
      } catch {
        return
      }
      hogs.push(client)
    }
  }
  const isMet = await untilMet(run, '53300', async () => {
    await hog()
    await server.query(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'loader'",
    )
    await hog()
    await sleep(20)
  })
  await Promise.all(hogs.map(client => client.end().catch(() => {})))
  return isMet || isRefused
}

async function compete(
  run: Run,
  sqlState: string,
  once: (client: pg.Client, run: Run) => Promise<void>,
): Promise<boolean> {
  const client = await run.server.client()
  try {
    return await untilMet(run, sqlState, () => once(client, run))
  } finally {
    await client.end().catch(() => {})
  }
}

/** Takes the rows in the order 2, 1; the session that waits longer than deadlock_timeout detects it. */
async function deadlockOnce(client: pg.Client, { tables }: Run): Promise<void> {
  const lock = `SELECT 1 FROM ${tables.side} WHERE id = $1 FOR UPDATE`
  // a patient one: the other shall be the one to notice
  await client.query("BEGIN; SET LOCAL deadlock_timeout = '2s'")
  try {
    await client.query(lock, [2])
    await sleep(20)
    await client.query(lock, [1])
  } catch {
    // it was this one's turn to be the victim
  }
  await client.query('ROLLBACK')
}

/** Changes what a transaction under way is about to change, so that its snapshot is too old. */
async function changeOnce(client: pg.Client, { tables }: Run): Promise<void> {
  await client.query(`UPDATE ${tables.side} SET rows = rows WHERE id = 1`)
  await sleep(3)
}

async function lockOnce(client: pg.Client, { tables }: Run): Promise<void> {
  await client.query('BEGIN')
  await client.query(`SELECT 1 FROM ${tables.side} WHERE id = 1 FOR UPDATE`)
  await sleep(120)
  await client.query('ROLLBACK')
}
