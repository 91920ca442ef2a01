import type { ServerAddress, TlsSettings } from './connection-parameters.ts'
import type { SettingValues } from './setting-values.ts'
import { ConnectionStringError } from './settings-error.ts'

/** libpq's modes, and pg's `no-verify`. */
const SSL_MODES = ['disable', 'allow', 'prefer', 'require', 'verify-ca', 'verify-full', 'no-verify'] as const

/**
 * Returns how to use TLS; undefined for no TLS. `sslmode` has pg's meaning: `allow`, `prefer`, `require` and
 * `verify-ca` verify as much as `verify-full`. With `uselibpqcompat=true` it has libpq's meaning.
 * PGSSLMODE=allow, and no mode at all, mean no TLS.
 * @see https://node-postgres.com/features/ssl
 */
export function parseTls(values: SettingValues, servers: readonly ServerAddress[]): TlsSettings | undefined {
  const direct = values.oneOf('sslnegotiation', ['postgres', 'direct']) === 'direct'
  const rootCertFile = rootCertificate(values)
  const verify = verification(values, rootCertFile)
  // Unix sockets do not use TLS, and libpq ignores sslmode for them
  const local = servers.every(({ host }) => host?.startsWith('/'))
  if (verify === undefined || local) {
    if (direct && !local) {
      throw new ConnectionStringError(
        `Expected sslmode with ${values.nameOf('sslnegotiation')} "direct": sslmode=verify-full, for example`,
      )
    }
    return undefined
  }
  return {
    verify,
    ...values.pick({ certFile: 'sslcert', keyFile: 'sslkey', keyPassword: 'sslpassword' }),
    ...(rootCertFile === undefined ? {} : { rootCertFile }),
    direct,
  }
}

function verification(
  values: SettingValues,
  rootCertFile: string | undefined,
): TlsSettings['verify'] | undefined {
  const mode = values.oneOf('sslmode', SSL_MODES)
  if (mode === undefined) return withoutMode(values)
  if (mode === 'disable' || (mode === 'allow' && !values.has('sslmode'))) return undefined
  if (mode === 'no-verify') return 'none'
  const asLibpq = values.oneOf('uselibpqcompat', ['true', 'false']) === 'true'
  if (!asLibpq) return 'full'
  if (mode === 'verify-ca' && rootCertFile === undefined) {
    throw new ConnectionStringError(
      `Expected sslrootcert with ${values.nameOf('sslmode')} "verify-ca" and uselibpqcompat: ` +
        'anyone can get a certificate of a public authority; or use verify-full',
    )
  }
  if (mode === 'verify-ca' || (mode === 'require' && rootCertFile !== undefined)) return 'ca'
  return mode === 'verify-full' ? 'full' : 'none'
}

/** Returns how to verify without `sslmode`. As in pg, a certificate file means that TLS is wanted. */
function withoutMode(values: SettingValues): TlsSettings['verify'] | undefined {
  const ssl = values.oneOf('ssl', ['true', '1', 'false', '0', 'no-verify'])
  if (ssl === 'no-verify') return 'none'
  const files = ['sslcert', 'sslkey', 'sslrootcert'].some(name => values.has(name))
  return ssl === 'true' || ssl === '1' || files ? 'full' : undefined
}

/**
 * Returns the file of trusted authorities. In libpq `system` means the system's own, which are the default
 * here.
 */
function rootCertificate(values: SettingValues): string | undefined {
  const file = values.get('sslrootcert')
  return file === 'system' ? undefined : file
}
