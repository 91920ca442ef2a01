import { readFileSync } from 'node:fs'
import type {
  ConnectionParameters,
  ServerAddress,
  TlsSettings,
} from '../../connection-string/connection-parameters.ts'

/**
 * A host that has disappeared answers nothing, and a firewall forgets a connection that is silent while a
 * statement waits for a lock. libpq sends keepalives by default, too, but only after two silent hours.
 */
const KEEPALIVES = { keepAlive: true, keepAliveInitialDelayMillis: 60_000 }

/**
 * Returns the options with which pg's Client connects to one of the servers. Sets everything that decides
 * where the connection leads and how safe it is: pg would otherwise read it from the environment in its own
 * way.
 * @throws when a certificate or key cannot be read
 */
export function clientConfig(
  parameters: ConnectionParameters,
  { host, hostaddr, port }: ServerAddress,
): Record<string, unknown> {
  const { database, user, password, tls, options, applicationName, channelBinding } = parameters
  const settings = {
    host: hostaddr ?? host,
    port,
    database,
    user,
    password,
    options,
    application_name: applicationName,
    enableChannelBinding: channelBinding === undefined ? undefined : channelBinding !== 'disable',
  }
  const local = host?.startsWith('/') === true
  return {
    ...KEEPALIVES,
    ...Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined)),
    ...parameters.clientSettings,
    ssl: tls && !local ? sslOptions(tls, hostaddr === undefined ? undefined : host) : false,
    sslnegotiation: tls?.direct && !local ? 'direct' : 'postgres',
  }
}

/** @param name the name that the certificate must have, where that is not the address that is connected to */
function sslOptions(tls: TlsSettings, name: string | undefined): Record<string, unknown> {
  const { verify, certFile, keyFile, keyPassword, rootCertFile } = tls
  return {
    ...(certFile === undefined ? {} : { cert: readFileSync(certFile, 'utf8') }),
    ...(keyFile === undefined ? {} : { key: readFileSync(keyFile, 'utf8') }),
    ...(keyPassword === undefined ? {} : { passphrase: keyPassword }),
    ...(rootCertFile === undefined ? {} : { ca: readFileSync(rootCertFile, 'utf8') }),
    ...(verify === 'none' ? { rejectUnauthorized: false } : {}),
    ...(verify === 'ca' ? { checkServerIdentity: () => undefined } : {}),
    ...(name === undefined ? {} : { host: name, servername: name }),
  }
}
