import { readFile, realpath } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { dataHome } from './data-home.ts'
import { storedPassword } from './embedded-password.ts'
import {
  connectionStringFor,
  type EmbeddedServer,
  embeddedMajor,
  isFree,
  startEmbeddedServer,
} from './embedded-server.ts'
import { becomeLastUser, joinUsers } from './embedded-users.ts'

/** The embedded server whose data is kept. The commands share it. */
export interface EmbeddedDatabase {
  readonly connectionString: string
  readonly dataDir: string
  /** True if another process runs the server and will stop it. */
  readonly shared: boolean
  /** Leaves the server, and stops it if this process started it. */
  stop(): Promise<void>
  /** Leaves the server. If this process started it, stops it once no other session is connected to it. */
  stopWhenUnused(onWait: (sessions: number) => void): Promise<void>
}

/** A fixed port, so that a connection string is still right tomorrow. */
const USUAL_PORT = 54320

/** How long to wait for another process that starts the server at the same time. */
const OTHER_START_MS = 30_000

/** Connects to the running server, or starts one. */
export async function openEmbeddedDatabase(port?: number): Promise<EmbeddedDatabase> {
  const dataDir = dataHome(await embeddedMajor())
  const deadline = Date.now() + OTHER_START_MS
  for (;;) {
    const running = await findRunning(dataDir)
    if (running) return running
    try {
      return ownDatabase(await startServer(dataDir, port))
    } catch (error) {
      if (Date.now() > deadline || !(await isInUse(dataDir, error))) throw error
      await delay(200)
    }
  }
}

function ownDatabase(server: EmbeddedServer): EmbeddedDatabase {
  const { connectionString, dataDir } = server
  return {
    connectionString,
    dataDir,
    shared: false,
    stop: () => server.stop(),
    stopWhenUnused: async onWait => {
      const leave = await becomeLastUser(connectionString, onWait)
      await server.stop()
      await leave()
    },
  }
}

/**
 * Returns whether a start failed because another process has the data: it starts the server, stops it, or
 * sets its password.
 */
async function isInUse(dataDir: string, error: unknown): Promise<boolean> {
  if (String(error).includes('"postmaster.pid"')) return true
  const [pid] = await pidFile(dataDir)
  return isAlive(Math.abs(Number(pid))) // a server in single-user mode writes its negative
}

/**
 * Starts the server on the requested port. Without one, on the usual port, or on any free port if that one is
 * taken.
 */
async function startServer(dataDir: string, port: number | undefined): Promise<EmbeddedServer> {
  const options = { dataDir, stopOnSignal: false }
  if (port !== undefined) return startEmbeddedServer({ ...options, port })
  try {
    if (await isFree(USUAL_PORT)) return await startEmbeddedServer({ ...options, port: USUAL_PORT })
  } catch (error) {
    // the port may have been taken since it was tested
    if (await isFree(USUAL_PORT)) throw error
  }
  return startEmbeddedServer(options)
}

/**
 * Asks the server that `postmaster.pid` names. The file remains after a crash, and its port may belong to
 * another server now.
 */
async function findRunning(dataDir: string): Promise<EmbeddedDatabase | undefined> {
  const lines = await pidFile(dataDir)
  const port = Number(lines[3])
  if (!port || !isAlive(Number(lines[0]))) return undefined
  const password = await storedPassword(dataDir)
  if (password === undefined) return undefined
  const connectionString = connectionStringFor(port, password)
  const leave = await joinUsers(connectionString, await realpath(dataDir))
  return leave && { connectionString, dataDir, shared: true, stop: leave, stopWhenUnused: leave }
}

async function pidFile(dataDir: string): Promise<string[]> {
  return (await readFile(join(dataDir, 'postmaster.pid'), 'utf8').catch(() => '')).split('\n')
}

/**
 * Returns whether the process exists. If it is gone, its port may belong to another user's server, which must
 * not see the password.
 */
function isAlive(pid: number): boolean {
  try {
    return pid > 0 && process.kill(pid, 0)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
