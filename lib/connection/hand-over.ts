import type { PgClientLike, PgPoolLike } from './pg-types.ts'

const guarded = new WeakSet<PgPoolLike>()
const ignore = (): void => {}

/**
 * Keeps a listener on each new client of a pool until whoever asked for it can have put one there.
 *
 * pg-pool takes its own listener off before it hands a client over, and the promise of `connect()` is heard a moment
 * later. A server that ends the session in the same packet with which it says that it is ready (a shutdown just then,
 * pg_terminate_backend) would meet a client without a listener, and an 'error' event without one ends the process.
 * What was ignored is not lost: such a client refuses the first query.
 */
export function guardHandOver(pool: PgPoolLike): void {
  if (typeof pool.on !== 'function' || guarded.has(pool)) return
  guarded.add(pool)
  pool.on('connect', (client?: PgClientLike) => {
    if (!client) return // what tells of itself is a client, which `Lease.take` refuses
    client.on?.('error', ignore)
    setImmediate(() => client.removeListener?.('error', ignore))
  })
}
