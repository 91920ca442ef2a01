import { setTimeout as sleep } from 'node:timers/promises'
import { until } from '../../support/until.ts'
import type { FailoverAct } from '../cases/fault-kind.ts'
import type { Run } from '../run/run.ts'
import type { ChangingName } from '../servers/changing-name.ts'
import type { FailoverServer } from '../servers/failover-server.ts'
import { LOADER } from '../servers/server.ts'

/** How long an act waits for the load to meet it. */
const SHOW_MS = 8000

/**
 * Does something to a primary and its standby, or to the way there; resolves to whether the load has met it.
 */
export async function injectFailover(run: Run, act: FailoverAct): Promise<boolean> {
  const servers = run.failover!
  switch (act) {
    case 'lead to the standby':
      return leadToStandby(run, servers)
    case 'forget the name':
      return forgetName(run, run.name!)
    case 'fail over':
      await holds(() => run.acknowledged.size > 0)
      await failOver(run, servers)
      return !run.isSettled()
    case 'lose commits and fail over':
      return loseCommits(run, servers)
    case 'cut the wait short and fail over':
      return cutWaitShort(run, servers)
  }
}

/**
 * New connections reach a server that does not write, and later the primary again: the old ones stay there.
 */
async function leadToStandby(run: Run, servers: FailoverServer): Promise<boolean> {
  const { proxy, retriesAfter, acknowledged } = run
  const [before, opened] = [retriesAfter('25006'), proxy.opened]
  proxy.leadTo(servers.standbyPort)
  proxy.cutAll()
  // a question for a lost COMMIT is not answered there, and is asked on one connection after the other
  const met = await holds(() => retriesAfter('25006') > before || proxy.opened > opened + 5)
  proxy.leadTo(servers.primaryPort)
  const committed = acknowledged.size
  if (!(await holds(() => acknowledged.size > committed || run.isSettled()))) {
    run.complain('committed nothing more after its connections had led to a standby')
    proxy.cutAll()
  }
  return met
}

async function forgetName({ proxy, random }: Run, name: ChangingName): Promise<boolean> {
  const before = name.failures
  name.failure = random.pick(['ENOTFOUND', 'EAI_AGAIN'])
  proxy.cutAll()
  const met = await holds(() => name.failures > before)
  await sleep(random.integer(0, 300))
  name.failure = undefined
  return met
}

/** The primary dies under the load, and connections lead to the standby before or after it is promoted. */
async function failOver(run: Run, servers: FailoverServer): Promise<void> {
  const { proxy, random, name } = run
  await servers.kill(random.pick(['SIGKILL', 'SIGQUIT']))
  if (name) name.failure = 'ENOTFOUND'
  const early = random.next() < 0.5
  if (early) proxy.leadTo(servers.standbyPort)
  await sleep(random.integer(0, 200))
  // what was acknowledged until now was acknowledged by the server that is gone
  for (const n of run.acknowledged) run.acknowledgedBefore.add(n)
  await servers.promote()
  if (name) name.failure = undefined
  proxy.leadTo(servers.standbyPort)
  proxy.cutAll()
}

async function loseCommits(run: Run, servers: FailoverServer): Promise<boolean> {
  // the standby has the first commits, so that it knows the tables and the checkpoint
  await holds(() => run.acknowledged.size > 0)
  await servers.caughtUp()
  await servers.leaveBehind()
  const committed = run.acknowledged.size
  const met = await holds(() => run.acknowledged.size > committed)
  await sleep(run.random.integer(0, 60))
  await failOver(run, servers)
  return met
}

/**
 * A COMMIT waits for a standby that is gone, and an operator ends its backend: the primary calls it committed
 * from then on, and has it alone.
 */
async function cutWaitShort(run: Run, servers: FailoverServer): Promise<boolean> {
  await holds(() => run.acknowledged.size > 0) // the stream has made its tables by then
  await servers.leaveBehind()
  const waiting = (query: string) =>
    servers.query(
      `SELECT pid FROM pg_stat_activity WHERE usename = $1 AND wait_event = 'SyncRep' AND query LIKE $2`,
      [LOADER, query],
    )
  await holds(async () => (await waiting('%COMMIT%')).length > 0)
  const committed = run.acknowledged.size
  const ended = await waiting('%COMMIT%')
  for (const { pid } of ended) await servers.query('SELECT pg_terminate_backend($1)', [pid])
  // the load asks for the outcome, and has to wait for the standby that has it
  const asked = await holds(
    async () => run.acknowledged.size > committed || (await waiting('%pg_logical_emit_message%')).length > 0,
  )
  await failOver(run, servers)
  return ended.length > 0 && asked
}

/** Whether a condition comes to hold. */
async function holds(condition: () => boolean | Promise<boolean>): Promise<boolean> {
  return until('a condition', condition, SHOW_MS).then(
    () => true,
    () => false,
  )
}
