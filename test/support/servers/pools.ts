import { randomBytes } from 'node:crypto'
import { expect } from 'chai'
import pg from 'pg'
import { until } from '../until.ts'
import type { TestDatabase } from './database.ts'
import { keptSessions } from './kept-sessions.ts'

/** A pool whose sessions can be distinguished from all others in pg_stat_activity. */
export interface NamedPool {
  readonly pool: pg.Pool
  /** Its application_name. */
  readonly name: string
}

/**
 * Gives each test of the surrounding `describe` pools of its own, and holds every one of them to the promise:
 * after the test no client is left checked out, no session is in a transaction, and the pool serves the next
 * query. The sessions return to a stock, as if each were new.
 */
export function usePools(db: TestDatabase): (config?: pg.PoolConfig) => NamedPool {
  const pools: NamedPool[] = []
  const stream = keptSessions()
  afterEach(async () => {
    const used = pools.splice(0)
    try {
      for (const named of used) await expectAtRest(named, db)
    } finally {
      for (const { pool } of used) await pool.end()
    }
  })
  return config => {
    const name = `own_${randomBytes(6).toString('hex')}`
    const own = { connectionString: db.connectionString, application_name: name, ...config }
    // another connection string leads elsewhere, and a pooler keeps sessions itself
    const mayShare = own.connectionString === db.directConnectionString
    const pool = new pg.Pool(mayShare ? { stream, ...own } : own)
    pool.on('error', () => {}) // tests end backends on purpose
    pools.push({ pool, name })
    return { pool, name }
  }
}

/** Counts the statements of a pool's clients that connect from now on. Returns what returns the number. */
export function countStatements(pool: pg.Pool): () => number {
  let statements = 0
  pool.on('connect', client => {
    const query = client.query.bind(client) as (...args: unknown[]) => unknown
    client.query = ((...args: unknown[]) => {
      statements++
      return query(...args)
    }) as typeof client.query
  })
  return () => statements
}

/** No client is checked out, none is waited for, no session is in a transaction, and queries are answered. */
export async function expectAtRest({ pool, name }: NamedPool, db: TestDatabase): Promise<void> {
  await until('no caller waits for a client', () => pool.waitingCount === 0)
  await until('every client is back', () => pool.totalCount === pool.idleCount)
  // a backend whose client is gone shows so for a moment, between the end of its statement and reading on
  await until('no session is idle in a transaction', async () => {
    return (await sessions(db, name, "state LIKE 'idle in transaction%'")) === 0
  })
  expect((await pool.query('SELECT 1 AS one')).rows).to.deep.equal([{ one: 1 }])
}

/** How many sessions of that application_name there are: all of them, or those that `condition` holds for. */
export async function sessions(db: TestDatabase, name: string, condition?: string): Promise<number> {
  // a pooler keeps its own sessions, with the name of the client that had them last
  if (condition === undefined && db.pooler) return db.pooler.clients(db.name, name)
  const { rows } = await db.pool.query(
    `SELECT count(*)::int AS count FROM pg_stat_activity WHERE application_name = $1 AND ${condition ?? true}`,
    [name],
  )
  return rows[0].count
}

/** Resolves once a session of that name waits for a lock: the moment to do something to it. */
export function untilBlocked(db: TestDatabase, name: string): Promise<void> {
  return until('a session waits for a lock', async () => {
    return (await sessions(db, name, "wait_event_type = 'Lock'")) > 0
  })
}

/** Ends the backends of that name that `condition` holds for; returns how many. */
export async function terminate(db: TestDatabase, name: string, condition = 'true'): Promise<number> {
  const { rows } = await db.pool.query(
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = $1 AND ${condition}`,
    [name],
  )
  return rows.length
}

/** Locks a table against writers until the returned function is called, which may be more than once. */
export async function lockTable(db: TestDatabase, table: string): Promise<() => Promise<void>> {
  const client = await db.pool.connect()
  await client.query(`BEGIN; LOCK TABLE ${table} IN ACCESS EXCLUSIVE MODE`)
  let locked = true
  return async () => {
    if (!locked) return
    locked = false
    await client.query('ROLLBACK')
    client.release()
  }
}

/**
 * Makes the settings of a role's own sessions differ, which no pooler stands in the way of, as it does of the
 * startup packet's. Its pools are `makePool(config)`.
 */
export async function roleWith(
  db: TestDatabase,
  settings: Readonly<Record<string, string>>,
): Promise<{ config: pg.PoolConfig; drop(): Promise<void> }> {
  const role = `set_${randomBytes(6).toString('hex')}`
  await db.pool.query(`CREATE ROLE ${role} LOGIN SUPERUSER PASSWORD '${role}'`)
  for (const [name, value] of Object.entries(settings))
    await db.pool.query(`ALTER ROLE ${role} SET ${name} = ${value}`)
  const url = new URL(db.connectionString)
  url.username = role
  url.password = role
  return {
    config: { connectionString: url.href },
    async drop() {
      await db.pool.query(
        `REASSIGN OWNED BY ${role} TO CURRENT_USER; DROP OWNED BY ${role}; DROP ROLE ${role}`,
      )
    },
  }
}

/** The connection string with another application_name, for streams that make their own pool. */
export function connectionStringNamed(db: TestDatabase, name: string): string {
  const url = new URL(db.connectionString)
  url.searchParams.set('application_name', name)
  return url.href
}
