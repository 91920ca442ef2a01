import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { type EmbeddedServer, freePort, startEmbeddedServer } from '../../../lib/embedded/embedded-server.ts'
import type { FaultProxy } from '../../support/network/proxy.ts'
import { childrenOf, gone, killTree, signal } from '../../support/processes/process-tree.ts'

/**
 * The role that loads: no superuser, so that reserved connections and other roles' backends are not its own.
 */
export const LOADER = 'loader'

/**
 * fsync=off costs nothing when processes are killed, for what they wrote stays with the kernel;
 * synchronous_commit has to stay on, since it makes a COMMIT wait until its record has left shared memory,
 * which SIGKILL takes along.
 */
const SETTINGS = [
  'fsync=off',
  'synchronous_commit=on',
  'full_page_writes=off',
  'max_connections=40',
  'shared_buffers=32MB',
  'deadlock_timeout=50ms',
  // what a crash may take along is then everything since the last COMMIT of anyone
  'wal_writer_delay=10s',
  // the words that say that the server is up are of this level
  'log_min_messages=log',
  'log_checkpoints=off',
  'max_wal_size=256MB',
]

/** Where a case's tables are, as its superuser sees them. */
export interface Database {
  query(text: string, values?: unknown[]): Promise<Record<string, unknown>[]>
}

/** A PostgreSQL of the suite's own, which may be killed, stopped and started as often as one likes. */
export class FaultServer implements Database {
  readonly port: number
  readonly #home: string
  #running: EmbeddedServer
  #admin: pg.Pool
  #front: FaultProxy | undefined
  readonly #disturbances = new Set<Promise<unknown>>()

  static async start(): Promise<FaultServer> {
    const home = await mkdtemp(join(tmpdir(), 'pg-batch-faults-'))
    await chmod(home, 0o755) // as root the server runs as another user
    const port = await freePort()
    const server = new FaultServer(home, port, await launch(home, port))
    await server.query(`CREATE ROLE ${LOADER} LOGIN PASSWORD '${LOADER}'`)
    await server.query(`GRANT CREATE ON SCHEMA public TO ${LOADER}`)
    return server
  }

  private constructor(home: string, port: number, running: EmbeddedServer) {
    this.#home = home
    this.port = port
    this.#running = running
    this.#admin = this.#makeAdmin()
  }

