import { readFile, realpath } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import pg from 'pg'
import { dataHome } from './data-home.ts'
import { runningPassword } from './embedded-password.ts'
import {
  connectionStringFor,
  type EmbeddedServer,
  embeddedMajor,
  isFree,
  startEmbeddedServer,
} from './embedded-server.ts'

/** The embedded server with the data that stays, as the commands share it. */
export interface EmbeddedDatabase {
  readonly connectionString: string
  readonly dataDir: string
  /** True when another process runs it, and will stop it. */
  readonly shared: boolean
  /** Stops it now, if this process started it. */
  stop(): Promise<void>
  /** The same, once no other session is left on it. */
  stopWhenUnused(onWait: (sessions: number) => void): Promise<void>
}

/** So that a connection string which somebody wrote down still holds tomorrow. */
const USUAL_PORT = 54320

/** Uses the server when it is running already, else starts it. */
export async function openEmbeddedDatabase(port?: number): Promise<EmbeddedDatabase> {
  const dataDir = dataHome(await embeddedMajor())
  const running = await findRunning(dataDir)
  if (running) return running
  try {
    const server = await startServer(dataDir, port)
    const { connectionString } = server
    return {
      connectionString,
      dataDir,
      shared: false,
      stop: () => server.stop(),
      stopWhenUnused: async onWait => {
        await othersGone(connectionString, onWait)
        await server.stop()
      },
    }
  } catch (error) {
    // another process may have started it in the meantime
    const started = await findRunning(dataDir)
    if (started) return started
    throw error
  }
}

/** Starts it on the port that was asked for, else on the usual one, else, where that one is taken, on any. */
async function startServer(dataDir: string, port: number | undefined): Promise<EmbeddedServer> {
  const options = { dataDir, stopOnSignal: false }
  if (port !== undefined) return startEmbeddedServer({ ...options, port })
  try {
    if (await isFree(USUAL_PORT)) return await startEmbeddedServer({ ...options, port: USUAL_PORT })
  } catch (error) {
    // taken between the look at it and the start?
    if (await isFree(USUAL_PORT)) throw error
  }
  return startEmbeddedServer(options)
}

/** Asks the server that `postmaster.pid` speaks of: the file outlives a crash, and its port may be another's now. */
async function findRunning(dataDir: string): Promise<EmbeddedDatabase | undefined> {
  const lines = (await readFile(join(dataDir, 'postmaster.pid'), 'utf8').catch(() => '')).split('\n')
  const port = Number(lines[3])
  if (!port || !isAlive(Number(lines[0]))) return undefined
  const connectionString = connectionStringFor(port, await runningPassword(dataDir))
  const served = await servedDirectory(connectionString)
  if (served === undefined || served !== (await realpath(dataDir))) return undefined
  return { connectionString, dataDir, shared: true, stop: async () => {}, stopWhenUnused: async () => {} }
}

/** Of a server that is gone, another user's may have the port, and would be shown the password. */
function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

async function servedDirectory(connectionString: string): Promise<string | undefined> {
  for (let attempt = 0; attempt < 100; attempt++) {
    try {
      const [row] = await ask(connectionString, "SELECT current_setting('data_directory') AS answer")
      return row?.answer as string
    } catch (error) {
      if ((error as { code?: string }).code !== CANNOT_CONNECT_NOW) return undefined
      await delay(100)
    }
  }
  return undefined
}

/** SQLSTATE 57P03, cannot_connect_now: the server is starting up. */
const CANNOT_CONNECT_NOW = '57P03'

/** Another load may have found this server running, and rely on it. */
async function othersGone(connectionString: string, onWait: (sessions: number) => void): Promise<void> {
  const others = `SELECT count(*)::int AS answer FROM pg_stat_activity
    WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()`
  let told = false
  for (;;) {
    const rows = await ask(connectionString, others).catch(() => []) // it may have been stopped already
    const sessions = Number(rows[0]?.answer ?? 0)
    if (sessions === 0) return
    if (!told) onWait(sessions)
    told = true
    await delay(200)
  }
}

async function ask(connectionString: string, sql: string): Promise<{ answer: unknown }[]> {
  const client = new pg.Client({ connectionString, connectionTimeoutMillis: 3000 })
  client.on('error', () => {})
  try {
    await client.connect()
    return (await client.query<{ answer: unknown }>(sql)).rows
  } finally {
    await client.end().catch(() => {})
  }
}
