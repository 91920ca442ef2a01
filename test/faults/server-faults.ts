import { setTimeout as sleep } from 'node:timers/promises'
import { signal } from '../support/process-tree.ts'
import { until } from '../support/until.ts'
import type { ServerAct } from './kinds.ts'
import type { Run } from './run.ts'
import { LOADER } from './server.ts'

/** How long a load may take to go on after a crash. */
const GO_ON_MS = 5000

const isCommit = ({ name, text }: { name: string; text: string }): boolean =>
  name === 'Query' && text.endsWith('COMMIT')

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
      return (await server.signalLoader('SIGKILL')) !== undefined
    case 'kill server':
      await server.killAndRestart()
      return true
    case 'kill server at COMMIT':
      await killAtCommit(run, 0)
      return true
    case 'kill server after COMMIT':
      await killAtCommit(run, 1)
      return true
    case 'reuse the id': {
      let reused = false
      for (let attempt = 0; attempt < 4 && !reused; attempt++) reused = await reuseId(run)
      return reused
    }
    case 'fast restart':
      await server.restart('SIGINT')
      return true
    case 'immediate restart':
      await server.restart('SIGQUIT')
      return true
    case 'freeze backend': {
      const pid = await server.signalLoader('SIGSTOP')
      if (pid === undefined) return false
      await sleep(freezeMs(run))
      signal(pid, 'SIGCONT')
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

/**
 * A COMMIT that never arrives while the server crashes, and then others who are given the ids that the crash has
 * taken: asked by its id alone, the lost transaction would look committed. Resolves to whether an id was really given
 * twice: the log writer may have been quick enough to save it.
 */
async function reuseId(run: Run): Promise<boolean> {
  const { server, proxy, commits, isSettled } = run
  await proxy.arm({ direction: 'up', at: isCommit, action: { do: 'stall' } })
  const open = await server.query(
    'SELECT backend_xid::text AS id FROM pg_stat_activity WHERE usename = $1 AND backend_xid IS NOT NULL',
    [LOADER],
  )
  await server.killAndRestart()
  const used = new Set<unknown>()
  for (let turn = 0; turn < 40; turn++) {
    const [row] = await server.query('SELECT pg_current_xact_id()::xid::text AS id')
    used.add(row!.id)
  }
  const committed = commits()
  proxy.heal()
  // two crashes in a row leave no trace of the first one: the outcome is to be asked for between them
  await until('the load to go on', () => commits() > committed || isSettled(), GO_ON_MS).catch(() => {})
  return open.some(({ id }) => used.has(id))
}
