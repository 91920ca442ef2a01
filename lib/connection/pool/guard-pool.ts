import type { PgClientLike, PgPoolLike } from '../pg-types.ts'

const guarded = new WeakSet<PgPoolLike>()
const ignore = (): void => {}

/**
 * Keeps a pool that streams use from ending the process by an 'error' event without a listener.
 *
 * (1) pg-pool emits 'error' when the server ends an idle client. The pool has removed that client by then,
 * and makes another one when needed, so there is nothing to do. Listeners of the pool's owner are called as
 * before.
 *
 * (2) pg-pool takes its own listener off a new client before it hands the client over, and the promise of
 * `connect()` resolves a moment later. A server that ends the session in the same packet that reports it
 * ready (a shutdown just then, pg_terminate_backend) would meet a client without a listener. Nothing is lost
 * by ignoring that error: such a client refuses the first query.
 */
export function guardPool(pool: PgPoolLike): void {
  if (typeof pool.on !== 'function' || guarded.has(pool)) return
  guarded.add(pool)
  pool.on('error', ignore)
  pool.on('connect', (client?: PgClientLike) => {
    if (!client) return // `Lease.take` refuses what is not a client
    client.on?.('error', ignore)
    setImmediate(() => client.removeListener?.('error', ignore))
  })
}
