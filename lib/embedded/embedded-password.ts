import { execFile, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { readFile, rename, rm, writeFile } from 'node:fs/promises'
import { promisify } from 'node:util'

/** The only role that the embedded server comes with. */
export const EMBEDDED_USER = 'postgres'

/** What the password was, for everyone, before each data directory had one of its own. */
const FORMER_PASSWORD = 'postgres'

/** Beside the data, which belongs to another user when the server is root's. Of pgpass's format, so that psql takes it. */
export function passwordFileOf(dataDir: string): string {
  return `${dataDir}.password`
}

/** The password of a server that runs already. */
export async function runningPassword(dataDir: string): Promise<string> {
  return (await storedPassword(dataDir)) ?? FORMER_PASSWORD
}

/** @see https://www.postgresql.org/docs/current/libpq-pgpass.html */
async function storedPassword(dataDir: string): Promise<string | undefined> {
  const text = await readFile(passwordFileOf(dataDir), 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return ''
    throw error
  })
  return /^[^:]*:[^:]*:[^:]*:[^:]*:([\w-]+)$/m.exec(text)?.[1]
}

export interface StoppedCluster {
  readonly dataDir: string
  /** The program `postgres`. */
  readonly program: string
  /** True where the server runs as the user `postgres`. */
  readonly asRoot: boolean
  /** Keeps the password in the file; else it is the caller's alone. */
  readonly keep: boolean
}

/**
 * The password of a cluster that is not running. A cluster without a file gets a new one, before it listens for the first
 * time: initdb's stood in a file that others could read, and older versions used the same for all.
 */
export async function clusterPassword(cluster: StoppedCluster): Promise<string> {
  const { dataDir, keep } = cluster
  const stored = keep ? await storedPassword(dataDir) : undefined
  if (stored !== undefined) return stored
  const password = randomBytes(24).toString('base64url')
  await runAlone(cluster, `ALTER ROLE ${EMBEDDED_USER} PASSWORD '${password}'\n`)
  if (keep) await writePassword(passwordFileOf(dataDir), password)
  return password
}

/** Only whole, and never readable by others. */
async function writePassword(path: string, password: string): Promise<void> {
  const draft = `${path}.${process.pid}`
  await rm(draft, { force: true })
  await writeFile(draft, `127.0.0.1:*:*:${EMBEDDED_USER}:${password}\n`, { mode: 0o600, flag: 'wx' })
  await rename(draft, path)
}

/**
 * Runs a statement in single-user mode, in which the server listens nowhere. It comes by standard input, since others may
 * read the arguments of a process.
 * @see https://www.postgresql.org/docs/current/app-postgres.html
 */
async function runAlone({ dataDir, program, asRoot }: StoppedCluster, sql: string): Promise<void> {
  const child = spawn(program, ['--single', '-D', dataDir, 'postgres'], {
    stdio: ['pipe', 'ignore', 'pipe'],
    ...(asRoot ? await idsOf(EMBEDDED_USER) : {}),
  })
  let said = ''
  child.stderr.setEncoding('utf8').on('data', text => (said += text))
  child.stdin.on('error', () => {}) // it may have ended already
  child.stdin.end(sql)
  const status = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', resolve)
  })
  const fault = /^.*(?:ERROR|FATAL|PANIC):.*$/m.exec(said)
  if (status !== 0 || fault) throw new Error(fault?.[0] ?? said.trim().split('\n').at(-1))
}

async function idsOf(user: string): Promise<{ uid: number; gid: number }> {
  const id = async (flag: string) => Number((await promisify(execFile)('id', [flag, user])).stdout)
  return { uid: await id('-u'), gid: await id('-g') }
}
