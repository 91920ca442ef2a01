import pg from 'pg'

/** A pool that ignores errors of idle clients when the server stops. */
export function openPool(config: pg.PoolConfig): pg.Pool {
  const pool = new pg.Pool(config)
  pool.on('error', () => {})
  return pool
}
