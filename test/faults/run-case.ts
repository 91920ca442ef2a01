import { setTimeout as sleep } from 'node:timers/promises'
import { PgBatchError } from '../../lib/index.ts'
import { type Random, seededRandom } from '../support/random.ts'
import { CallbackSaboteur } from './callback-faults.ts'
import type { FaultCase } from './cases.ts'
import { type Counts, countRows } from './count.ts'
import { type Environment, startEnvironment } from './environment.ts'
import { injectFailover } from './failover-faults.ts'
import { crashesServer } from './fault-kind.ts'
import { type LoadEnd, type LoadPlan, runLoad } from './load.ts'
import { loadByCommand, slowDown } from './load-by-command.ts'
import { loadInProcesses } from './loader-process.ts'
import { injectOnPooler } from './pooler-faults.ts'
import type { Run } from './run.ts'
import { type Database, type FaultServer, LOADER } from './server.ts'
import { injectOnServer } from './server-faults.ts'
import { injectState } from './state-faults.ts'
import { dropTables, makeTables, type Tables } from './tables.ts'
import { OldRows } from './whole-load.ts'
import { injectOnWire } from './wire-faults.ts'

/** What came of one case. */
export interface CaseResult extends Counts {
  readonly case: FaultCase
  /** Faults that were seen to happen. */
  readonly fired: number
  readonly hung: number
  readonly unknown: number
  /**
   * The load failed because the outcome of a COMMIT could not be found after a crash. That is right where the
   * stream could not watch the server all the time, as on a machine that is too busy; else it is a fault.
   */
  readonly isOpen: boolean
  /**
   * Sources that were read from the beginning again, after a pipeline had failed or its process was killed.
   */
  readonly restarts: number
  /** Why the case does not pass; empty when it does. */
  readonly complaints: readonly string[]
}

/** A load has this long to settle once the last fault is over. */
const SETTLE_MS = 30_000
/** A fault that has not come about by then never will: no message fits its aim. */
const FIRE_MS = 15_000
const FAILOVER_MS = 60_000
/** What a server gets to answer before a connection counts as dead; long enough for a loaded machine. */
const TIMEOUT_MS = 1000

const LEAST_ROWS = 1500
/** At once, so that one transaction would take many of them. */
const FLOOD_ROWS = 15_000
/** After how many bytes each connection is cut: enough for a batch of a hundred rows, too few for many. */
const CUT_BYTES = [25_000, 70_000] as const
/** What a callback has; longer than its statements take on a loaded machine. */
const CALLBACK_MS = 400

interface LoadsEnd {
  readonly sent: number
  readonly hung: boolean
  readonly errors: readonly Error[]
  /** The failure that a fault had to cause. The source is not started again after it. */
  readonly expected: Error | undefined
  readonly last: LoadEnd | undefined
}

interface Loads extends LoadsEnd {
  readonly fired: number
  readonly complaints: readonly string[]
  /** Rows that no one can keep from being lost. */
  readonly mayBeGone: ReadonlySet<number>
}

/** Runs one load with its faults, and counts the outcome of every row. */
export async function runCase(server: FaultServer, fault: FaultCase): Promise<CaseResult> {
  const { kind, shape, seed, number } = fault
  const random = seededRandom(seed)
  await server.ready()
  const environment = await startEnvironment(server, kind, random)
  try {
    const { database } = environment
    const tables = await makeTables(database, number, shape)
    if (kind.by === 'failover' && kind.loader === 'command') await slowDown(database, tables)
    await environment.ready()
    const loads =
      kind.by === 'process'
        ? await loadUnderKills(server, tables, fault)
        : await loadUnderFaults({ server, environment, tables, fault, random })
    // the server hears that connections are gone which had stalled
    await environment.proxy.stop()
    const result = await judge(database, tables, fault, loads)
    if (result.complaints.length === 0) await dropTables(database, tables)
    return result
  } finally {
    await environment.stop()
  }
}

async function loadUnderKills(server: FaultServer, tables: Tables, fault: FaultCase): Promise<Loads> {
  const { kills, sent, hung, error } = await loadInProcesses(server, tables, fault)
  const last = error && { error, sent, discarded: [], leakedClients: 0 }
  const nothing = { errors: [], expected: undefined, complaints: [] }
  return { ...nothing, sent, hung, last, fired: kills, mayBeGone: new Set() }
}

interface CaseSetting {
  readonly server: FaultServer
  readonly environment: Environment
  readonly tables: Tables
  readonly fault: FaultCase
  readonly random: Random
}

