import { execFile, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { chown, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { faultIn, lastLine } from './embedded-errors.ts'

/** The only role of a new embedded server. */
export const EMBEDDED_USER = 'postgres'

/**
 * Returns the path of the password file. It is part of the data, so that both appear and are deleted at the
 * same moment. Its format is that of pgpass, so that psql reads it.
 */
export function passwordFileOf(dataDir: string): string {
  return join(dataDir, 'pg-batch.password')
}

/**
 * Returns the password that a data directory has, if it has one.
 * @see https://www.postgresql.org/docs/current/libpq-pgpass.html
 */
export async function storedPassword(dataDir: string): Promise<string | undefined> {
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
}

/**
 * Gives a cluster that is not running a new password before it first listens: initdb reads its password from
 * a file that other users could read.
 */
export async function setPassword(cluster: StoppedCluster): Promise<string> {
  const password = randomBytes(24).toString('base64url')
  const owner = cluster.asRoot ? await idsOf(EMBEDDED_USER) : undefined
  await runAlone(cluster, `ALTER ROLE ${EMBEDDED_USER} PASSWORD '${password}'\n`, owner)
  await writePassword(passwordFileOf(cluster.dataDir), password, owner)
  return password
}

/** Replaces the file as a whole. Other users can never read it. */
async function writePassword(path: string, password: string, owner: Ids | undefined): Promise<void> {
  const draft = `${path}.${process.pid}`
  await rm(draft, { force: true })
  await writeFile(draft, `127.0.0.1:*:*:${EMBEDDED_USER}:${password}\n`, { mode: 0o600, flag: 'wx' })
  // a server that copies its data, as for pg_basebackup, has to read all of it
  if (owner) await chown(draft, owner.uid, owner.gid)
  await rename(draft, path)
}

/**
 * Runs a statement in single-user mode, in which the server does not listen. The statement goes through
 * standard input, because other users can read the arguments of a process.
 * @see https://www.postgresql.org/docs/current/app-postgres.html
 */
async function runAlone(
  { dataDir, program }: StoppedCluster,
  sql: string,
  owner: Ids | undefined,
): Promise<void> {
  const child = spawn(program, ['--single', '-D', dataDir, 'postgres'], {
    stdio: ['pipe', 'ignore', 'pipe'],
    ...owner,
  })
  let said = ''
  child.stderr.setEncoding('utf8').on('data', text => (said += text))
  child.stdin.on('error', () => {}) // the process may have ended already
  child.stdin.end(sql)
  const status = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', resolve)
  })
  const fault = faultIn(said)
  if (status !== 0 || fault) throw new Error(fault ?? lastLine(said))
}

interface Ids {
  readonly uid: number
  readonly gid: number
}

async function idsOf(user: string): Promise<Ids> {
  const id = async (flag: string) => Number((await promisify(execFile)('id', [flag, user])).stdout)
  return { uid: await id('-u'), gid: await id('-g') }
}
