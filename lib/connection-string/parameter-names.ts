/**
 * How each parameter of a connection string is handled: libpq's parameters, pg's own, and those of other
 * libraries, whose URLs people share.
 * @see https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-PARAMKEYWORDS
 */

/** Parameters with the meaning that they have in libpq, or in pg. */
export const USED = [
  'host',
  'hostaddr',
  'port',
  'dbname',
  'user',
  'password',
  'connect_timeout',
  'options',
  'application_name',
  'fallback_application_name',
  'client_encoding',
  'target_session_attrs',
  'load_balance_hosts',
  'channel_binding',
  'keepalives',
  'keepalives_idle',
  'sslmode',
  'sslnegotiation',
  'sslcert',
  'sslkey',
  'sslpassword',
  'sslrootcert',
  'ssl',
  'uselibpqcompat',
  'statement_timeout',
  'lock_timeout',
  'idle_in_transaction_session_timeout',
  'query_timeout',
] as const

/** Parameters that are not supported, and unsafe to ignore. They are rejected, except for harmless values. */
export const REFUSED: Readonly<
  Record<string, { readonly harmless?: readonly string[]; readonly instead?: string }>
> = {
  gssencmode: { harmless: ['disable', 'prefer'], instead: 'for encryption use sslmode=verify-full' },
  require_auth: { instead: 'channel_binding=require can be enforced' },
  requirepeer: {},
  requiressl: { harmless: ['0'], instead: 'use sslmode' },
  sslcrl: {},
  sslcrldir: {},
  sslcertmode: { harmless: ['allow'] },
  sslsni: { harmless: ['1'] },
  ssl_min_protocol_version: { instead: "Node.js's --tls-min-v1.3 sets it" },
  ssl_max_protocol_version: { instead: "Node.js's --tls-max-v1.2 sets it" },
  min_protocol_version: { harmless: ['3.0'] },
  max_protocol_version: { harmless: ['3.0', '3.2', 'latest'] },
  scram_client_key: {},
  scram_server_key: {},
  oauth_issuer: {},
  oauth_client_id: {},
  oauth_client_secret: {},
  oauth_scope: {},
  passfile: { instead: 'name the file in PGPASSFILE' },
  replication: { harmless: ['false', 'off', 'no', '0'] },
  // of Prisma, pgjdbc and others
  sslaccept: { instead: 'use sslmode=verify-full or sslmode=no-verify' },
  sslidentity: { instead: 'use sslcert and sslkey' },
  sslfactory: { instead: 'use sslmode and sslrootcert' },
  sslhostnameverifier: { instead: 'use sslmode' },
  channelBinding: { instead: 'use channel_binding' },
  gssEncMode: { harmless: ['disable', 'allow', 'prefer'] },
  requireAuth: { instead: 'channel_binding=require can be enforced' },
  targetServerType: { instead: 'use target_session_attrs' },
  loadBalanceHosts: { harmless: ['false'], instead: 'use load_balance_hosts=random' },
  enableChannelBinding: { instead: 'use channel_binding=prefer or channel_binding=require' },
  rejectUnauthorized: { instead: 'use sslmode=verify-full or sslmode=no-verify' },
  search_path: { instead: 'use options=-c%20search_path=name, or name the table as schema.table' },
}

/**
 * Parameters that are ignored with a note. They tune a library, a pool or a socket, and affect neither safety
 * nor rows.
 */
