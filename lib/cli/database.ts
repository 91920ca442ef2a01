import pg from 'pg'
import { openEmbeddedDatabase } from './embedded-database.ts'
import { usageFailure } from './failure.ts'
import { plural } from './report.ts'

/** The database that rows go to, as the command line and the environment choose it. */
export interface Database {
  readonly pool: pg.Pool
  /** Which one it is, in words, without a password. */
  readonly name: string
  close(): Promise<void>
}

export interface DatabaseRequest {
  /** `--database`. */
  readonly url?: string | undefined
  readonly connections: number
  /** Told what the user should know, a line at a time. */
  readonly notify: (line: string) => void
}

export async function openDatabase(request: DatabaseRequest): Promise<Database> {
  const choice = chooseDatabase(request.url, process.env)
  if (choice.kind === 'embedded') return openEmbedded(request)
  const pool = makePool(choice.kind === 'url' ? { connectionString: choice.url } : {}, request.connections)
  return { pool, name: nameOf(pool), close: () => pool.end() }
}

export type DatabaseChoice = { kind: 'url'; url: string } | { kind: 'environment' } | { kind: 'embedded' }

/** `--database`, else DATABASE_URL, else PG* (which pg reads itself), else the embedded server. */
export function chooseDatabase(option: string | undefined, env: NodeJS.ProcessEnv): DatabaseChoice {
  const url = option ?? env.DATABASE_URL
  if (url) return { kind: 'url', url: checkedUrl(url, option === undefined ? 'DATABASE_URL' : '--database') }
  const named = env.PGHOST || env.PGPORT || env.PGUSER || env.PGDATABASE
  return { kind: named ? 'environment' : 'embedded' }
}

/** The text is not repeated: it may hold a password. */
function checkedUrl(url: string, source: string): string {
  if (!/^postgres(ql)?:\/\//.test(url) || !URL.canParse(url)) {
    throw usageFailure(`Expected ${source} to look like postgres://user:password@host:5432/database`)
  }
  return url
}

async function openEmbedded({ connections, notify }: DatabaseRequest): Promise<Database> {
  const embedded = await openEmbeddedDatabase()
  const state = embedded.shared ? 'which is running' : 'started for this load'
  notify(`No database named: using the embedded PostgreSQL, ${state}.`)
  notify(`Its data: ${embedded.dataDir}. To look at it: pg-batch server`)
  const pool = makePool({ connectionString: embedded.connectionString }, connections)
  return {
    pool,
    name: 'the embedded PostgreSQL',
    close: async () => {
      await pool.end()
      await embedded.stopWhenUnused(sessions =>
        notify(`Waiting for ${plural(sessions, 'other session')} to leave the embedded server.`),
      )
    },
  }
}

function makePool(config: pg.PoolConfig, connections: number): pg.Pool {
  const pool = new pg.Pool({ ...config, max: connections, application_name: 'pg-batch' })
  // a connection that breaks while idle is replaced at its next use; unheard, the event would end the process
  pool.on('error', () => {})
  return pool
}

function nameOf(pool: pg.Pool): string {
  const { host, port, database } = new pg.Client(pool.options)
  return `database "${database}" on ${host}:${port}`
}
