import { randomBytes } from 'node:crypto'
import pg from 'pg'
import { type EmbeddedServer, startEmbeddedServer } from '../../lib/cli/embedded-server.ts'

/**
 * One server for a whole test run: the one that DATABASE_URL or PG* variables name, else an embedded one.
 * Each test file gets a database of its own on it.
 */
interface TestServer {
  connectionString: string
  embedded?: EmbeddedServer
}

// mocha loads some test files with require and others with import, each with a copy of this module
const shared = globalThis as { pgBatchTestServer?: Promise<TestServer> | undefined }

export function testServer(): Promise<TestServer> {
  shared.pgBatchTestServer ??= startServer()
  return shared.pgBatchTestServer
}

async function startServer(): Promise<TestServer> {
  const { DATABASE_URL, PGHOST, PGPORT, PGUSER, PGPASSWORD, PGDATABASE, PG_BATCH_TEST_PACKAGES } = process.env
  if (DATABASE_URL) return { connectionString: DATABASE_URL }
  if (PGHOST) {
    const url = new URL(`postgres://${PGHOST}:${PGPORT ?? 5432}/${PGDATABASE ?? 'postgres'}`)
    url.username = PGUSER ?? 'postgres'
    url.password = PGPASSWORD ?? ''
    return { connectionString: url.href }
  }
  const embedded = await startEmbeddedServer({
    durable: false,
    settings: ['max_connections=200'],
    ...(PG_BATCH_TEST_PACKAGES ? { packageRoot: PG_BATCH_TEST_PACKAGES } : {}),
  })
  return { connectionString: embedded.connectionString, embedded }
}

export async function stopTestServer(): Promise<void> {
  const server = await shared.pgBatchTestServer
  shared.pgBatchTestServer = undefined
  await server?.embedded?.stop()
}

export interface TestDatabase {
  readonly connectionString: string
  /** A pool of the tests' own, for set-up and for looking at what was stored. */
  readonly pool: pg.Pool
}

/**
 * Gives the surrounding `describe` a fresh database: made before its tests, dropped after them.
 * What it returns may be read inside hooks and tests only.
 */
export function useDatabase(): TestDatabase {
  const name = `test_${randomBytes(6).toString('hex')}`
  let admin: pg.Pool
  let connectionString = ''
  let pool: pg.Pool
  before(async () => {
    const server = await testServer()
    admin = new pg.Pool({ connectionString: server.connectionString, max: 1 })
    admin.on('error', () => {}) // the server may stop while the pool still says goodbye
    await admin.query(`CREATE DATABASE ${name}`)
    const url = new URL(server.connectionString)
    url.pathname = `/${name}`
    connectionString = url.href
    pool = new pg.Pool({ connectionString, max: 20 })
    pool.on('error', () => {}) // tests end backends on purpose
  })
  after(async () => {
    await pool?.end()
    await admin?.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`)
    await admin?.end()
  })
  return {
    get connectionString() {
      return connectionString
    },
    get pool() {
      return pool
    },
  }
}
