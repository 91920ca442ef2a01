import { setTimeout as sleep } from 'node:timers/promises'
import { PgBatchError } from '../../lib/index.ts'
import { FaultProxy } from '../support/proxy.ts'
import { seededRandom } from '../support/random.ts'
import type { FaultCase } from './cases.ts'
import { type Counts, countRows } from './count.ts'
import { type LoadEnd, type LoadPlan, runLoad } from './load.ts'
import { loadInProcesses } from './loader-process.ts'
import type { Scene } from './scene.ts'
import { type FaultServer, LOADER } from './server.ts'
import { injectOnServer } from './server-faults.ts'
import { injectState } from './state-faults.ts'
import { dropTables, makeTables, type Tables } from './tables.ts'
import { injectOnWire } from './wire-faults.ts'

/** What came of one case. */
export interface CaseResult extends Counts {
  readonly case: FaultCase
  /** Faults that were seen to happen. */
  readonly fired: number
  readonly hung: number
  readonly unknown: number
  /** Sources that were read from the beginning again, after a pipeline had failed or its process was killed. */
  readonly restarts: number
  /** Why the case does not pass; empty when it does. */
  readonly complaints: readonly string[]
}

/** A load has this long to settle once the last fault is over. */
const SETTLE_MS = 30_000
/** A fault that has not come about by then never will: no message fits its aim. */
const FIRE_MS = 15_000
/** What a server gets to answer before a connection counts as dead; long enough for a loaded machine. */
const TIMEOUT_MS = 1000

const LEAST_ROWS = 1500

interface Loads {
  readonly sent: number
  readonly hung: boolean
  readonly errors: readonly Error[]
  readonly last: LoadEnd | undefined
}

/** Runs one load with its faults, and counts what has become of every row. */
export async function runCase(server: FaultServer, fault: FaultCase): Promise<CaseResult> {
  const { kind, shape, seed, number } = fault
  const tables = await makeTables(server, number, shape)
  const proxy = await FaultProxy.start(server.port)
  const timeoutMs = kind.needs?.timeoutMs ?? TIMEOUT_MS
  const retries = new Map<string, number>()
  let over = false
  let fired = 0
  let loads: Loads
  try {
    if (kind.by === 'process') {
      const killed = await loadInProcesses(server, tables, fault)
      fired = killed.kills
      loads = { sent: killed.sent, hung: killed.hung, errors: [], last: undefined }
    } else {
      const scene: Scene = {
        server,
        proxy,
        tables,
        case: fault,
        random: seededRandom(seed),
        timeoutMs,
        retriesAfter: sqlState => retries.get(sqlState) ?? 0,
      }
      const plan: LoadPlan = {
        url: server.loaderUrl(proxy.port, kind.needs?.settings),
        tables,
        shape,
        seed,
        sideEffects: kind.needs?.sideEffects ?? false,
        timeoutMs,
        isOver: () => over,
        leastRows: LEAST_ROWS,
        onRetry: ({ error: { sqlState = '' } }) => retries.set(sqlState, (retries.get(sqlState) ?? 0) + 1),
      }
      const load = keepLoading(plan, kind.needs?.rival ? 2 : 1)
      fired = await injectAll(scene, load.settled)
      over = true
      proxy.disarm()
      loads = await load.result(SETTLE_MS)
    }
  } finally {
    over = true
    await proxy.stop()
  }
  const result = await judge(server, tables, fault, loads, fired)
  if (result.complaints.length === 0) await dropTables(server, tables)
  return result
}

/** One fault after the other, with a little peace between them, as long as the load lives. */
async function injectAll(scene: Scene, settled: Promise<unknown>): Promise<number> {
  const { random } = scene
  let ended = false
  settled.then(() => {
    ended = true
  })
  let fired = 0
  for (let turn = 0; turn < scene.case.kind.faultsPerCase && !ended; turn++) {
    await sleep(random.integer(0, 40))
    const late = sleep(FIRE_MS, false)
    if (await Promise.race([inject(scene), late, settled.then(() => false)])) fired++
    scene.proxy.disarm()
  }
  return fired
}

