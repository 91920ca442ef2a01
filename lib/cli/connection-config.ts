import pg from 'pg'
import { usageFailure } from './failure.ts'

/** What of a connection pg does not read by itself, or reads without a look at it. */
export interface ConnectionConfig {
  readonly connectionString?: string
  /** The session's startup options, where there are some beside those of the URL. */
  readonly options?: string
  readonly connectTimeoutMs: number
}

/** As libpq says of it, a peer that accepts and stays silent would be waited for without end. */
const DEFAULT_CONNECT_TIMEOUT_MS = 30_000

/** The longest that a timer runs, in place of no end: 24 days. */
const MAX_TIMER_MS = 2 ** 31 - 1

/**
 * Checks a URL, or PG* alone, and adds what libpq takes from the environment and pg does not.
 * @param source the option or variable that the URL comes from
 * @see https://www.postgresql.org/docs/current/libpq-envars.html
 * @throws Failure that does not repeat the URL, which may hold a password
 */
export function connectionConfig(
  url: string | undefined,
  source: string,
  env: NodeJS.ProcessEnv,
): ConnectionConfig {
  if (url !== undefined) checkUrl(url, source)
  const query = new URLSearchParams(url === undefined ? '' : queryOf(url))
  checkPort(url, query, source, env)
  checkSslMode(query, source, env)
  const connectTimeoutMs = connectTimeout(query, source, env)
  const session = sessionOptions(env)
  if (session.length === 0)
    return { ...(url === undefined ? {} : { connectionString: url }), connectTimeoutMs }
  const options = [query.get('options') ?? env.PGOPTIONS ?? '', ...session].join(' ').trim()
  return url === undefined
    ? { options, connectTimeoutMs }
    : { connectionString: withOptions(url, options), connectTimeoutMs }
}

function checkUrl(url: string, source: string): void {
  const example = 'postgres://user:password@host:5432/database'
  if (url === '')
    throw usageFailure(`Expected ${source} to look like ${example}, got nothing (an unset variable?)`)
  if (/^postgres(ql)?:\/*$/.test(url)) {
    throw usageFailure(`Expected ${source} to look like ${example}, got no more than its beginning`)
  }
  if (!/^postgres(ql)?:\/\//.test(url) || !isUrl(url, source)) {
    throw usageFailure(`Expected ${source} to look like ${example}`)
  }
  if (new URLSearchParams(queryOf(url)).has('service')) throw unreadService(source)
}

/** Asks pg itself, which reads URLs that the standard does not know: `postgres://me:secret@/shop?host=/tmp`. */
function isUrl(url: string, source: string): boolean {
  try {
    new pg.Client({ connectionString: url })
    return true
  } catch (error) {
    const { code, syscall, message } = error as NodeJS.ErrnoException
    if (code === 'ERR_INVALID_URL' || error instanceof URIError) return false
    if (syscall !== undefined) throw error // a certificate that cannot be read
    throw usageFailure(`${source}: ${message}`, error)
  }
}

export function unreadService(source: string): Error {
  return usageFailure(
    `${source} names a service, and pg_service.conf is not read; name the database with --database, DATABASE_URL or PGHOST`,
  )
}

function queryOf(url: string): string {
  return /\?([^#]*)/.exec(url)?.[1] ?? ''
}

/** A port that the URL does not name is PGPORT's; pg reads as much of it as is a number. */
function checkPort(
  url: string | undefined,
  query: URLSearchParams,
  source: string,
  env: NodeJS.ProcessEnv,
): void {
  const named = query.get('port') || /^\w+:\/\/[^/?#]*:(\d+)(?=[/?#]|$)/.exec(url ?? '')?.[1]
  const port = named || env.PGPORT
  if (!port || (/^\d{1,5}$/.test(port) && Number(port) >= 1 && Number(port) <= 65_535)) return
  throw usageFailure(
    `Expected ${named ? `the port of ${source}` : 'PGPORT'} to be from 1 to 65535, got "${port}"`,
  )
}

/** `no-verify` is one of pg's own. */
const SSL_MODES = ['disable', 'allow', 'prefer', 'require', 'verify-ca', 'verify-full', 'no-verify']

/** One that pg does not know would be no TLS at all, without a word. */
function checkSslMode(query: URLSearchParams, source: string, env: NodeJS.ProcessEnv): void {
  const named = query.get('sslmode')
  const mode = named ?? env.PGSSLMODE
  if (!mode || SSL_MODES.includes(mode)) return
  throw usageFailure(
    `Expected ${named === null ? 'PGSSLMODE' : `sslmode of ${source}`} to be ${SSL_MODES.join(' or ')}, got "${mode}"`,
  )
}

/** Seconds; 0 is without end, as for libpq. */
function connectTimeout(query: URLSearchParams, source: string, env: NodeJS.ProcessEnv): number {
  const named = query.get('connect_timeout')
  const seconds = named ?? env.PGCONNECT_TIMEOUT
  if (!seconds) return DEFAULT_CONNECT_TIMEOUT_MS
  if (!/^-?\d{1,9}$/.test(seconds)) {
    const whose = named === null ? 'PGCONNECT_TIMEOUT' : `connect_timeout of ${source}`
    throw usageFailure(`Expected ${whose} to be whole seconds, got "${seconds}"`)
  }
  return Number(seconds) <= 0 ? MAX_TIMER_MS : Math.min(Number(seconds) * 1000, MAX_TIMER_MS)
}

/** What decides how texts of dates and times are read; the values that are stored are those of psql's \copy then. */
function sessionOptions(env: NodeJS.ProcessEnv): string[] {
  return Object.entries({ TimeZone: env.PGTZ, DateStyle: env.PGDATESTYLE }).flatMap(([name, value]) =>
    value ? [`-c ${name}=${value.replace(/[\\\s]/g, '\\$&')}`] : [],
  )
}

/** The last one counts where a name comes twice. */
function withOptions(url: string, options: string): string {
  const bare = url.replace(/#.*/, '')
  return `${bare}${bare.includes('?') ? '&' : '?'}options=${encodeURIComponent(options)}`
}
