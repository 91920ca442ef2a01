import { ReplicatedServer } from '../../support/servers/standby.ts'
import { until } from '../../support/until.ts'
import { type Database, LOADER, loaderUrl, queryPatiently } from './server.ts'

/** The loads wait for the replica no longer than this. */
const PATIENCE_MS = 10_000

/** A primary and its streaming replica, for one case; asked at whichever of them is the primary. */
export class FailoverServer implements Database {
  readonly #servers: ReplicatedServer
  #isPromoted = false

  static async start(): Promise<FailoverServer> {
    const server = new FailoverServer(await ReplicatedServer.start())
    await server.query(`CREATE ROLE ${LOADER} LOGIN PASSWORD '${LOADER}'`)
    await server.query(`GRANT CREATE ON SCHEMA public TO ${LOADER}`)
    return server
  }

  private constructor(servers: ReplicatedServer) {
    this.#servers = servers
  }

  get primaryPort(): number {
    return this.#servers.primaryPort
  }

  get standbyPort(): number {
    return this.#servers.standbyPort
  }

  /** The loader's connection string with both servers, in either order. */
  urlOfBoth(standbyFirst: boolean): string {
    const hosts = this.#hosts
    return loaderUrl(standbyFirst ? hosts.reverse() : hosts)
  }

  /** The loader's connection string of each server. */
  get urls(): readonly string[] {
    return this.#hosts.map(host => loaderUrl([host]))
  }

  get #hosts(): string[] {
    return [this.primaryPort, this.standbyPort].map(port => `127.0.0.1:${port}`)
  }

  query(text: string, values: unknown[] = []): Promise<Record<string, unknown>[]> {
    return queryPatiently(
      () => (this.#isPromoted ? this.#servers.standby : this.#servers.primary),
      text,
      values,
    )
  }

  /** From now on each COMMIT waits for the replica. */
  synchronous(): Promise<void> {
    return this.#servers.synchronous()
  }

  /** Resolves when the replica has all that the primary has written so far. */
  async caughtUp(): Promise<void> {
    const [row] = await this.query('SELECT pg_current_wal_lsn()::text AS lsn')
    const hasAll = async (): Promise<boolean> => {
      const { rows } = await this.#servers.standby.query(
        'SELECT pg_last_wal_replay_lsn() >= $1::pg_lsn AS all',
        [row!.lsn],
      )
      return rows[0]!.all
    }
    await until('the replica to have it all', hasAll, PATIENCE_MS)
  }

  /** The replica hears of no further commit. */
  leaveBehind(): Promise<void> {
    return this.#servers.disconnect()
  }

  /** The primary dies: in order, as at an immediate shutdown, or without a word. */
  async kill(how: 'SIGQUIT' | 'SIGKILL'): Promise<void> {
    if (how === 'SIGKILL') await this.#servers.killHard()
    else this.#servers.kill()
  }

  async promote(): Promise<void> {
    await this.#servers.promote()
    this.#isPromoted = true
  }

  async stop(): Promise<void> {
    await this.#servers.stop()
  }
}