async function inject(scene: Scene): Promise<boolean> {
  const { case: fault, random } = scene
  const { kind } = fault
  switch (kind.by) {
    case 'proxy':
      await injectOnWire(scene.proxy, random.pick(kind.steps), fault.shape.method, random)
      return true
    case 'server':
      return injectOnServer(scene, random.pick(kind.acts))
    case 'state':
      return injectState(scene, kind.act)
    case 'process':
      return false
  }
}

/**
 * Runs one writer, or rivals who all write the same rows. With a checkpoint a failed pipeline's source is read from
 * its beginning again, until a pipeline resolves.
 */
function keepLoading(plan: LoadPlan, writers: number) {
  const errors: Error[] = []
  const last: LoadEnd[] = []
  let sent = 0
  const write = async (writer: number): Promise<void> => {
    while (true) {
      // a source that is read again has at least what it has given out before
      const end = await runLoad({ ...plan, leastRows: Math.max(plan.leastRows, sent) })
      sent = Math.max(sent, end.sent)
      last[writer] = end
      if (!end.error) return
      errors.push(end.error)
      if (!plan.shape.checkpoint || !isWorthAnother(end.error)) return
      await sleep(20)
    }
  }
  const settled = Promise.all(Array.from({ length: writers }, (_, writer) => write(writer)))
  return {
    settled,
    async result(waitMs: number): Promise<Loads> {
      const inTime = await Promise.race([settled.then(() => true), sleep(waitMs, false, { ref: false })])
      return { sent, hung: !inTime, errors, last: last.find(end => end.error) ?? last.at(-1) }
    },
  }
}

function isWorthAnother(error: Error): boolean {
  return error instanceof PgBatchError && (error.retryable || error.outcome === 'unknown')
}

/** Sessions of the loader that hold a transaction open although nobody loads any more. */
async function leftInTransaction(server: FaultServer): Promise<number> {
  let count = 0
  // the server needs a moment to hear of connections that have just been closed
  for (let attempt = 0; attempt < 40; attempt++) {
    const [row] = await server.query(
      'SELECT count(*)::int AS count FROM pg_stat_activity WHERE usename = $1 AND xact_start IS NOT NULL',
      [LOADER],
    )
    count = row!.count as number
    if (count === 0) return 0
    await sleep(50)
  }
  return count
}

async function judge(
  server: FaultServer,
  tables: Tables,
  fault: FaultCase,
  { sent, hung, errors, last }: Loads,
  fired: number,
): Promise<CaseResult> {
  const { shape, seed, kind } = fault
  const complaints: string[] = []
  const failure = last?.error
  const unknown = errors.filter(error => (error as Partial<PgBatchError>).outcome === 'unknown').length
  if (hung) complaints.push(`did not settle within ${SETTLE_MS} ms of its last fault`)
  if (failure) complaints.push(`failed: ${failure.message}`)
  if (last && last.leakedClients > 0) complaints.push(`${last.leakedClients} clients were not given back`)
  const idle = await leftInTransaction(server)
  if (idle > 0) complaints.push(`${idle} sessions were left in a transaction`)
  const discarded = new Set(failure ? last.discarded : [])
  // what is behind the last row that the writer had was never handed to it
  const lastHeld = Math.max(...discarded)
  const counts = await countRows(
    server,
    tables,
    shape,
    seed,
    sent,
    n => discarded.has(n) || (failure !== undefined && n > lastHeld),
  )
  for (const what of ['lost', 'doubled', 'garbled'] as const) {
    if (counts[what] > 0) complaints.push(`${counts[what]} rows ${what}`)
  }
  if (kind.needs?.sideEffects && !failure) {
    for (const { id, rows } of await server.query(
      `SELECT id, rows::int AS rows FROM ${tables.side} ORDER BY id`,
    )) {
      if (rows !== sent) complaints.push(`inTransaction counted ${rows} rows of ${sent} in row ${id}`)
    }
  }
  return {
    ...counts,
    case: fault,
    fired,
    hung: hung ? 1 : 0,
    unknown,
    restarts: Math.max(0, errors.length - (failure ? 1 : 0)),
    complaints,
  }
}
