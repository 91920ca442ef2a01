import type { ServerAddress, TlsSettings } from './connection-parameters.ts'
import type { SettingValues } from './setting-values.ts'
import { ConnectionStringError } from './settings-error.ts'

/** `no-verify` is one of pg's own. */
const SSL_MODES = ['disable', 'allow', 'prefer', 'require', 'verify-ca', 'verify-full', 'no-verify'] as const

/**
 * What `sslmode` asks for, with pg's meanings: `allow`, `prefer`, `require` and `verify-ca` check as much as
 * `verify-full`; `uselibpqcompat=true` beside it gives libpq's. PGSSLMODE=allow, and none at all, are without TLS.
 * @see https://node-postgres.com/features/ssl
 */
export function parseTls(values: SettingValues, servers: readonly ServerAddress[]): TlsSettings | undefined {
  const direct = values.oneOf('sslnegotiation', ['postgres', 'direct']) === 'direct'
  const rootCertFile = rootCertificate(values)
  const verify = verification(values, rootCertFile)
  // TLS is not for Unix sockets, and libpq ignores sslmode there
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
    ...values.given({ certFile: 'sslcert', keyFile: 'sslkey', keyPassword: 'sslpassword' }),
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
      `Expected sslrootcert with ${values.nameOf('sslmode')} "verify-ca" and uselibpqcompat: of public authorities anyone has a certificate; or use verify-full`,
    )
  }
  if (mode === 'verify-ca' || (mode === 'require' && rootCertFile !== undefined)) return 'ca'
  return mode === 'verify-full' ? 'full' : 'none'
}

/** As pg does, which takes a certificate for a wish to use it. */
function withoutMode(values: SettingValues): TlsSettings['verify'] | undefined {
  const ssl = values.oneOf('ssl', ['true', '1', 'false', '0', 'no-verify'])
  if (ssl === 'no-verify') return 'none'
  const files = ['sslcert', 'sslkey', 'sslrootcert'].some(name => values.has(name))
  return ssl === 'true' || ssl === '1' || files ? 'full' : undefined
}

/** `system` is libpq's word for the authorities that are trusted anyway. */
function rootCertificate(values: SettingValues): string | undefined {
  const file = values.get('sslrootcert')
  return file === 'system' ? undefined : file
}
