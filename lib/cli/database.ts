import { Socket } from 'node:net'
import pg from 'pg'
import { DeadlineError } from '../connection/deadline-error.ts'
import { Lease } from '../connection/lease.ts'
import { type ConnectionConfig, connectionConfig, unreadService } from './connection-config.ts'
import { openEmbeddedDatabase } from './embedded-database.ts'
import { dataFailure, interruptedFailure, usageFailure } from './failure.ts'
import { plural } from './report.ts'

/** The database that rows go to, as the command line and the environment choose it. */
export interface Database {
  readonly pool: pg.Pool
  /** Which one it is, in words, without a password. */
  readonly name: string
  close(): Promise<void>
}

export interface DatabaseRequest {
  /** `--database`. */
  readonly url?: string | undefined
  /** `--embedded`. */
  readonly embedded?: boolean | undefined
  readonly connections: number
  /** Told what the user should know, a line at a time. */
  readonly notify: (line: string) => void
  readonly signal: AbortSignal
}

/** Connects once, so that what is wrong is told here. The signal, and the connection's deadline, end that at once. */
export async function openDatabase(request: DatabaseRequest): Promise<Database> {
  const choice = chooseDatabase(request, process.env)
  if (choice.kind === 'embedded') return openEmbedded(request)
  const pool = await connectedPool(choice.config, request)
  return { pool, name: nameOf(pool), close: () => pool.end() }
}

export type DatabaseChoice = { kind: 'named'; config: ConnectionConfig } | { kind: 'embedded' }

/**
 * `--database` or `--embedded`, else DATABASE_URL, else PG* (most of which pg reads itself).
 * @throws Failure when none of them names a database: a forgotten DATABASE_URL must not lead into another one
 */
export function chooseDatabase(
  { url: option, embedded }: Pick<DatabaseRequest, 'url' | 'embedded'>,
  env: NodeJS.ProcessEnv,
): DatabaseChoice {
  if (embedded) return { kind: 'embedded' }
  const url = option ?? (env.DATABASE_URL || undefined)
  const source = option === undefined ? 'DATABASE_URL' : '--database'
  const named = env.PGHOST || env.PGPORT || env.PGUSER || env.PGDATABASE
  if (url !== undefined || named) return { kind: 'named', config: connectionConfig(url, source, env) }
  if (env.PGSERVICE) throw unreadService('PGSERVICE')
  throw usageFailure(
    'no database is named: set DATABASE_URL, or PGHOST and the like; or give --database URL (-d); or --embedded,' +
      ' for the embedded PostgreSQL',
  )
}

async function openEmbedded(request: DatabaseRequest): Promise<Database> {
  const { notify } = request
  const embedded = await openEmbeddedDatabase()
  const state = embedded.shared ? 'which is running' : 'started for this load'
  notify(`Using the embedded PostgreSQL, ${state}.`)
  notify(`Its data: ${embedded.dataDir}. To look at it: pg-batch server`)
  const leave = () =>
    embedded.stopWhenUnused(sessions =>
      notify(`Waiting for ${plural(sessions, 'other session')} to leave the embedded server.`),
    )
  try {
    const config = connectionConfig(embedded.connectionString, 'the embedded server', process.env)
    const pool = await connectedPool(config, request)
    return {
      pool,
      name: 'the embedded PostgreSQL',
      close: async () => {
        await pool.end()
        await leave()
      },
    }
  } catch (error) {
    await leave()
    throw error
  }
}

/** A pool that has connected. Of one that could not, no socket is left to keep the process alive. */
async function connectedPool(
  { connectTimeoutMs, ...config }: ConnectionConfig,
  { connections, signal }: DatabaseRequest,
): Promise<pg.Pool> {
  const sockets = new Set<Socket>()
  const stream = (): Socket => {
    const socket = new Socket()
    sockets.add(socket)
    return socket.on('close', () => sockets.delete(socket))
  }
  const pool = makePool({ ...config, stream, connectionTimeoutMillis: connectTimeoutMs }, connections)
  try {
    await Lease.use(pool, async () => {}, connectTimeoutMs, { stop: signal, kill: signal })
    return pool
  } catch (error) {
    for (const socket of sockets) socket.destroy()
    if (signal.aborted) throw interruptedFailure(`interrupted while connecting to ${nameOf(pool)}`)
    throw dataFailure(`cannot connect to ${nameOf(pool)}: ${reasonOf(error, connectTimeoutMs)}`, error)
  }
}

/** In the words of the server, the socket or pg, none of which knows the password. */
function reasonOf(error: unknown, connectTimeoutMs: number): string {
  if (error instanceof AggregateError && error.errors.length > 0)
    return reasonOf(error.errors[0], connectTimeoutMs)
  // whose timer is first, for both run equally long
  const late =
    error instanceof DeadlineError || /connection timeout|timeout expired/.test((error as Error).message)
  return late
    ? `it did not answer within ${connectTimeoutMs / 1000} s (connect_timeout, PGCONNECT_TIMEOUT)`
    : (error as Error).message
}

function makePool(config: pg.PoolConfig, connections: number): pg.Pool {
  const pool = new pg.Pool({ ...config, max: connections, application_name: 'pg-batch' })
  // a connection that breaks while idle is replaced at its next use; unheard, the event would end the process
  pool.on('error', () => {})
  return pool
}

function nameOf(pool: pg.Pool): string {
  const { host, port, database } = new pg.Client(pool.options)
  return `database "${database}" on ${host}:${port}`
}