export const IGNORED: ReadonlySet<string> = new Set([
  // libpq's
  'keepalives_interval',
  'keepalives_count',
  'tcp_user_timeout',
  'sslcompression',
  'sslkeylogfile',
  'krbsrvname',
  'gsslib',
  'gssdelegation',
  // Prisma's
  'schema',
  'pgbouncer',
  'connection_limit',
  'pool_timeout',
  'socket_timeout',
  'statement_cache_size',
  'single_use_connections',
  // pg's pool, and those of other libraries of Node.js
  'max',
  'min',
  'pool',
  'poolSize',
  'pool_size',
  'pool_min',
  'pool_max',
  'max_connections',
  'idleTimeoutMillis',
  'connectionTimeoutMillis',
  'maxUses',
  'maxLifetimeSeconds',
  'allowExitOnIdle',
  'keepAlive',
  'keepAliveInitialDelayMillis',
  'idle_timeout',
  'max_lifetime',
  'prepare',
  // SQLAlchemy's, Django's and asyncpg's
  'max_overflow',
  'pool_recycle',
  'pool_pre_ping',
  'pool_use_lifo',
  'conn_max_age',
  'conn_health_checks',
  'command_timeout',
  'async_fallback',
  'prepared_statement_cache_size',
  'prepared_statement_name_func',
  // Rails'
  'adapter',
  'encoding',
  'timeout',
  'checkout_timeout',
  'reaping_frequency',
  'prepared_statements',
  // pgx's and lib/pq's
  'pool_max_conns',
  'pool_min_conns',
  'pool_min_idle_conns',
  'pool_max_conn_lifetime',
  'pool_max_conn_lifetime_jitter',
  'pool_max_conn_idle_time',
  'pool_health_check_period',
  'default_query_exec_mode',
  'statement_cache_capacity',
  'description_cache_capacity',
  'binary_parameters',
  'disable_prepared_binary_result',
  // pgjdbc's
  'ApplicationName',
  'currentSchema',
  'connectTimeout',
  'loginTimeout',
  'socketTimeout',
  'tcpKeepAlive',
  'prepareThreshold',
  'preparedStatementCacheQueries',
  'preparedStatementCacheSizeMiB',
  'defaultRowFetchSize',
  'reWriteBatchedInserts',
  'binaryTransfer',
  'stringtype',
  // hosting services'
  'supa',
  'workaround',
  'load_balance',
  'topology_keys',
])

/** Parameters that name a file with other parameters, and a section of it. */
export const SERVICE = ['service', 'servicefile']

export const KNOWN_NAMES: ReadonlySet<string> = new Set([
  ...USED,
  ...Object.keys(REFUSED),
  ...IGNORED,
  ...SERVICE,
])

/**
 * The environment variables that supply parameters which a connection string does not have.
 * @see https://www.postgresql.org/docs/current/libpq-envars.html
 */
export const VARIABLES: Readonly<Record<string, string>> = {
  host: 'PGHOST',
  hostaddr: 'PGHOSTADDR',
  port: 'PGPORT',
  dbname: 'PGDATABASE',
  user: 'PGUSER',
  password: 'PGPASSWORD',
  connect_timeout: 'PGCONNECT_TIMEOUT',
  options: 'PGOPTIONS',
  application_name: 'PGAPPNAME',
  client_encoding: 'PGCLIENTENCODING',
  target_session_attrs: 'PGTARGETSESSIONATTRS',
  load_balance_hosts: 'PGLOADBALANCEHOSTS',
  channel_binding: 'PGCHANNELBINDING',
  sslmode: 'PGSSLMODE',
  sslnegotiation: 'PGSSLNEGOTIATION',
  sslcert: 'PGSSLCERT',
  sslkey: 'PGSSLKEY',
  sslrootcert: 'PGSSLROOTCERT',
  gssencmode: 'PGGSSENCMODE',
  require_auth: 'PGREQUIREAUTH',
  requirepeer: 'PGREQUIREPEER',
  requiressl: 'PGREQUIRESSL',
  sslcrl: 'PGSSLCRL',
  sslcrldir: 'PGSSLCRLDIR',
  sslcertmode: 'PGSSLCERTMODE',
  sslsni: 'PGSSLSNI',
  ssl_min_protocol_version: 'PGSSLMINPROTOCOLVERSION',
  ssl_max_protocol_version: 'PGSSLMAXPROTOCOLVERSION',
  min_protocol_version: 'PGMINPROTOCOLVERSION',
  max_protocol_version: 'PGMAXPROTOCOLVERSION',
}
