import pg from 'pg'
import type { TestDatabase } from '../servers/database.ts'
import { FaultProxy } from './proxy.ts'

/** A pool of one client whose connection goes through a proxy. */
export interface ProxiedPool {
  readonly proxy: FaultProxy
  readonly pool: pg.Pool
}

/** Gives each test of the surrounding `describe` a proxy and a pool; they may be read inside tests only. */
export function useProxiedPool(db: TestDatabase): ProxiedPool {
  let proxy: FaultProxy
  let pool: pg.Pool
  beforeEach(async () => {
    proxy = await FaultProxy.start(Number(new URL(db.connectionString).port))
    const through = Object.assign(new URL(db.connectionString), { hostname: '127.0.0.1', port: proxy.port })
    pool = new pg.Pool({ connectionString: through.href, max: 1 })
    pool.on('error', () => {})
  })
  afterEach(async () => {
    await pool?.end()
    await proxy?.stop()
  })
  return {
    get proxy() {
      return proxy
    },
    get pool() {
      return pool
    },
  }
}
