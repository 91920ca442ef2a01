import type { FaultProxy } from '../support/proxy.ts'
import type { Random } from '../support/random.ts'
import type { FaultCase } from './cases.ts'
import type { FaultServer } from './server.ts'
import type { Tables } from './tables.ts'

/** Everything that a fault can reach while a load runs. */
export interface Scene {
  readonly server: FaultServer
  readonly proxy: FaultProxy
  readonly tables: Tables
  readonly case: FaultCase
  readonly random: Random
  readonly timeoutMs: number
  /** How often the load has met an SQLSTATE and tried again. */
  readonly retriesAfter: (sqlState: string) => number
}
