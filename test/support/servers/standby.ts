import { execFile, spawn } from 'node:child_process'
import { rmSync } from 'node:fs'
import { appendFile, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import pg from 'pg'
import type { PgClientLike } from '../../../lib/connection/pg-types.ts'
import { type EmbeddedServer, freePort, startEmbeddedServer } from '../../../lib/embedded/embedded-server.ts'
import { killTree } from '../processes/process-tree.ts'
import { until } from '../until.ts'
import { newDataFolder } from './memory-server.ts'

const run = promisify(execFile)
const { PG_BATCH_TEST_PACKAGES } = process.env

interface Server {
  readonly connectionString: string
  readonly port: number
  readonly pid: number
  stop(): Promise<void>
}

/** The package waits for words that a standby does not say, so this runs the program itself. */
async function startReplica(
  postgres: string,
  dataDir: string,
  password: string,
  at?: number,
): Promise<Server> {
  const port = at ?? (await freePort())
  const settings = [`port=${port}`, 'listen_addresses=127.0.0.1', 'unix_socket_directories=', 'fsync=off']
  const all = [...settings, ...SETTINGS]
  const { uid, gid } = await stat(dataDir)
  const child = spawn(postgres, ['-D', dataDir, ...all.flatMap(setting => ['-c', setting])], {
    stdio: 'ignore',
    uid,
    gid,
  })
  const ended = new Promise<void>(resolve => child.once('close', () => resolve()))
  const killAtExit = () => child.kill('SIGQUIT')
  process.once('exit', killAtExit)
  return {
    connectionString: `postgres://postgres:${password}@127.0.0.1:${port}/postgres`,
    port,
    pid: child.pid!,
    async stop() {
      process.off('exit', killAtExit)
      child.kill('SIGQUIT')
      await ended
    },
  }
}

const SETTINGS = ['max_connections=60', 'track_commit_timestamp=on']

function startPrimary(dataDir: string): Promise<EmbeddedServer> {
  return startEmbeddedServer({
    dataDir,
    durable: false,
    settings: SETTINGS,
    ...(PG_BATCH_TEST_PACKAGES ? { packageRoot: PG_BATCH_TEST_PACKAGES } : {}),
  })
}

/** A folder whose `data` is that of a new server, which has been stopped. initdb takes longer than a copy. */
let template: Promise<string> | undefined

async function makeTemplate(): Promise<string> {
  const folder = await newDataFolder('pg-batch-template-')
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
  await (await startPrimary(join(folder, 'data'))).stop()
  return folder
}

/** A primary with a streaming replica, which is promoted when the primary dies. */
export class ReplicatedServer {
  readonly primary: pg.Pool
  readonly standby: pg.Pool
  readonly #folder: string
  readonly #program: string
  readonly #servers: Server[]
  #active: 'primary' | 'standby' = 'primary'

  /** Both begin with the data of one new server. */
  static async start(): Promise<ReplicatedServer> {
    template ??= makeTemplate()
    const data = join(await template, 'data')
    const folder = await newDataFolder('pg-batch-standby-')
    const [first, second] = [join(folder, 'primary'), join(folder, 'standby')]
    for (const dataDir of [first, second]) await run('cp', ['-a', data, dataDir])
    const primary = await startPrimary(first)
    const { password } = new URL(primary.connectionString)
    const source = `host=127.0.0.1 port=${primary.port} user=postgres password=${password}`
    await appendFile(join(second, 'postgresql.auto.conf'), `primary_conninfo = '${source}'\n`)
    await writeFile(join(second, 'standby.signal'), '')
    const standby = await startReplica(primary.program, second, password)
    const replicated = new ReplicatedServer(folder, primary, standby)
    await until(
      'the replica to follow',
      async () => {
        const { rows } = await replicated.primary.query('SELECT 1 FROM pg_stat_replication')
        return rows.length === 1
      },
      30_000,
    )
    return replicated
  }

  private constructor(folder: string, primary: EmbeddedServer, standby: Server) {
    this.#folder = folder
    this.#program = primary.program
    this.#servers = [primary, standby]
    const pool = ({ connectionString }: Server): pg.Pool =>
      new pg.Pool({ connectionString, max: 20 }).on('error', () => {})
    this.primary = pool(primary)
    this.standby = pool(standby)
  }

  /** A pool that leads to the server that is the primary at the moment. */
  readonly pool = {
    connect: async (): Promise<PgClientLike> =>
      (await this[this.#active].connect()) as unknown as PgClientLike,
  }

  /** Makes the primary wait for the replica with each commit. */
  async synchronous(): Promise<void> {
    await this.primary.query("ALTER SYSTEM SET synchronous_standby_names = '*'")
    await this.primary.query('SELECT pg_reload_conf()')
    await until(
      'a synchronous replica',
      async () => {
        const { rows } = await this.primary.query('SELECT sync_state FROM pg_stat_replication')
        return rows[0]?.sync_state === 'sync'
      },
      30_000,
    )
  }

  /** Leaves the replica behind: it hears no more of what is committed. */
  async disconnect(): Promise<void> {
    await this.standby.query("ALTER SYSTEM SET primary_conninfo = ''")
    await this.standby.query('SELECT pg_reload_conf()')
    await until(
      'the replica to be alone',
      async () => {
        const { rows } = await this.primary.query('SELECT 1 FROM pg_stat_replication')
        return rows.length === 0
      },
      30_000,
    )
  }

  /** The primary dies at once. */
  kill(): void {
    process.kill(this.#servers[0]!.pid, 'SIGQUIT')
  }

  /** The primary dies as with its machine: no process of it says a word. */
  killHard(): Promise<void> {
    return killTree(this.#servers[0]!.pid)
  }

  /**
   * Starts the first primary again after its death, as a supervisor does that knows nothing of the failover:
   * there are two primaries then. It no longer waits for a replica.
   */
  async revivePrimary(): Promise<void> {
    const dataDir = join(this.#folder, 'primary')
    await rm(join(dataDir, 'postmaster.pid'), { force: true })
    await appendFile(join(dataDir, 'postgresql.auto.conf'), "synchronous_standby_names = ''\n")
    const { password } = new URL(this.connectionString)
    const revived = await startReplica(this.#program, dataDir, password, this.primaryPort)
    this.#servers.push(revived)
    const answers = () =>
      this.primary.query('SELECT 1').then(
        () => true,
        () => false,
      )
    await until('the first primary to answer', answers, 30_000)
  }

  /** Leads to the first primary. */
  get connectionString(): string {
    return this.#servers[0]!.connectionString
  }

  get primaryPort(): number {
    return this.#servers[0]!.port
  }

  get standbyPort(): number {
    return this.#servers[1]!.port
  }

  /** Makes the replica the primary, and leads the pool to it. */
  async promote(): Promise<void> {
    this.lead()
    await this.standby.query('SELECT pg_promote(true, 60)')
  }

  /** Leads the pool to the replica, promoted or not, or back. */
  lead(to: 'primary' | 'standby' = 'standby'): void {
    this.#active = to
  }

  async stop(): Promise<void> {
    await Promise.all([this.primary.end(), this.standby.end()])
    for (const server of this.#servers) await server.stop()
    await rm(this.#folder, { recursive: true, force: true })
  }
}
