import type { FaultProxy } from '../../support/network/proxy.ts'
import type { Random } from '../../support/random.ts'
import type { PgBouncer } from '../../support/servers/pgbouncer.ts'
import type { FaultCase } from '../cases/cases.ts'
import type { CallbackSaboteur } from '../inject/callback-faults.ts'
import type { Tables } from '../load/tables.ts'
import type { ChangingName } from '../servers/changing-name.ts'
import type { FailoverServer } from '../servers/failover-server.ts'
import type { FaultServer } from '../servers/server.ts'

/** One load under faults, with everything that a fault can reach. */
export interface Run {
  readonly server: FaultServer
  readonly proxy: FaultProxy
  readonly tables: Tables
  readonly case: FaultCase
  readonly random: Random
  readonly timeoutMs: number
  /** How often the load has met an SQLSTATE and tried again. */
  readonly retriesAfter: (sqlState: string) => number
  /** Only in cases of these kinds. */
  readonly failover: FailoverServer | undefined
  readonly name: ChangingName | undefined
  readonly pooler: PgBouncer | undefined
  readonly saboteur: CallbackSaboteur | undefined
  /** How many transactions the stream has reported as committed. */
  readonly commits: () => number
  /** Numbers of the rows whose commit the stream has reported. */
  readonly acknowledged: ReadonlySet<number>
  /** Those that were reported before the primary was lost. */
  readonly acknowledgedBefore: Set<number>
  readonly isSettled: () => boolean
  /** Notes why the case does not pass. */
  readonly complain: (complaint: string) => void
}