  #makeAdmin(): pg.Pool {
    const pool = new pg.Pool({
      connectionString: this.#running.connectionString,
      max: 4,
      connectionTimeoutMillis: 5000,
    })
    pool.on('error', () => {}) // it dies with the server, on purpose
    return pool
  }

  /** A superuser's. */
  get connectionString(): string {
    return this.#running.connectionString
  }

  /** For a loader that connects to `port`: the server's own, or a proxy's. */
  loaderUrl(port: number, options = ''): string {
    return loaderUrl([`127.0.0.1:${port}`], options)
  }

  /** Asks as superuser, again and again while the server cannot answer. */
  query(text: string, values: unknown[] = []): Promise<Record<string, unknown>[]> {
    return queryPatiently(() => this.#admin, text, values)
  }

  /** A superuser's client for transactions of its own; `end` it. */
  async client(): Promise<pg.Client> {
    const client = new pg.Client({ connectionString: this.#running.connectionString })
    client.on('error', () => {})
    await client.connect()
    return client
  }

  /** Does something that the server needs time to get over: `ready` waits for its end. */
  async disturb<T>(work: () => Promise<T>): Promise<T> {
    const disturbance = work()
    this.#disturbances.add(disturbance)
    try {
      return await disturbance
    } finally {
      this.#disturbances.delete(disturbance)
    }
  }

  /**
   * Resolves when the server has got over everything that was done to it, and takes the loader's connections.
   * A case that has ended early may have left something under way.
   */
  async ready(): Promise<void> {
    while (this.#disturbances.size > 0) await Promise.allSettled(this.#disturbances)
    const pool = new pg.Pool({ connectionString: this.loaderUrl(this.port), max: 1 })
    pool.on('error', () => {})
    try {
      await queryPatiently(() => pool, 'SELECT 1', [])
    } finally {
      await pool.end()
    }
  }

  /** Signals one of the loader's backends, a busy one if there is one; resolves to its process id. */
  async signalLoader(name: NodeJS.Signals): Promise<number | undefined> {
    for (let attempt = 0; attempt < 100; attempt++) {
      const [row] = await this.query(
        `SELECT pid FROM pg_stat_activity WHERE usename = $1 AND backend_type = 'client backend'
          ORDER BY backend_xid IS NULL, random() LIMIT 1`,
        [LOADER],
      )
      if (row && signal(row.pid as number, name)) return row.pid as number
      await sleep(10)
    }
    return undefined
  }

  /** SIGKILL of one of the loader's backends: the server ends all others then, and recovers. */
  async killBackend(): Promise<boolean> {
    const pid = await this.signalLoader('SIGKILL')
    if (pid === undefined) return false
    // the server knows of it as soon as the process is gone, and takes no connection then
    this.disturb(() => gone(pid))
    return true
  }

  /**
   * SIGKILL of the postmaster and of all that it had started, as when the machine is gone; then a new start.
   */
  killAndRestart(between?: () => Promise<void>): Promise<void> {
    return this.disturb(async () => {
      await this.killAll()
      await between?.()
      await this.start()
    })
  }

  async killAll(): Promise<void> {
    this.#goesDown()
    await killTree(this.#running.pid)
  }

  #goesDown(): void {
    this.#front?.refuse()
  }

  async start(): Promise<void> {
    await this.#running.stop()
    for (let attempt = 1; ; attempt++) {
      try {
        this.#running = await launch(this.#home, this.port)
        break
      } catch (error) {
        // a process that was killed may still be on its way out, and its shared memory in use
        if (attempt >= 50) throw error
        await sleep(50)
      }
    }
    await this.#front?.accept()
  }

  /**
   * Has a proxy refuse connections while the server is down: one that took them and cut them would look
   * alive.
   */
  standBehind(front: FaultProxy | undefined): void {
    this.#front = front
  }

  /**
   * Ends as an operator would: SIGINT rolls back and says 57P01, SIGQUIT crashes in order. Then a new start.
   */
  restart(how: 'SIGINT' | 'SIGQUIT'): Promise<void> {
    return this.disturb(async () => {
      const { pid } = this.#running
      this.#goesDown()
      signal(pid, how)
      await gone(pid)
      await this.start()
    })
  }

  /** Stops every process of the server for a while: connections stay open, and no process answers. */
  freeze(ms: number): Promise<void> {
    return this.disturb(async () => {
      const pids = [this.#running.pid, ...(await childrenOf(this.#running.pid))]
      for (const pid of pids) signal(pid, 'SIGSTOP')
      await sleep(ms)
      for (const pid of pids) signal(pid, 'SIGCONT')
    })
  }

  async stop(): Promise<void> {
    await this.#admin.end()
    await this.killAll()
    await this.#running.stop()
    await rm(this.#home, { recursive: true, force: true })
  }
}

/** The loader's connection string. @param hosts each with its port */
export function loaderUrl(hosts: readonly string[], options = ''): string {
  const parameters = new URLSearchParams({ application_name: LOADER, ...(options ? { options } : {}) })
  return `postgres://${LOADER}:${LOADER}@${hosts.join(',')}/postgres?${parameters}`
}

/** Asks again and again while there is no answer. */
export async function queryPatiently(
  pool: () => pg.Pool,
  text: string,
  values: unknown[],
): Promise<Record<string, unknown>[]> {
  for (let attempt = 1; ; attempt++) {
    try {
      return (await pool().query(text, values)).rows
    } catch (error) {
      if (attempt >= 200 || isStatementsFault(error)) throw error
      await sleep(25)
    }
  }
}

function launch(home: string, port: number): Promise<EmbeddedServer> {
  return startEmbeddedServer({ dataDir: join(home, 'data'), port, settings: SETTINGS, stopOnSignal: false })
}

/** Class 57, 53 and 08 and what sockets say will pass; a wrong statement will not. */
function isStatementsFault(error: unknown): boolean {
  const { code = '' } = error as { code?: string }
  return /^(22|23|42|0A|2B|55)/.test(code)
}
