import { FaultProxy } from '../../support/network/proxy.ts'
import type { Random } from '../../support/random.ts'
import { type PgBouncer, startPgBouncer } from '../../support/servers/pgbouncer.ts'
import type { FaultKind } from '../cases/fault-kind.ts'
import { ChangingName, HOST } from './changing-name.ts'
import { FailoverServer } from './failover-server.ts'
import { type Database, type FaultServer, loaderUrl } from './server.ts'

/** The servers of one case, and the loader's way to them. */
export interface Environment {
  /** Where the tables are. */
  readonly database: Database
  readonly proxy: FaultProxy
  readonly url: string
  /** Each server's alone. */
  readonly urls: readonly string[]
  readonly failover: FailoverServer | undefined
  readonly name: ChangingName | undefined
  readonly pooler: PgBouncer | undefined
  /** To be called once the tables are made. */
  ready(): Promise<void>
  stop(): Promise<void>
}

/** Starts what a kind's cases need besides the suite's server. */
export async function startEnvironment(
  server: FaultServer,
  kind: FaultKind,
  random: Random,
): Promise<Environment> {
  const isFailover = kind.by === 'failover'
  const failover = isFailover ? await FailoverServer.start() : undefined
  const pooler = kind.by === 'pooler' ? await startPgBouncer(server.connectionString) : undefined
  const proxy = await FaultProxy.start(failover?.primaryPort ?? pooler?.port ?? server.port)
  if (!failover && !pooler) server.standBehind(proxy)
  const name = isFailover && kind.route === 'name' ? new ChangingName() : undefined
  const url =
    isFailover && kind.route === 'two hosts'
      ? failover!.urlOfBoth(random.next() < 0.5)
      : loaderUrl([`${name ? HOST : '127.0.0.1'}:${proxy.port}`], kind.needs?.settings)
  return {
    database: failover ?? server,
    proxy,
    url,
    urls: failover && !name ? failover.urls : [url],
    failover,
    name,
    pooler,
    async ready() {
      if (!isFailover) return
      await failover!.caughtUp()
      if (kind.replication === 'synchronous') await failover!.synchronous()
    },
    async stop() {
      server.standBehind(undefined)
      await proxy.stop()
      await pooler?.stop()
      await failover?.stop()
    },
  }
}
