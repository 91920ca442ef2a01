import { setTimeout as delay } from 'node:timers/promises'
import pg from 'pg'

/**
 * The key of an advisory lock. Each process that uses another's server holds it shared. The process that
 * stops the server holds it alone, so that no other begins to use a server that is about to stop.
 * @see https://www.postgresql.org/docs/current/explicit-locking.html#ADVISORY-LOCKS
 */
const USERS_LOCK = 2_026_112_918

/** Ends the use of a server. */
export type Leave = () => Promise<void>

/**
 * Begins to use the server of a data directory. Returns undefined if another server or none accepts
 * connections, or if the server is about to be stopped.
 */
export async function joinUsers(connectionString: string, dataDir: string): Promise<Leave | undefined> {
  const session = await startedSession(connectionString)
  if (!session) return undefined
  const leave: Leave = () => session.end().catch(() => {})
  const joins = `SELECT current_setting('data_directory') = $1
    AND pg_try_advisory_lock_shared(${USERS_LOCK}) AS answer`
  // the server may stop in the meantime
  if (await ask(session, joins, [dataDir]).catch(() => false)) return leave
  await leave()
  return undefined
}

/**
 * Waits until no other session is left and no other process can begin to use the server. Then the caller
 * stops it.
 * @param onWait is called once, if there are other sessions
 */
export async function becomeLastUser(
  connectionString: string,
  onWait: (sessions: number) => void,
): Promise<Leave> {
  const session = await openSession(connectionString).catch(() => undefined)
  if (!session) return async () => {} // the server has been stopped already
  const locks = `SELECT pg_try_advisory_lock(${USERS_LOCK}) AS answer`
  const others = `SELECT count(*) AS answer FROM pg_stat_activity
    WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()`
  try {
    for (let reported = false; ; await delay(200)) {
      const sessions = Number(await ask(session, others))
      if (sessions === 0 && (await ask(session, locks))) break
      if (sessions > 0 && !reported) {
        reported = true
        onWait(sessions)
      }
    }
  } catch {
    // the server stops already
  }
  return () => session.end().catch(() => {})
}

/** Returns a session, once a server that is starting accepts it. */
async function startedSession(connectionString: string): Promise<pg.Client | undefined> {
  for (let attempt = 0; attempt < 100; attempt++) {
    try {
      return await openSession(connectionString)
    } catch (error) {
      if ((error as { code?: string }).code !== CANNOT_CONNECT_NOW) return undefined
      await delay(100)
    }
  }
  return undefined
}

/** SQLSTATE 57P03, cannot_connect_now: the server is starting up. */
const CANNOT_CONNECT_NOW = '57P03'

async function openSession(connectionString: string): Promise<pg.Client> {
  const session = new pg.Client({ connectionString, connectionTimeoutMillis: 3000 })
  session.on('error', () => {}) // of a server that stops
  try {
    await session.connect()
    return session
  } catch (error) {
    await session.end().catch(() => {})
    throw error
  }
}

async function ask(session: pg.Client, sql: string, values: unknown[] = []): Promise<unknown> {
  const { rows } = await session.query<{ answer: unknown }>(sql, values)
  return rows[0]?.answer
}
