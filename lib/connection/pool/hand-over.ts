import type { PgClientLike, PgPoolLike } from '../pg-types.ts'

const guarded = new WeakSet<PgPoolLike>()
const ignore = (): void => {}

/**
 * Keeps a pool that streams use from ending the process by an 'error' event that nobody listens to, from now
 * on.
 *
 * (1) pg-pool emits 'error' when the server ends an idle client. The pool has removed that client by then,
 * and makes another when one is wanted, so there is nothing to do. Listeners of the pool's owner are called
 * as before.
 *
 * (2) pg-pool takes its own listener off a new client before it hands it over, and the promise of `connect()`
 * is heard a moment later. A server that ends the session in the same packet with which it says that it is
 * ready (a shutdown just then, pg_terminate_backend) would meet a client without a listener. What was ignored
 * is not lost: such a client refuses the first query.
 */
export function guardPool(pool: PgPoolLike): void {
  if (typeof pool.on !== 'function' || guarded.has(pool)) return
  guarded.add(pool)
  pool.on('error', ignore)
  pool.on('connect', (client?: PgClientLike) => {
    if (!client) return // what tells of itself is a client, which `Lease.take` refuses
    client.on?.('error', ignore)
    setImmediate(() => client.removeListener?.('error', ignore))
  })
}
