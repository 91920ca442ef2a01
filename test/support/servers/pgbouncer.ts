import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { rmSync } from 'node:fs'
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { freePort } from '../../../lib/embedded/embedded-server.ts'
import { findProgram } from '../processes/find-program.ts'

/** PgBouncer in transaction mode, in front of a server. */
export interface PgBouncer {
  /** The server's connection string, by way of PgBouncer. */
  readonly connectionString: string
  /** Its console, for what pg_stat_activity cannot tell: which clients there are. */
  clients(database: string, applicationName: string): Promise<number>
  readonly port: number
  /** Gives its console a command, such as PAUSE. */
  command(text: string): Promise<void>
  /** Ends the process by a signal, waits a while, and starts it again on the same port. */
  restart(name: 'SIGTERM' | 'SIGKILL', downMs: number): Promise<void>
  /** Stops the process where it is for a while: its connections are open, and nothing answers. */
  suspend(ms: number): Promise<void>
  stop(): Promise<void>
}

/** Server connections for each database: fewer than the clients that many tests have. */
const POOL_SIZE = 10

/**
 * Starts the program `pgbouncer` in front of a server.
 * @throws when it is not installed, or does not start
 */
export async function startPgBouncer(serverConnectionString: string): Promise<PgBouncer> {
  const program = findProgram('pgbouncer')
  const server = new URL(serverConnectionString)
  const user = decodeURIComponent(server.username)
  const folder = await mkdtemp(join(tmpdir(), 'pg-batch-bouncer-'))
  const port = await freePort()
  const users = join(folder, 'users.txt')
  const config = join(folder, 'pgbouncer.ini')
  await writeFile(users, `${quoted(user)} ${quoted(decodeURIComponent(server.password))}\n`)
  await writeFile(
    config,
    [
      '[databases]',
      `* = host=${server.hostname} port=${server.port || 5432}`,
      '[pgbouncer]',
      'listen_addr = 127.0.0.1',
      `listen_port = ${port}`,
      'unix_socket_dir =',
      'auth_type = scram-sha-256',
      `auth_file = ${users}`,
      // roles that tests make have their name as their password
      `auth_user = ${user}`,
      'auth_query = SELECT rolname, rolname FROM pg_catalog.pg_roles WHERE rolname = $1',
      `admin_users = ${user}`,
      'pool_mode = transaction',
      `default_pool_size = ${POOL_SIZE}`,
      'max_client_conn = 500',
      // a server's connection that failed is tried again soon: tests end backends, and create databases, on
      // purpose
      'server_login_retry = 0.1',
      '',
    ].join('\n'),
  )
  const words: string[] = []
  // it refuses to run as root
  const asRoot = process.getuid?.() === 0
  if (asRoot)
    for (const [path, mode] of [
      [folder, 0o755],
      [users, 0o644],
      [config, 0o644],
    ] as const)
      await chmod(path, mode)
  let child = launch()
  function launch(): ChildProcess {
    const launched = spawn(program, ['-q', ...(asRoot ? ['-u', 'postgres'] : []), config], {
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    launched.stderr!.setEncoding('utf8').on('data', text => words.push(text))
    return launched
  }
  const end = async (name: NodeJS.Signals): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return
    const exited = once(child, 'exit')
    child.kill(name)
    // recent versions wait for their clients at SIGTERM
    const late = setTimeout(() => child.kill('SIGKILL'), END_MS)
    await exited
    clearTimeout(late)
  }
  const stopAtExit = (): void => {
    child.kill('SIGKILL')
    rmSync(folder, { recursive: true, force: true })
  }
  process.once('exit', stopAtExit)
  const url = new URL(serverConnectionString)
  url.hostname = '127.0.0.1'
  url.port = String(port)
  const consoleUrl = new URL(url)
  consoleUrl.pathname = '/pgbouncer'
  try {
    await untilItAnswers(child, consoleUrl.href)
  } catch (error) {
    child.kill('SIGKILL')
    throw new Error(`PgBouncer did not start: ${words.join('').trim()}`, { cause: error })
  }
  return {
    connectionString: url.href,
    async clients(database, applicationName) {
      const rows = await ask(consoleUrl.href, 'SHOW CLIENTS')
      return rows.filter(row => row.database === database && row.application_name === applicationName).length
    },
    port,
    async command(text) {
      await ask(consoleUrl.href, text)
    },
    async restart(name, downMs) {
      await end(name)
      await new Promise(resolve => setTimeout(resolve, downMs))
      child = launch()
      await untilItAnswers(child, consoleUrl.href)
    },
    async suspend(ms) {
      child.kill('SIGSTOP')
      await new Promise(resolve => setTimeout(resolve, ms))
      child.kill('SIGCONT')
    },
    async stop() {
      process.off('exit', stopAtExit)
      await end('SIGTERM')
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/** @see https://www.pgbouncer.org/config.html#authentication-file-format */
function quoted(text: string): string {
  return `"${text.replaceAll('"', '""')}"`
}

const START_MS = 10_000
const END_MS = 500
const POLL_MS = 20

async function untilItAnswers(child: ChildProcess, consoleUrl: string): Promise<void> {
  const deadline = performance.now() + START_MS
  while (true) {
    try {
      await ask(consoleUrl, 'SHOW VERSION')
      return
    } catch (error) {
      if (child.exitCode !== null || child.signalCode !== null || performance.now() > deadline) throw error
      await new Promise(resolve => setTimeout(resolve, POLL_MS))
    }
  }
}

/** The console knows simple queries only. */
async function ask(consoleUrl: string, command: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: consoleUrl })
  client.on('error', () => {})
  await client.connect()
  try {
    return (await client.query(command)).rows
  } finally {
    await client.end()
  }
}
