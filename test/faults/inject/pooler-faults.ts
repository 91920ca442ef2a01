import { setTimeout as sleep } from 'node:timers/promises'
import type { PoolerAct } from '../cases/fault-kind.ts'
import type { Run } from '../run/run.ts'

/** Does something to the PgBouncer between the load and the server. */
export async function injectOnPooler({ pooler, random, timeoutMs }: Run, act: PoolerAct): Promise<void> {
  // shorter than the load's patience, or longer
  const ms = random.pick([100, timeoutMs + 200, timeoutMs + 1400])
  switch (act) {
    case 'restart':
      return pooler!.restart('SIGTERM', random.integer(0, 300))
    case 'kill':
      return pooler!.restart('SIGKILL', random.integer(0, 300))
    case 'suspend':
      return pooler!.suspend(ms)
    case 'pause': {
      // it waits for the transactions that are open, and no new one begins. Where one stays open, PgBouncer
      // ends the console that waits, but only some seconds after RESUME.
      const paused = pooler!.command('PAUSE').catch(() => {})
      await Promise.race([paused, sleep(2000)])
      await sleep(ms)
      return pooler!.command('RESUME')
    }
  }
}
