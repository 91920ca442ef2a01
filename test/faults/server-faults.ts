import { setTimeout as sleep } from 'node:timers/promises'
import type { ServerAct } from './kinds.ts'
import type { Scene } from './scene.ts'
import { type FaultServer, signal } from './server.ts'

const isCommit = ({ name, text }: { name: string; text: string }): boolean =>
  name === 'Query' && text.startsWith('COMMIT')

/** Does something to the server or to a backend of it; resolves to whether it was really done. */
export async function injectOnServer(scene: Scene, act: ServerAct): Promise<boolean> {
  const { server, proxy, random } = scene
  switch (act) {
    case 'terminate':
      return tell(scene, 'pg_terminate_backend', '')
    case 'cancel':
      // one that is busy, for else there is nothing to cancel
      return tell(scene, 'pg_cancel_backend', "AND state = 'active'")
    case 'kill backend': {
      const pids = await server.loaderBackends()
      return pids.length > 0 && signal(random.pick(pids), 'SIGKILL')
    }
    case 'kill server':
      await server.killAndRestart()
      return true
    case 'kill server at COMMIT':
      await killAtCommit(scene, 0)
      return true
    case 'kill server after COMMIT':
      await killAtCommit(scene, 1)
      return true
    case 'reuse the id':
      await reuseId(scene)
      return true
    case 'fast restart':
      await server.restart('SIGINT')
      return true
    case 'immediate restart':
      await server.restart('SIGQUIT')
      return true
    case 'freeze backend': {
      const pids = await server.loaderBackends()
      if (pids.length === 0) return false
      const pid = random.pick(pids)
      if (!signal(pid, 'SIGSTOP')) return false
      await sleep(freezeMs(scene))
      signal(pid, 'SIGCONT')
      return true
    }
    case 'freeze server':
      await server.freeze(freezeMs(scene))
      return true
  }
}

/** @param pass 0: COMMIT does not reach the server; 1: it does, and is written down or not */
async function killAtCommit({ server, proxy }: Scene, pass: 0 | 1): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const run = (): Promise<void> => {
      const killed = server.killAll()
      // the proxy's link is held up only until the server is dead
      killed.then(() => server.start()).then(resolve, reject)
      return killed
    }
    proxy.arm({ direction: 'up', at: isCommit, pass, action: { do: 'call', run } })
  })
}

/** Sometimes shorter than the writer's patience, sometimes longer than that of a statement and its grace. */
function freezeMs({ random, timeoutMs }: Scene): number {
  return random.pick([150, timeoutMs + 200, timeoutMs + 1400])
}

async function tell({ server }: Scene, how: string, which: string): Promise<boolean> {
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

/**
 * A COMMIT that never arrives while the server crashes, and then others who are given the ids that the crash has
 * taken: asked by its id alone, the lost transaction would look committed.
 */
async function reuseId({ server, proxy }: Scene): Promise<void> {
  await proxy.arm({ direction: 'up', at: isCommit, action: { do: 'stall' } })
  await server.killAndRestart()
  await useIds(server, 40)
  proxy.heal()
}

async function useIds(server: FaultServer, count: number): Promise<void> {
  for (let used = 0; used < count; used++) await server.query('SELECT pg_current_xact_id()')
}
