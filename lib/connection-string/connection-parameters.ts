/**
 * The address of a server. The connection goes to `hostaddr`, if there is one; certificates are compared with
 * `host`.
 */
export interface ServerAddress {
  readonly host?: string
  readonly hostaddr?: string
  readonly port?: number
}

/** The kinds of session that `target_session_attrs` accepts, by libpq's names. */
export const SESSION_ATTRS = [
  'any',
  'read-write',
  'read-only',
  'primary',
  'standby',
  'prefer-standby',
] as const
export type SessionAttrs = (typeof SESSION_ATTRS)[number]

/** How TLS is used: how the certificate is verified, and the files, which are read when a pool is made. */
export interface TlsSettings {
  readonly verify: 'full' | 'ca' | 'none'
  readonly certFile?: string
  readonly keyFile?: string
  readonly keyPassword?: string
  readonly rootCertFile?: string
  /** The connection starts with the TLS handshake, without a request for TLS before it. */
  readonly direct: boolean
}

/**
 * The settings of a connection string and of the PG* variables. pg has its own defaults for what is missing.
 */
export interface ConnectionParameters {
  /** At least one, in the order in which they are tried. */
  readonly servers: readonly ServerAddress[]
  readonly database?: string
  readonly user?: string
  readonly password?: string
  readonly tls: TlsSettings | undefined
  /** Undefined: pg's default, which is no channel binding. */
  readonly channelBinding: 'disable' | 'prefer' | 'require' | undefined
  readonly sessionAttrs: SessionAttrs
  /** Each connection tries the servers in a random order. */
  readonly loadBalance: boolean
  /** The limit for each server. Undefined: the caller decides. */
  readonly connectTimeoutMs: number | undefined
  readonly options?: string
  readonly applicationName?: string
  /** Settings that are passed to pg unchanged, by pg's names. */
  readonly clientSettings: Readonly<Record<string, string | number | boolean>>
  /** Notes for the user about parameters that were ignored. */
  readonly notes: readonly string[]
}
