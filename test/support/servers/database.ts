import { randomBytes } from 'node:crypto'
import pg from 'pg'
import type { EmbeddedServer } from '../../../lib/embedded/embedded-server.ts'
import { startMemoryServer } from './memory-server.ts'
import { type PgBouncer, startPgBouncer } from './pgbouncer.ts'

/**
 * One server for a whole test run, or for each worker of a parallel one: the one that DATABASE_URL or PG*
 * variables name, else an embedded one. Each test file gets a database of its own on it. With
 * PG_BATCH_TEST_POOLER=pgbouncer the toolkit reaches it by way of PgBouncer in transaction mode, and only the
 * tests' own look-ups go to it directly.
 */
interface TestServer {
  connectionString: string
  embedded?: EmbeddedServer
  pooler?: PgBouncer
}

// mocha loads some test files with require and others with import, each with a copy of this module
const shared = globalThis as { pgBatchTestServer?: Promise<TestServer> | undefined }

export function testServer(): Promise<TestServer> {
  shared.pgBatchTestServer ??= startServer()
  return shared.pgBatchTestServer
}

async function startServer(): Promise<TestServer> {
  const server = await findServer()
  const { PG_BATCH_TEST_POOLER: pooler } = process.env
  if (!pooler) return server
  if (pooler !== 'pgbouncer') throw new Error(`PG_BATCH_TEST_POOLER is to be pgbouncer, not ${pooler}`)
  try {
    return { ...server, pooler: await startPgBouncer(server.connectionString) }
  } catch (error) {
    await server.embedded?.stop()
    throw error
  }
}

async function findServer(): Promise<TestServer> {
  const { DATABASE_URL, PGHOST, PGPORT, PGUSER, PGPASSWORD, PGDATABASE, PG_BATCH_TEST_PACKAGES } = process.env
  if (DATABASE_URL) return { connectionString: DATABASE_URL }
  if (PGHOST) {
    const url = new URL(`postgres://${PGHOST}:${PGPORT ?? 5432}/${PGDATABASE ?? 'postgres'}`)
    url.username = PGUSER ?? 'postgres'
    url.password = PGPASSWORD ?? ''
    return { connectionString: url.href }
  }
  const embedded = await withEnvironment(FEW_PAGE_FAULTS, () =>
    startMemoryServer({
      settings: ['max_connections=200'],
      ...(PG_BATCH_TEST_PACKAGES ? { packageRoot: PG_BATCH_TEST_PACKAGES } : {}),
    }),
  )
  await makeLoginsCheap(embedded.connectionString)
  return { connectionString: embedded.connectionString, embedded }
}

/**
 * Makes sessions take memory in large pages, and keep what they have freed. Page faults are a third of what a
 * server computes for short sessions. Only the C library of most Linux systems reads these.
 * @see https://www.gnu.org/software/libc/manual/html_node/Memory-Allocation-Tunables.html
 */
const FEW_PAGE_FAULTS = {
  GLIBC_TUNABLES: 'glibc.malloc.hugetlb=1',
  MALLOC_TOP_PAD_: String(4 * 2 ** 20),
  MALLOC_TRIM_THRESHOLD_: String(64 * 2 ** 20),
  MALLOC_MMAP_THRESHOLD_: String(64 * 2 ** 20),
}

/** Runs `work` with other variables. What it starts inherits them; what is started later does not. */
async function withEnvironment<Result>(
  variables: Record<string, string>,
  work: () => Promise<Result>,
): Promise<Result> {
  const before = { ...process.env }
  Object.assign(process.env, variables)
  try {
    return await work()
  } finally {
    for (const name of Object.keys(variables)) {
      if (before[name] === undefined) delete process.env[name]
      else process.env[name] = before[name]
    }
  }
}

/**
 * Stores the password anew, hashed once instead of 4096 times. The suite logs in many thousand times, and the
 * hashing is a third of what the client computes for it. PostgreSQL 15 cannot do so.
 */
async function makeLoginsCheap(connectionString: string): Promise<void> {
  const client = new pg.Client({ connectionString })
  await client.connect()
  try {
    const { rows } = await client.query(`SELECT 1 FROM pg_settings WHERE name = 'scram_iterations'`)
    if (rows.length === 0) return
    const password = client.escapeLiteral(client.password as string)
    await client.query(`SET scram_iterations = 1; ALTER ROLE CURRENT_USER PASSWORD ${password}`)
  } finally {
    await client.end()
  }
}

export async function stopTestServer(): Promise<void> {
  const server = await shared.pgBatchTestServer
  shared.pgBatchTestServer = undefined
  await server?.pooler?.stop()
  await server?.embedded?.stop()
}

export interface TestDatabase {
  /** For the toolkit: leads through the pooler, where there is one. */
  readonly connectionString: string
  /** Leads to the server itself: for set-up, and for what a session has to be one's own for. */
  readonly directConnectionString: string
  /** A pool of the tests' own, directly to the server: for set-up and for looking at what was stored. */
  readonly pool: pg.Pool
  /** What stands between the toolkit and the server, if anything. */
  readonly pooler: PgBouncer | undefined
  readonly name: string
}

/**
 * Makes a database by copying files. From PostgreSQL 15 on, the server writes each page to its log otherwise,
 * which takes it five times the CPU time; before, it has no other way.
 */
export async function createDatabase(admin: pg.Pool | pg.Client, name: string): Promise<void> {
  const { rows } = await admin.query("SELECT current_setting('server_version_num')::int AS version")
  await admin.query(`CREATE DATABASE ${name} ${rows[0].version < 150_000 ? '' : 'STRATEGY file_copy'}`)
}

/**
 * Gives the surrounding `describe` a fresh database: made before its tests, dropped after them.
 * What it returns may be read inside hooks and tests only.
 */
export function useDatabase(): TestDatabase {
  const name = `test_${randomBytes(6).toString('hex')}`
  let admin: pg.Pool
  let connectionString = ''
  let directConnectionString = ''
  let pool: pg.Pool
  let pooler: PgBouncer | undefined
  before(async () => {
    const server = await testServer()
    admin = new pg.Pool({ connectionString: server.connectionString, max: 1 })
    admin.on('error', () => {}) // the server may stop while the pool still says goodbye
    await createDatabase(admin, name)
    pooler = server.pooler
    directConnectionString = withDatabase(server.connectionString, name)
    connectionString = pooler ? withDatabase(pooler.connectionString, name) : directConnectionString
    pool = new pg.Pool({ connectionString: directConnectionString, max: 20 })
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
    get directConnectionString() {
      return directConnectionString
    },
    get pool() {
      return pool
    },
    get pooler() {
      return pooler
    },
    name,
  }
}

function withDatabase(connectionString: string, name: string): string {
  const url = new URL(connectionString)
  url.pathname = `/${name}`
  return url.href
}
