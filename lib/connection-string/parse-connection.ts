import { nearest } from '../values/names/nearest.ts'
import { MAX_TIMER_MS } from '../values/time/timer-limit.ts'
import { type ConnectionParameters, SESSION_ATTRS } from './connection-parameters.ts'
import { IGNORED, KNOWN_NAMES, REFUSED, SERVICE, USED } from './parameter-names.ts'
import { parseServers } from './parse-servers.ts'
import { parseTls } from './parse-tls.ts'
import { readSettings } from './read-settings.ts'
import { SettingValues } from './setting-values.ts'
import type { Settings } from './settings.ts'
import { ConnectionStringError } from './settings-error.ts'

/**
 * Parses a connection string as libpq does, with the PG* variables for what the string does not have. A
 * parameter is rejected if ignoring it could connect to another server, or less safely. One that only tunes
 * another library is noted.
 * @param text undefined to use the variables alone
 * @param source what messages call the string; they never contain a part of a password
 * @throws ConnectionStringError
 */
export function parseConnection(
  text: string | undefined,
  source: string,
  env: Readonly<Record<string, string | undefined>>,
): ConnectionParameters {
  const settings: Settings = text === undefined ? new Map() : readSettings(text, source)
  checkNames(settings, source)
  const values = new SettingValues(settings, source, env)
  checkRefused(values)
  const servers = parseServers(values)
  const tls = parseTls(values, servers)
  const channelBinding = values.oneOf('channel_binding', ['disable', 'prefer', 'require'])
  if (channelBinding === 'require' && (!tls || servers.some(({ host }) => host?.startsWith('/')))) {
    throw new ConnectionStringError(
      `Expected sslmode with ${values.nameOf('channel_binding')} "require", which binds to TLS: ` +
        'sslmode=verify-full, for example',
    )
  }
  const several = servers.length > 1
  return {
    servers,
    ...values.pick({ database: 'dbname', user: 'user', password: 'password' }),
    tls,
    channelBinding,
    sessionAttrs: values.oneOf('target_session_attrs', SESSION_ATTRS) ?? (several ? 'read-write' : 'any'),
    loadBalance: values.oneOf('load_balance_hosts', ['disable', 'random']) === 'random',
    connectTimeoutMs: connectTimeout(values),
    ...values.pick({ options: 'options' }),
    ...applicationName(values),
    clientSettings: clientSettings(values),
    notes: notes(settings, values),
  }
}

function checkNames(settings: Settings, source: string): void {
  for (const name of settings.keys()) {
    if (SERVICE.includes(name)) throw unreadService(source)
    if (KNOWN_NAMES.has(name)) continue
    const near = nearest(name, [...USED, ...Object.keys(REFUSED), ...IGNORED])
    const hint = near.length === 0 ? '' : `; did you mean ${near.join(' or ')}?`
    // among keywords, an unknown name may be a part of a password with a space in it
    const shown = near.length > 0 || !settings.has('password') ? ` "${name}"` : ''
    throw new ConnectionStringError(`${source} has an unknown parameter${shown}${hint}`)
  }
}

export function unreadService(source: string): ConnectionStringError {
  return new ConnectionStringError(
    `${source} names a service, and pg_service.conf is not read; name the host and the database themselves`,
  )
}

function checkRefused(values: SettingValues): void {
  for (const [name, { harmless = [], instead }] of Object.entries(REFUSED)) {
    const value = values.get(name)
    if (value === undefined || harmless.includes(value)) continue
    const but = harmless.length === 0 ? '' : `, except as ${harmless.map(word => `"${word}"`).join(' or ')}`
    throw new ConnectionStringError(
      `${values.nameOf(name)} cannot be honoured${but}, and is not ignored; leave it out` +
        `${instead ? `: ${instead}` : ''}`,
    )
  }
}

/** Returns the limit. In the string it is in whole seconds, and 0 means no limit, as in libpq. */
function connectTimeout(values: SettingValues): number | undefined {
  const seconds = values.get('connect_timeout')
  if (seconds === undefined) return undefined
  if (!/^-?\d{1,9}$/.test(seconds)) {
    throw new ConnectionStringError(
      `Expected ${values.nameOf('connect_timeout')} to be whole seconds, got "${seconds}"`,
    )
  }
  const ms = Number(seconds) * 1000
  return ms <= 0 ? MAX_TIMER_MS : Math.min(ms, MAX_TIMER_MS)
}

function applicationName(values: SettingValues): { applicationName?: string } {
  const applicationName = values.get('application_name') ?? values.get('fallback_application_name')
  return applicationName === undefined ? {} : { applicationName }
}

const TIMEOUTS = ['statement_timeout', 'lock_timeout', 'idle_in_transaction_session_timeout', 'query_timeout']

function clientSettings(values: SettingValues): Record<string, string | number | boolean> {
  const timeouts = TIMEOUTS.flatMap(name => {
    const ms = values.wholeNumber(name)
    return ms === undefined ? [] : [[name, ms] as const]
  })
  const keepAlive = values.oneOf('keepalives', ['0', '1'])
  const idleSeconds = values.wholeNumber('keepalives_idle')
  return {
    ...Object.fromEntries(timeouts),
    ...(keepAlive === undefined && idleSeconds === undefined ? {} : { keepAlive: keepAlive !== '0' }),
    ...(idleSeconds === undefined ? {} : { keepAliveInitialDelayMillis: idleSeconds * 1000 }),
  }
}

function notes(settings: Settings, values: SettingValues): string[] {
  const found: string[] = []
  const ignored = [...settings.keys()].filter(name => IGNORED.has(name))
  if (ignored.length > 0) found.push(`${values.source}: ignored, as another library's: ${ignored.join(', ')}`)
  const schema = settings.get('schema') ?? settings.get('currentSchema')
  if (schema !== undefined && schema !== '' && schema !== 'public') {
    found.push(`${values.source}: its schema is ignored, too: name the table as schema.table`)
  }
  const encoding = values.get('client_encoding')
  if (encoding !== undefined && !/^(utf-?8|unicode|auto)$/i.test(encoding)) {
    found.push(`${values.nameOf('client_encoding')} is ignored: what is sent is UTF-8`)
  }
  return found
}
