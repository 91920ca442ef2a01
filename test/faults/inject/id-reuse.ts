import { setTimeout as sleep } from 'node:timers/promises'
import type { WireMessage } from '../../support/network/wire.ts'
import type { ReuseAct } from '../cases/fault-kind.ts'
import type { Run } from '../run/run.ts'
import { LOADER } from '../servers/server.ts'

/**
 * How often a transaction is sought whose id the crash takes along: the log writer may be quick enough to
 * save one.
 */
const ATTEMPTS = 4
/** Ids that others are given after a crash: more than a crash takes along. */
const IDS = 40
/** Longer than the stream may lose sight of the server without noticing. */
const NOTICED_MS = 400

export const isCommit = ({ name, text }: Pick<WireMessage, 'name' | 'text'>): boolean =>
  name === 'Query' && /\bCOMMIT\b/.test(text)

/**
 * A COMMIT that never arrives while the server crashes, and then others who are given the ids that the crash
 * has taken: asked by its id alone, the lost transaction would look committed. Resolves to whether an id was
 * really given twice.
 */
export async function injectReuse(run: Run, act: ReuseAct): Promise<boolean> {
  for (let attempt = 0; attempt < ATTEMPTS && !run.isSettled(); attempt++) {
    if (await (act === 'crash twice' ? crashTwice(run) : crashInSilence(run, act))) return true
  }
  return false
}

/** The stream hears of the lost connection only when all is over. */
async function crashInSilence(run: Run, act: ReuseAct): Promise<boolean> {
  const { server, proxy } = run
  await proxy.arm({ direction: 'up', at: isCommit, action: { do: 'stall' } })
  const stalledAt = performance.now()
  return server.disturb(async () => {
    const open = await openIds(run)
    await server.killAndRestart()
    const isReused = await useIds(run, open)
    if (act === 'reuse the id and crash again') {
      await sleep(Math.max(0, stalledAt + NOTICED_MS - performance.now()))
      await server.killAndRestart()
    }
    proxy.heal()
    return isReused
  })
}

/** The stream hears of the first crash at once, and of what follows what it sees. */
function crashTwice(run: Run): Promise<boolean> {
  const { server, proxy } = run
  return new Promise((resolve, reject) => {
    const crash = (): Promise<void> =>
      new Promise(gone => {
        server.disturb(() => crashAndCrashAgain(run, gone)).then(resolve, reject)
      })
    proxy.arm({ direction: 'up', at: isCommit, action: { do: 'call', run: crash } })
  })
}

/** @param gone called when the server is gone for the first time */
async function crashAndCrashAgain(run: Run, gone: () => void): Promise<boolean> {
  const { server } = run
  const open = await openIds(run)
  await server.killAndRestart(async () => gone())
  const upAt = performance.now()
  const isReused = await useIds(run, open)
  await sleep(Math.max(0, upAt + NOTICED_MS - performance.now()))
  await server.killAndRestart()
  return isReused
}

/** Ids of the load's transactions that are open. */
async function openIds({ server }: Run): Promise<ReadonlySet<unknown>> {
  const rows = await server.query(
    'SELECT backend_xid::text AS id FROM pg_stat_activity WHERE usename = $1 AND backend_xid IS NOT NULL',
    [LOADER],
  )
  return new Set(rows.map(({ id }) => id))
}

/** Has others use ids, and commits them; resolves to whether one of `open` was among them. */
async function useIds({ server }: Run, open: ReadonlySet<unknown>): Promise<boolean> {
  let isReused = false
  for (let turn = 0; turn < IDS; turn++) {
    const [row] = await server.query('SELECT pg_current_xact_id()::xid::text AS id')
    if (open.has(row!.id)) isReused = true
  }
  // the commits before it reach the disk with its own
  await server.query("SELECT pg_logical_emit_message(true, 'faults', '')::text")
  return isReused
}
