import { isIP } from 'node:net'
import type { ServerAddress } from './connection-parameters.ts'
import type { SettingValues } from './setting-values.ts'
import { ConnectionStringError } from './settings-error.ts'

/**
 * Returns a server for each element of `host` and `hostaddr`. An empty element means pg's default. `port` is
 * one port for all servers, or a list of the same length.
 * @see https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-MULTIPLE-HOSTS
 */
export function parseServers(values: SettingValues): ServerAddress[] {
  const hosts = listOf(values.get('host'))
  const addresses = listOf(values.get('hostaddr'))
  if (hosts.length > 0 && addresses.length > 0 && hosts.length !== addresses.length) {
    throw new ConnectionStringError(
      `Expected ${values.nameOf('hostaddr')} to be as many as ${values.nameOf('host')}, ` +
        `got ${addresses.length} for ${hosts.length}`,
    )
  }
  for (const address of addresses) {
    if (address !== '' && isIP(address) === 0) {
      throw new ConnectionStringError(
        `Expected ${values.nameOf('hostaddr')} to be IP addresses, got "${address}"`,
      )
    }
  }
  const count = Math.max(hosts.length, addresses.length, 1)
  const ports = portsOf(values, count)
  return Array.from({ length: count }, (_, index) => ({
    ...(hosts[index] ? { host: hosts[index] } : {}),
    ...(addresses[index] ? { hostaddr: addresses[index] } : {}),
    ...(ports[index] === undefined ? {} : { port: ports[index] }),
  }))
}

function portsOf(values: SettingValues, count: number): (number | undefined)[] {
  const texts = listOf(values.get('port'))
  const ports = texts.map(text => {
    if (text === '') return undefined
    if (/^\d{1,5}$/.test(text) && Number(text) >= 1 && Number(text) <= 65_535) return Number(text)
    throw new ConnectionStringError(
      `Expected ${values.nameOf('port', 'the port')} to be from 1 to 65535, got "${texts.join(',')}"; ` +
        'the usual one is 5432',
    )
  })
  if (ports.length <= 1) return Array.from({ length: count }, () => ports[0])
  if (ports.length === count) return ports
  throw new ConnectionStringError(
    count === 1
      ? `Expected ${values.nameOf('port', 'the port')} to be from 1 to 65535, got "${texts.join(',')}"`
      : `Expected ${values.nameOf('port', 'the port')} to be one, or as many as the ${count} hosts, ` +
          `got ${ports.length}`,
  )
}

function listOf(text: string | undefined): string[] {
  return text === undefined ? [] : text.split(',').map(part => part.trim())
}