/** Loads in this process while faults come, and until the load has settled after the last one. */
async function loadUnderFaults({ server, environment, tables, fault, random }: CaseSetting): Promise<Loads> {
  const { kind, shape, seed } = fault
  const { proxy, failover, name, pooler, url } = environment
  const timeoutMs = kind.needs?.timeoutMs ?? TIMEOUT_MS
  const saboteur = kind.by === 'callback' ? new CallbackSaboteur() : undefined
  const retries = new Map<string, number>()
  const acknowledged = new Set<number>()
  const complaints: string[] = []
  const oldRows = shape.whole && (await OldRows.store(environment.database, tables, shape.whole))
  let commits = 0
  let over = kind.by === 'cuts'
  let settled = false
  const plan: LoadPlan = {
    url,
    tables,
    shape,
    seed,
    sideEffects: kind.needs?.sideEffects ?? false,
    timeoutMs,
    isOver: () => over || shape.whole !== undefined,
    leastRows: shape.pace === 'flood' ? FLOOD_ROWS : LEAST_ROWS,
    onRetry: ({ error: { sqlState = '' } }) => retries.set(sqlState, (retries.get(sqlState) ?? 0) + 1),
    onCommit: () => commits++,
    ...(failover ? { onAcknowledged: numbers => numbers.forEach(n => void acknowledged.add(n)) } : {}),
    ...(failover ? { checkpointUrls: environment.urls } : {}),
    ...(name ? { stream: name.stream } : {}),
    ...(saboteur
      ? {
          callbackTimeoutMs: CALLBACK_MS,
          inTransaction: (client, pool) =>
            saboteur.called({ client, pool, terminate: pid => server.query(TERMINATE, [pid]) }),
        }
      : {}),
  }
  const byCommand = kind.by === 'failover' && kind.loader === 'command'
  const load = byCommand
    ? commandLoading(url, tables, seed)
    : keepLoading(plan, {
        writers: kind.needs?.rival ? 2 : 1,
        mayStartAgain: error => mayStartAgain(shape, error),
        afterFailure: async error => {
          const complaint = await oldRows?.complaintAfter(error)
          if (complaint) complaints.push(complaint)
        },
        explains: error =>
          saboteur?.explains(error) || (kind.needs?.mayStayUnknown === true && isUnknown(error)),
      })
  if (byCommand) countAcknowledged(environment.database, tables, acknowledged, () => settled)
  load.settled.then(() => {
    settled = true
  })
  const run: Run = {
    server,
    proxy,
    tables,
    case: fault,
    random,
    timeoutMs,
    retriesAfter: sqlState => retries.get(sqlState) ?? 0,
    commits: () => commits,
    failover,
    name,
    pooler,
    saboteur,
    acknowledged,
    acknowledgedBefore: new Set(),
    isSettled: () => settled,
    complain: complaint => complaints.push(complaint),
  }
  const fired = await injectAll(run, load.settled)
  over = true
  proxy.disarm()
  saboteur?.disarm()
  const loads = await load.result(SETTLE_MS)
  // an asynchronous standby may lack what the primary has acknowledged, and no one can know that
  const mayBeGone =
    kind.by === 'failover' && kind.replication === 'asynchronous' && !shape.checkpoint
      ? run.acknowledgedBefore
      : new Set<number>()
  return { ...loads, fired, complaints, mayBeGone }
}

const TERMINATE = 'SELECT pg_terminate_backend($1)'

/** One fault after the other, with a little peace between them, as long as the load lives. */
async function injectAll(run: Run, settled: Promise<unknown>): Promise<number> {
  const { random, proxy } = run
  const { kind } = run.case
  if (kind.by === 'cuts') {
    proxy.cutEach(() => random.integer(...CUT_BYTES))
    await Promise.race([settled, sleep(SETTLE_MS)])
    return Math.min(kind.faultsPerCase, proxy.cuts)
  }
  let fired = 0
  for (let turn = 0; turn < kind.faultsPerCase && !run.isSettled(); turn++) {
    await sleep(random.integer(0, 40))
    // a failover that was begun has to be done before the load may end
    const late = sleep(kind.by === 'failover' ? FAILOVER_MS : FIRE_MS, false)
    if (await Promise.race([inject(run, turn), late, settled.then(() => false)])) fired++
    proxy.disarm()
  }
  return fired
}

async function inject(run: Run, turn: number): Promise<boolean> {
  const { case: fault, random } = run
  const { kind } = fault
  switch (kind.by) {
    case 'proxy':
      await injectOnWire(run.proxy, random.pick(kind.steps), fault.shape, random)
      return true
    case 'server':
      return injectOnServer(run, random.pick(kind.acts))
    case 'state':
      return injectState(run, kind.act)
    case 'pooler':
      await injectOnPooler(run, random.pick(kind.acts))
      return true
    case 'callback':
      await run.saboteur!.arm(kind.faultsPerCase === 1 ? random.pick(kind.acts) : kind.acts[turn]!)
      return true
    case 'failover':
      return injectFailover(run, kind.acts[turn]!)
    case 'cuts':
    case 'process':
      return false
  }
}

/** The same by `pg-batch load --resume`. */
function commandLoading(url: string, tables: Tables, seed: number) {
  const loading = loadByCommand(url, tables, seed)
  return {
    settled: loading,
    async result(): Promise<LoadsEnd> {
      const { sent, hung, restarts, error } = await loading
      const errors = Array.from({ length: restarts }, () => error ?? new Error('The command has failed'))
      const last = error && { error, sent, discarded: [], leakedClients: 0 }
      return { sent, hung, errors, expected: undefined, last }
    },
  }
}

