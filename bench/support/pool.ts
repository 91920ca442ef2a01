import pg from 'pg'

/** A pool that does not mind when the server goes while its clients still say goodbye. */
export function openPool(config: pg.PoolConfig): pg.Pool {
  const pool = new pg.Pool(config)
  pool.on('error', () => {})
  return pool
}
