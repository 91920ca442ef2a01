import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import type { StateAct } from './kinds.ts'
import type { Scene } from './scene.ts'

/** How long a state is given to show: until the load has met its SQLSTATE. */
const SHOW_MS = 8000

/**
 * Brings the server into a state that refuses work, until the load has met it, and ends that state. Resolves to
 * whether it was met.
 */
export function injectState(scene: Scene, act: StateAct): Promise<boolean> {
  switch (act) {
    case 'read-only':
      return readOnly(scene)
    case 'too many connections':
      return tooManyConnections(scene)
    case 'disk full':
      return trouble(scene, '53100', 'statement')
    case 'out of memory':
      return trouble(scene, '53200', 'statement')
    case 'refused at COMMIT':
      return trouble(scene, '40001', 'commit')
    case 'deadlock':
      return compete(scene, '40P01', deadlockOnce)
    case 'serialization':
      return compete(scene, '40001', changeOnce)
    case 'lock timeout':
      return compete(scene, '55P03', lockOnce)
  }
}

/** Resolves to whether the load met `sqlState` since `before`, while `during` is done again and again. */
async function untilMet(
  scene: Scene,
  sqlState: string,
  during: () => Promise<unknown> = () => sleep(5),
): Promise<boolean> {
  const before = scene.retriesAfter(sqlState)
  const end = performance.now() + SHOW_MS
  while (performance.now() < end) {
    await during()
    if (scene.retriesAfter(sqlState) > before) return true
  }
  return false
}

async function trouble(scene: Scene, sqlState: string, at: string): Promise<boolean> {
  const { server, tables } = scene
  const met = untilMet(scene, sqlState)
  await server.query(`INSERT INTO ${tables.trouble} VALUES ($1, $2)`, [sqlState, at])
  const fired = await met
  await server.query(`DELETE FROM ${tables.trouble}`)
  return fired
}

async function readOnly(scene: Scene): Promise<boolean> {
  const { server } = scene
  const met = untilMet(scene, '25006')
  await server.query('ALTER SYSTEM SET default_transaction_read_only = on')
  await server.query('SELECT pg_reload_conf()')
  const fired = await met
  await server.query('ALTER SYSTEM RESET default_transaction_read_only')
  await server.query('SELECT pg_reload_conf()')
  return fired
}

/** Hogs take every connection that the loader could have, and the loader loses those that it has. */
async function tooManyConnections(scene: Scene): Promise<boolean> {
  const { server } = scene
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
  const fired = await untilMet(scene, '53300', async () => {
    await hog()
    await server.query(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'loader'",
    )
    await hog()
    await sleep(20)
  })
  await Promise.all(hogs.map(client => client.end().catch(() => {})))
  return fired
}

async function compete(
  scene: Scene,
  sqlState: string,
  once: (client: pg.Client, scene: Scene) => Promise<void>,
): Promise<boolean> {
  const client = await scene.server.client()
  try {
    return await untilMet(scene, sqlState, () => once(client, scene))
  } finally {
    await client.end().catch(() => {})
  }
}

/** Takes the rows in the order 2, 1; whoever waits longer than deadlock_timeout finds out, here or there. */
async function deadlockOnce(client: pg.Client, { tables }: Scene): Promise<void> {
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
async function changeOnce(client: pg.Client, { tables }: Scene): Promise<void> {
  await client.query(`UPDATE ${tables.side} SET rows = rows WHERE id = 1`)
  await sleep(3)
}

async function lockOnce(client: pg.Client, { tables }: Scene): Promise<void> {
  await client.query('BEGIN')
  await client.query(`SELECT 1 FROM ${tables.side} WHERE id = 1 FOR UPDATE`)
  await sleep(120)
  await client.query('ROLLBACK')
}