/** What the command has committed shows in the table only: its rows come in order. */
async function countAcknowledged(
  database: Database,
  { target }: Tables,
  acknowledged: Set<number>,
  isSettled: () => boolean,
): Promise<void> {
  while (!isSettled()) {
    const [row] = await database.query(`SELECT count(*)::int AS count FROM ${target}`).catch(() => [])
    for (let n = acknowledged.size; n < Number(row?.count ?? 0); n++) acknowledged.add(n)
    await sleep(10)
  }
}

interface KeepLoadingOptions {
  readonly writers: number
  /** True for a failure that a fault has to lead to, or may. */
  readonly explains: (error: Error) => boolean
  /** True for a failure after which the source is read from its beginning again. */
  readonly mayStartAgain: (error: Error) => boolean
  readonly afterFailure: (error: Error) => Promise<void>
}

/**
 * Runs one writer, or rivals who all write the same rows. With a checkpoint a failed pipeline's source is
 * read from its beginning again, until a pipeline resolves.
 */
function keepLoading(plan: LoadPlan, { writers, explains, mayStartAgain, afterFailure }: KeepLoadingOptions) {
  const errors: Error[] = []
  const last: LoadEnd[] = []
  let sent = 0
  let expected: Error | undefined
  const write = async (writer: number): Promise<void> => {
    while (true) {
      // a source that is read again has at least what it has given out before
      const end = await runLoad({ ...plan, leastRows: Math.max(plan.leastRows, sent) })
      sent = Math.max(sent, end.sent)
      last[writer] = end
      if (!end.error) return
      const isExpected = explains(end.error)
      if (isExpected && !plan.shape.checkpoint) {
        expected = end.error
        return
      }
      errors.push(end.error)
      await afterFailure(end.error)
      if (!isExpected && !mayStartAgain(end.error)) return
      await sleep(20)
    }
  }
  const settled = Promise.all(Array.from({ length: writers }, (_, writer) => write(writer)))
  return {
    settled,
    async result(waitMs: number): Promise<LoadsEnd> {
      const inTime = await Promise.race([settled.then(() => true), sleep(waitMs, false, { ref: false })])
      return { sent, hung: !inTime, errors, expected, last: last.find(end => end.error) ?? last.at(-1) }
    },
  }
}

function isUnknown(error: Error): boolean {
  return error instanceof PgBatchError && error.outcome === 'unknown'
}

/** Returns true where another pass cannot write a row twice: by its checkpoint, or as nothing was written. */
function mayStartAgain({ checkpoint, whole }: FaultCase['shape'], error: Error): boolean {
  if (!(error instanceof PgBatchError)) return false
  if (whole) return error.retryable && (error.outcome === 'rolled-back' || error.outcome === 'not-sent')
  if (!checkpoint) return false
  return error.retryable || error.outcome === 'unknown' || error.code === 'CHECKPOINT_REGRESSED'
}

/** Sessions of the loader that still hold a transaction open after the load has ended. */
async function leftInTransaction(database: Database): Promise<number> {
  let count = 0
  // the server needs a moment to hear of connections that have just been closed
  for (let attempt = 0; attempt < 40; attempt++) {
    const [row] = await database.query(
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
  database: Database,
  tables: Tables,
  fault: FaultCase,
  { sent, hung, errors, expected, last, fired, mayBeGone, complaints: noted }: Loads,
): Promise<CaseResult> {
  const { shape, seed, kind } = fault
  const complaints = [...noted]
  const failure = last?.error
  const unknown = [...errors, ...(expected ? [expected] : [])].filter(isUnknown).length
  if (hung) complaints.push(`did not settle within ${SETTLE_MS} ms of its last fault`)
  const isOpen = failure !== undefined && failure !== expected && isUnknown(failure) && crashesServer(kind)
  if (failure && failure !== expected && !isOpen) complaints.push(`failed: ${failure.message}`)
  if (last && last.leakedClients > 0) complaints.push(`${last.leakedClients} clients were not given back`)
  const idle = await leftInTransaction(database)
  if (idle > 0) complaints.push(`${idle} sessions were left in a transaction`)
  const discarded = new Set(failure ? last.discarded : [])
  // what is behind the last row that the writer had was never handed to it
  const lastHeld = Math.max(...discarded)
  const counts = await countRows(
    database,
    tables,
    shape,
    seed,
    sent,
    n => mayBeGone.has(n) || discarded.has(n) || (failure !== undefined && n > lastHeld),
  )
  for (const what of ['lost', 'doubled', 'garbled'] as const) {
    if (counts[what] > 0) complaints.push(`${counts[what]} rows ${what}`)
  }
  if (kind.needs?.sideEffects && !failure) {
    for (const { id, rows } of await database.query(
      `SELECT id, rows::int AS rows FROM ${tables.side} ORDER BY id`,
    )) {
      const written = sent - counts.rejected
      if (rows !== written) complaints.push(`inTransaction counted ${rows} rows of ${written} in row ${id}`)
    }
  }
  return {
    ...counts,
    case: fault,
    fired,
    hung: hung ? 1 : 0,
    unknown,
    isOpen,
    restarts: Math.max(0, errors.length - (failure ? 1 : 0)),
    complaints,
  }
}
