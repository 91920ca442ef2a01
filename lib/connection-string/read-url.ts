import { KNOWN_NAMES } from './parameter-names.ts'
import type { Settings } from './settings.ts'
import { ConnectionStringError, malformed, unlike } from './settings-error.ts'

/**
 * Reads `postgres://user:password@host1:5432,host2/database?name=value`. The class URL accepts only one host.
 * As with URL, the last @ before the first / ends the password, and a % that starts no code is a character of
 * its own.
 */
export function readUrl(text: string, source: string): Settings {
  const [, authority = '', path = '', query = '', fragment = ''] =
    /^\w+:\/\/([^/?#]*)([^?#]*)(?:\?([^#]*))?(?:#(.*))?$/s.exec(text) ?? []
  const at = authority.lastIndexOf('@')
  const pairs = query === '' ? [] : query.split('&').filter(pair => pair !== '')
  if (path.includes('@') || fragment.includes('@') || (at < 0 && pairs.some(hasStrayAt)))
    throw malformed(source)
  const settings = new Map<string, string>()
  const put = (name: string, value: string): void => {
    if (value !== '') settings.set(name, decode(value, source))
  }
  const [user = '', ...password] = authority.slice(0, Math.max(at, 0)).split(':')
  put('user', user)
  put('password', password.join(':'))
  const hosts = splitHosts(authority.slice(at + 1), at >= 0, source)
  if (hosts.some(({ host }) => host !== '')) put('host', hosts.map(({ host }) => host).join(','))
  if (hosts.some(({ port }) => port !== '')) put('port', hosts.map(({ port }) => port).join(','))
  put('dbname', path.slice(1))
  for (const [name, value] of readPairs(pairs, source)) settings.set(name, value)
  return settings
}

/** Returns true for an @ outside of a known parameter's value. It then ends a password with a ? in it. */
function hasStrayAt(pair: string): boolean {
  return pair.includes('@') && !KNOWN_NAMES.has(pair.split('=', 1)[0]!)
}

const PORT = ', where the port is a number from 1 to 65535, usually 5432'

interface HostPort {
  readonly host: string
  readonly port: string
}

/**
 * Reads a list of `host:5432` and `[::1]:5432`. Without a user before it, the text after a colon may be a
 * password.
 */
function splitHosts(text: string, afterUser: boolean, source: string): HostPort[] {
  return text.split(',').map(part => {
    const match = /^(?:\[([^\]]*)\]|([^:[\]]*))(?::(\d*))?$/.exec(part)
    if (!match && afterUser && /^[^:]*:[^:]*$/.test(part)) throw unlike(source, PORT)
    if (!match) throw malformed(source)
    const [, address, name = '', port = ''] = match
    if (!afterUser && port !== '' && !(Number(port) >= 1 && Number(port) <= 65_535)) throw malformed(source)
    return { host: address ?? name, port }
  })
}

/** Reads the query. pg and libpq use the last of two values; here two different values are an error. */
function readPairs(pairs: readonly string[], source: string): Map<string, string> {
  const found = new Map<string, string>()
  for (const pair of pairs) {
    const equals = pair.indexOf('=')
    const name = decode(equals < 0 ? pair : pair.slice(0, equals), source)
    const value = equals < 0 ? '' : decode(pair.slice(equals + 1).replaceAll('+', ' '), source)
    if (!/^[A-Za-z_][\w.-]{0,62}$/.test(name)) throw malformed(source)
    if (found.has(name) && found.get(name) !== value) {
      throw new ConnectionStringError(`Expected ${source} to name ${name} once, got it twice`)
    }
    found.set(name, value)
  }
  return found
}

function decode(text: string, source: string): string {
  try {
    const decoded = decodeURIComponent(text.replace(/%(?![0-9A-Fa-f]{2})/g, '%25'))
    if (!decoded.includes('\0')) return decoded
  } catch {
    // bytes that are not UTF-8
  }
  throw malformed(source)
}
