import { readFileSync } from 'node:fs'
import type {
  ConnectionParameters,
  ServerAddress,
  TlsSettings,
} from '../../connection-string/connection-parameters.ts'

/**
 * What pg's Client takes to connect to one of the servers. All that pg would otherwise read from the environment in its
 * own way, and that decides where the connection leads and how safe it is, is set.
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
    ...Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined)),
    ...parameters.clientSettings,
    ssl: tls && !local ? sslOptions(tls, hostaddr === undefined ? undefined : host) : false,
    sslnegotiation: tls?.direct && !local ? 'direct' : 'postgres',
  }
}

/** @param name whose certificate it has to be, where that is not what is connected to */
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
