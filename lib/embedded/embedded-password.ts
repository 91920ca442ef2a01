import { execFile, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { readFile, rename, rm, writeFile } from 'node:fs/promises'
import { promisify } from 'node:util'

/** The only role of a new embedded server. */
export const EMBEDDED_USER = 'postgres'

/** The password of older versions, which was the same for all data directories. */
const FORMER_PASSWORD = 'postgres'

/**
 * Returns the path of the password file. It is beside the data, because the data of root's server belongs to
 * another user. Its format is that of pgpass, so that psql reads it.
 */
export function passwordFileOf(dataDir: string): string {
  return `${dataDir}.password`
}

/** Returns the password of a running server. */
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
  /** The path of the program `postgres`. */
  readonly program: string
  /** True if the server runs as the user `postgres`. */
  readonly asRoot: boolean
  /** Keep the password in the file. Otherwise only the caller has it. */
  readonly keep: boolean
}

/**
 * Returns the password of a cluster that is not running. A cluster without a password file gets a new
 * password before it first listens: initdb reads its password from a file that other users could read, and
 * older versions used the same password for all.
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

/** Replaces the file as a whole. Other users can never read it. */
async function writePassword(path: string, password: string): Promise<void> {
  const draft = `${path}.${process.pid}`
  await rm(draft, { force: true })
  await writeFile(draft, `127.0.0.1:*:*:${EMBEDDED_USER}:${password}\n`, { mode: 0o600, flag: 'wx' })
  await rename(draft, path)
}

/**
 * Runs a statement in single-user mode, in which the server does not listen. The statement goes through
 * standard input, because other users can read the arguments of a process.
 * @see https://www.postgresql.org/docs/current/app-postgres.html
 */
async function runAlone({ dataDir, program, asRoot }: StoppedCluster, sql: string): Promise<void> {
  const child = spawn(program, ['--single', '-D', dataDir, 'postgres'], {
    stdio: ['pipe', 'ignore', 'pipe'],
    ...(asRoot ? await idsOf(EMBEDDED_USER) : {}),
  })
  let said = ''
  child.stderr.setEncoding('utf8').on('data', text => (said += text))
  child.stdin.on('error', () => {}) // the process may have ended already
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
