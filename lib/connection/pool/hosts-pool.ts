import type pg from 'pg'
import type {
  ConnectionParameters,
  ServerAddress,
  SessionAttrs,
} from '../../connection-string/connection-parameters.ts'
import type { PgClientLike, PgPoolLike } from '../pg-types.ts'
import { isServerError } from '../server-error.ts'
import { type Timeline, Timelines, timelineOf } from '../timelines.ts'
import { requireChannelBinding } from './channel-binding.ts'
import { clientConfig } from './client-config.ts'
import { guardPool } from './guard-pool.ts'
import { withDeadline } from './lease.ts'
import { sessionFault, UnsuitableServer } from './session-attrs.ts'

export interface HostsPoolOptions {
  /** The module pg, which need not be installed where the caller brings a pool of another driver. */
  readonly pg: Pick<typeof pg, 'Client' | 'Pool'>
  /** How many connections each server may have. */
  readonly max: number
  readonly connectTimeoutMs: number
  /** Further options of pg's Pool. */
  readonly config?: pg.PoolConfig
}

/**
 * None of several servers has accepted a session; its errors give the reasons, in the order of the attempts.
 */
export class NoServer extends AggregateError {
  override readonly name = 'NoServer'
}

const FORMER = 'the server is a former primary: another was promoted since'

interface ServerPool {
  readonly name: string
  readonly pool: pg.Pool
}

/**
 * A pool of connections to the first server of a list that answers and matches `target_session_attrs`. Each
 * new connection starts at the first of the list again, or at a random one, as `load_balance_hosts` says.
 */
export class HostsPool implements PgPoolLike {
  readonly #servers: readonly ServerPool[]
  readonly #parameters: ConnectionParameters
  readonly #connectTimeoutMs: number
  /** Sessions whose server is known to match `target_session_attrs`, with the timeline of a primary. */
  readonly #known = new WeakMap<PgClientLike, Timeline | undefined>()
  readonly #timelines = new Timelines()
  #ended = false

