/** Where a connection leads: `hostaddr` is connected to, and `host` is the name that a certificate is compared with. */
export interface ServerAddress {
  readonly host?: string
  readonly hostaddr?: string
  readonly port?: number
}

/** What a server has to be for a session to stay there, by libpq's names. */
export const SESSION_ATTRS = [
  'any',
  'read-write',
  'read-only',
  'primary',
  'standby',
  'prefer-standby',
] as const
export type SessionAttrs = (typeof SESSION_ATTRS)[number]

/** How TLS is used: what of the certificate is checked, and the files, which are read when a pool is made. */
export interface TlsSettings {
  readonly verify: 'full' | 'ca' | 'none'
  readonly certFile?: string
  readonly keyFile?: string
  readonly keyPassword?: string
  readonly rootCertFile?: string
  /** The TLS handshake is the first thing that is sent, without the request for it. */
  readonly direct: boolean
}

/** All that a connection string, with the PG* variables, says. What is missing pg finds itself. */
export interface ConnectionParameters {
  /** At least one, in the order in which they are tried. */
  readonly servers: readonly ServerAddress[]
  readonly database?: string
  readonly user?: string
  readonly password?: string
  readonly tls: TlsSettings | undefined
  /** Undefined: as pg does by default, which is without. */
  readonly channelBinding: 'disable' | 'prefer' | 'require' | undefined
  readonly sessionAttrs: SessionAttrs
  /** The servers are tried in another order for each connection. */
  readonly loadBalance: boolean
  /** For each server. Undefined: the caller decides; Infinity: as long as it takes. */
  readonly connectTimeoutMs: number | undefined
  readonly options?: string
  readonly applicationName?: string
  /** Settings that pg sends or uses as they are, by pg's names. */
  readonly clientSettings: Readonly<Record<string, string | number | boolean>>
  /** What was ignored, in words for the user. */
  readonly notes: readonly string[]
}
