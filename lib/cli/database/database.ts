import { Socket } from 'node:net'
import pg from 'pg'
import { type HostsPool, NoServer, serverName } from '../../connection/pool/hosts-pool.ts'
import { Lease } from '../../connection/pool/lease.ts'
import { isServerError } from '../../connection/server-error.ts'
import type { ConnectionParameters } from '../../connection-string/connection-parameters.ts'
import type { Table } from '../../types.ts'
import { plural } from '../../values/format-count.ts'
import { dataError, interruptedError, usageError } from '../exit-error.ts'
import { COMMAND } from '../terminal/command-name.ts'
import { connectFailure } from './connect-failure.ts'
import { connectionConfig, type Environment, embeddedConfig, serviceError } from './connection-config.ts'
import { connectTimeoutOf, openPool } from './open-pool.ts'
import { retrying } from './retrying.ts'

/** The database that rows go to, as the command line and the environment choose it. */
export interface Database {
  readonly pool: HostsPool
  /** How to connect, for other threads. */
  readonly config: ConnectionParameters
  /** A description of the database, without its password. */
  readonly name: string
  /** The role of its sessions. */
  readonly user: string
  /** The table, which was looked up while the input was opened. */
  readonly earlyLookup?: EarlyLookup | undefined
  close(): Promise<void>
}

/** The answer about the table of a load. It is taken once: later the table may have changed. */
export interface EarlyLookup {
  take(): Promise<Table | undefined> | undefined
}

export interface DatabaseRequest {
  /** `--database`. */
  readonly url?: string | undefined
  /** `--embedded`. */
  readonly embedded?: boolean | undefined
  readonly env: Environment
  readonly connections: number
  /** Prints a line for the user. */
  readonly notify: (line: string) => void
  readonly signal: AbortSignal
}

/** Connects once, so that a wrong setting fails here. The signal and the connection timeout end the wait. */
export async function openDatabase(request: DatabaseRequest): Promise<Database> {
  const choice = chooseDatabase(request, request.env)
  if (choice.kind === 'embedded') return openEmbedded(request)
  for (const note of choice.config.notes) request.notify(note)
  const pool = await connectedPool(choice.config, request)
  const { config } = choice
  return { pool, config, name: nameOf(config), user: userOf(config), close: () => pool.end() }
}

export type DatabaseChoice = { kind: 'named'; config: ConnectionParameters } | { kind: 'embedded' }

/**
 * Chooses `--database` or `--embedded`, else DATABASE_URL, else the PG* variables that name a host, port,
 * user or database.
 * @throws ExitError if none of them is set: without DATABASE_URL rows must not go into another database
 */
export function chooseDatabase(
  { url: option, embedded }: Pick<DatabaseRequest, 'url' | 'embedded'>,
  env: Environment,
): DatabaseChoice {
  if (embedded) return { kind: 'embedded' }
  const url = option ?? (env.DATABASE_URL || undefined)
  const source = option === undefined ? 'DATABASE_URL' : '--database'
  const named = env.PGHOST || env.PGHOSTADDR || env.PGPORT || env.PGUSER || env.PGDATABASE
  if (url !== undefined || named) return { kind: 'named', config: connectionConfig(url, source, env) }
  if (env.PGSERVICE) throw serviceError('PGSERVICE')
  throw usageError(
    'no database is named: set DATABASE_URL, or PGHOST and the like; or give --database URL (-d); ' +
      'or --embedded, for the embedded PostgreSQL',
  )
}

async function openEmbedded(request: DatabaseRequest): Promise<Database> {
  const { notify } = request
  // loaded when it is needed, and with it what starts programs
  const { openEmbeddedDatabase } = await import('../../embedded/embedded-database.ts')
  const embedded = await openEmbeddedDatabase()
  const state = embedded.shared ? 'which is running' : 'started for this load'
  notify(`Using the embedded PostgreSQL, ${state}.`)
  notify(`Its data: ${embedded.dataDir}. To look at it: ${COMMAND} server`)
  const leave = () =>
    embedded.stopWhenUnused(sessions =>
      notify(`Waiting for ${plural(sessions, 'other session')} to leave the embedded server.`),
    )
  try {
    const config = embeddedConfig(embedded.connectionString, request.env)
    const pool = await connectedPool(config, request)
    return {
      pool,
      config,
      name: 'the embedded PostgreSQL',
      user: userOf(config),
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

/**
 * Returns a pool that has connected. If it cannot connect, it leaves no socket that keeps the process alive.
 */
async function connectedPool(
  config: ConnectionParameters,
  { connections, notify, signal }: DatabaseRequest,
): Promise<HostsPool> {
  const sockets = new Set<Socket>()
  const stream = (): Socket => {
    const socket = new Socket()
    sockets.add(socket)
    return socket.on('close', () => sockets.delete(socket))
  }
  const connectTimeoutMs = connectTimeoutOf(config)
  const pool = openPool(config, connections, stream)
  // each server may take that long, and may be asked for a session twice
  const waitMs = connectTimeoutMs * 2 * config.servers.length
  const connect = async (): Promise<void> => {
    try {
      await Lease.use(pool, async () => {}, waitMs, { stop: signal, kill: signal })
    } catch (error) {
      const reason = connectFailure(error, connectTimeoutMs)
      throw dataError(`cannot connect to ${nameOf(config)}: ${reason}`, error)
    }
  }
  try {
    await retrying({ name: nameOf(config), notify, signal, isTransient: mayAcceptLater }, connect)
    return pool
  } catch (error) {
    pool.abandon()
    for (const socket of sockets) socket.destroy()
    if (signal.aborted) throw interruptedError(`interrupted while connecting to ${nameOf(config)}`)
    throw error
  }
}

/**
 * Returns true if a server is starting or stopping, or has no connection left. Other failures are probably
 * wrong settings, and are reported at once.
 */
function mayAcceptLater({ cause }: { readonly cause?: unknown }): boolean {
  if (cause instanceof NoServer) return cause.errors.some(each => mayAcceptLater({ cause: each }))
  return isServerError(cause) && /^(57P0[123]|53300)$/.test(cause.code)
}

function nameOf({ servers, database, user }: ConnectionParameters): string {
  const { database: shown } = new pg.Client({ database, user, ssl: false })
  // undefined where neither the settings nor the environment name a user
  return `${shown ? `database "${shown}"` : 'the default database'} on ${servers.map(serverName).join(', ')}`
}

/** Returns the role as pg resolves it, from the environment if the settings do not name it. */
function userOf({ user }: ConnectionParameters): string {
  return new pg.Client({ user, ssl: false }).user ?? ''
}