  /** @throws when a certificate or key cannot be read */
  constructor(parameters: ConnectionParameters, options: HostsPoolOptions) {
    this.#parameters = parameters
    this.#connectTimeoutMs = options.connectTimeoutMs
    this.#servers = parameters.servers.map(server => ({
      name: serverName(server),
      pool: makePool(parameters, server, options),
    }))
  }

  async connect(): Promise<PgClientLike> {
    const { sessionAttrs } = this.#parameters
    const failures: Error[] = []
    const wantedKinds = sessionAttrs === 'prefer-standby' ? (['standby', 'any'] as const) : [sessionAttrs]
    for (const wanted of wantedKinds) {
      for (const server of this.#inOrder()) {
        if (this.#ended) throw new Error('Cannot use a pool after calling end on the pool')
        try {
          return await this.#connectTo(server, wanted)
        } catch (error) {
          if (this.#servers.length === 1 && wantedKinds.length === 1) throw error
          // as libpq does: a login or a database that one server refuses is not tried on the others
          if (isServerError(error) && /^(28|3D)/.test(error.code)) throw withServerName(error, server)
          failures.push(new Error(`${server.name}: ${reasonOf(error)}`, { cause: error }))
        }
      }
    }
    throw new NoServer(
      failures.map(({ cause }) => cause),
      failures.map(({ message }) => message).join('; '),
    )
  }

  /** Servers with an idle session come first: that session is checked already. */
  #inOrder(): readonly ServerPool[] {
    const all = this.#parameters.loadBalance ? shuffled(this.#servers) : this.#servers
    const idle = all.find(({ pool }) => pool.idleCount > 0)
    return idle ? [idle, ...all.filter(server => server !== idle)] : all
  }

  async #connectTo(
    { pool }: ServerPool,
    wanted: Exclude<SessionAttrs, 'prefer-standby'>,
  ): Promise<PgClientLike> {
    const client = (await pool.connect()) as unknown as PgClientLike
    if (wanted === 'any') return client
    client.on?.('error', ignore)
    try {
      if (!this.#known.has(client)) await withDeadline(this.#look(client, wanted), this.#connectTimeoutMs)
      const timeline = this.#known.get(client)
      if (timeline && this.#timelines.isOver(timeline)) throw new UnsuitableServer(FORMER)
    } catch (error) {
      client.release(true)
      throw error
    }
    // until the caller of connect() has had time to add a listener
    setImmediate(() => client.removeListener?.('error', ignore))
    return client
  }

  /** @throws UnsuitableServer */
  async #look(client: PgClientLike, wanted: Exclude<SessionAttrs, 'prefer-standby' | 'any'>): Promise<void> {
    const fault = await sessionFault(client, wanted)
    if (fault !== undefined) throw new UnsuitableServer(fault)
    const isPrimary = wanted === 'read-write' || wanted === 'primary'
    const timeline = isPrimary && this.#servers.length > 1 ? await timelineOf(client) : undefined
    this.#known.set(client, timeline)
    if (timeline) this.#timelines.note(timeline)
  }

  /** Runs one statement on a session that is used for nothing else. */
  async query<Row extends object = Record<string, unknown>>(
    text: string,
    values?: unknown[],
  ): Promise<{ rows: Row[]; rowCount: number | null }> {
    const client = await this.connect()
    let broken: Error | undefined
    const onError = (error: Error): void => {
      broken = error
    }
    client.on?.('error', onError)
    try {
      return (await client.query(text, values)) as unknown as { rows: Row[]; rowCount: number | null }
    } finally {
      client.removeListener?.('error', onError)
      client.release(broken)
    }
  }

  get totalCount(): number {
    return this.#servers.reduce((sum, { pool }) => sum + pool.totalCount, 0)
  }

  get idleCount(): number {
    return this.#servers.reduce((sum, { pool }) => sum + pool.idleCount, 0)
  }

  get waitingCount(): number {
    return this.#servers.reduce((sum, { pool }) => sum + pool.waitingCount, 0)
  }

  /** Makes no further connections, and waits until all clients are given back. */
  async end(): Promise<void> {
    this.abandon()
    await Promise.all(this.#servers.map(({ pool }) => pool.end()))
  }

  /** Makes no further connections. */
  abandon(): void {
    this.#ended = true
  }
}

function makePool(
  parameters: ConnectionParameters,
  server: ServerAddress,
  { pg, max, connectTimeoutMs, config }: HostsPoolOptions,
): pg.Pool {
  const pool = new pg.Pool({
    ...config,
    ...clientConfig(parameters, server),
    max,
    connectionTimeoutMillis: connectTimeoutMs,
    ...(parameters.channelBinding === 'require' ? { Client: boundClient(pg.Client) } : {}),
  })
  // a connection that breaks while idle is replaced at its next use; without a listener the event would end
  // the process
  pool.on('error', ignore)
  guardPool(pool as unknown as PgPoolLike)
  return pool
}

type ConnectCallback = ((error: Error) => void) | ((error: null, client: pg.Client) => void)

function boundClient(Client: typeof pg.Client): typeof pg.Client {
  return class extends Client {
    override connect(): Promise<pg.Client>
    override connect(callback: ConnectCallback): void
    override connect(callback?: ConnectCallback): Promise<pg.Client> | undefined {
      if (!callback) {
        return new Promise((resolve, reject) =>
          this.connect((error: Error | null) => (error ? reject(error) : resolve(this))),
        )
      }
      const refusal = requireChannelBinding(this as unknown as Parameters<typeof requireChannelBinding>[0])
      const done = callback as (error: Error) => void
      super.connect((error: Error) => done(refusal() ?? error))
      return undefined
    }
  }
}

/** `db.example.com:5432`, as messages name it. */
export function serverName({ host, hostaddr, port }: ServerAddress): string {
  return `${host ?? hostaddr ?? 'localhost'}:${port ?? 5432}`
}

/** Returns the same error, so that its SQLSTATE stays; its message names the server. */
function withServerName(error: Error, { name }: ServerPool): Error {
  error.message = `${name}: ${error.message}`
  return error
}

function reasonOf(error: unknown): string {
  if (error instanceof AggregateError && error.message === '' && error.errors.length > 0) {
    return reasonOf(error.errors[0])
  }
  return (error as Error).message
}

/** Returns the list in random order, by Fisher and Yates. */
function shuffled<T>(list: readonly T[]): T[] {
  const result = [...list]
  for (let last = result.length - 1; last > 0; last--) {
    const other = Math.floor(Math.random() * (last + 1))
    const kept = result[last]!
    result[last] = result[other]!
    result[other] = kept
  }
  return result
}

const ignore = (): void => {}
