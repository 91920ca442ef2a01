import { setTimeout as sleep } from 'node:timers/promises'
import type { WireMessage } from '../../support/network/wire.ts'
import { signal } from '../../support/processes/process-tree.ts'
import type { ServerAct } from '../cases/fault-kind.ts'
import type { Run } from '../run/run.ts'
import { injectReuse, isCommit } from './id-reuse.ts'

/** Does something to the server or to a backend of it; resolves to whether it was really done. */
export async function injectOnServer(run: Run, act: ServerAct): Promise<boolean> {
  const { server } = run
  switch (act) {
    case 'terminate':
      return tell(run, 'pg_terminate_backend', '')
    case 'cancel':
      // one that is busy, for else there is nothing to cancel
      return tell(run, 'pg_cancel_backend', "AND state = 'active'")
    case 'kill backend':
      return server.killBackend()
    case 'kill backend after its COMMIT':
      await killBeforeAnswer(run, () => server.killBackend())
      return true
    case 'kill server after its COMMIT':
      await killServerBeforeAnswer(run)
      return true
    case 'kill server':
      await server.killAndRestart()
      return true
    case 'kill server at COMMIT':
      await killAtCommit(run, 0)
      return true
    case 'kill server after COMMIT':
      await killAtCommit(run, 1)
      return true
    case 'reuse the id':
    case 'reuse the id and crash again':
    case 'crash twice':
      return injectReuse(run, act)
    case 'fast restart':
      await server.restart('SIGINT')
      return true
    case 'immediate restart':
      await server.restart('SIGQUIT')
      return true
    case 'freeze backend': {
      const pid = await server.signalLoader('SIGSTOP')
      if (pid === undefined) return false
      await server.disturb(() => sleep(freezeMs(run)).then(() => signal(pid, 'SIGCONT')))
      return true
    }
    case 'freeze server':
      await server.freeze(freezeMs(run))
      return true
  }
}

/** @param pass 0: COMMIT does not reach the server; 1: it does, and is written down or not */
async function killAtCommit({ server, proxy }: Run, pass: 0 | 1): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    // the proxy's link is held up only until the server is dead
    const run = (): Promise<void> =>
      new Promise(killed => {
        server.killAndRestart(async () => killed()).then(resolve, reject)
      })
    proxy.arm({ direction: 'up', at: isCommit, pass, action: { do: 'call', run } })
  })
}

/** The whole server is gone when the answer to a COMMIT is lost; then it starts again. */
function killServerBeforeAnswer(run: Run): Promise<unknown> {
  const { server } = run
  let restarted: Promise<void> | undefined
  const kill = (): Promise<void> =>
    new Promise(killed => {
      restarted = server.killAndRestart(async () => killed())
    })
  return killBeforeAnswer(run, kill).then(() => restarted)
}

/** A COMMIT is done when the server crashes, and its answer is lost. */
function killBeforeAnswer({ proxy }: Run, kill: () => Promise<unknown>): Promise<void> {
  return new Promise((resolve, reject) => {
    const run = async (): Promise<void> => {
      await kill()
        .finally(() => proxy.cutAll())
        .then(() => resolve(), reject)
    }
    const at = ({ name, text }: WireMessage): boolean => name === 'CommandComplete' && text === 'COMMIT'
    proxy.arm({ direction: 'down', at, action: { do: 'call', run } })
  })
}

/** Sometimes shorter than the writer's patience, sometimes longer than that of a statement and its grace. */
function freezeMs({ random, timeoutMs }: Run): number {
  return random.pick([150, timeoutMs + 200, timeoutMs + 1400])
}

async function tell({ server }: Run, how: string, which: string): Promise<boolean> {
  for (let attempt = 0; attempt < 40; attempt++) {
    const rows = await server.query(
      `SELECT ${how}(pid) AS done FROM (SELECT pid FROM pg_stat_activity WHERE usename = 'loader' ${which}
        ORDER BY backend_xid IS NULL, random() LIMIT 1) AS one`,
    )
    if (rows[0]?.done) return true
    await sleep(5)
  }
  return false
}
