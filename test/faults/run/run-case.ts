import { type Random, seededRandom } from '../../support/random.ts'
import type { FaultCase } from '../cases/cases.ts'
import { CallbackSaboteur } from '../inject/callback-faults.ts'
import { injectFaults } from '../inject/inject-faults.ts'
import type { LoadPlan } from '../load/load.ts'
import { slowDown } from '../load/load-by-command.ts'
import { loadInProcesses } from '../load/loader-process.ts'
import {
  commandLoading,
  countAcknowledged,
  isUnknown,
  keepLoading,
  mayStartAgain,
  SETTLE_MS,
} from '../load/loading.ts'
import { dropTables, makeTables, type Tables } from '../load/tables.ts'
import { OldRows } from '../load/whole-load.ts'
import { type Environment, startEnvironment } from '../servers/environment.ts'
import type { FaultServer } from '../servers/server.ts'
import { type CaseResult, type FaultyLoad, judgeCase } from './judge-case.ts'
import type { Run } from './run.ts'

/** What a server gets to answer before a connection counts as dead; long enough for a loaded machine. */
const TIMEOUT_MS = 1000

const LEAST_ROWS = 1500
/** At once, so that one transaction would take many of them. */
const FLOOD_ROWS = 15_000
/** What a callback has; longer than its statements take on a loaded machine. */
const CALLBACK_MS = 400

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
    const result = await judgeCase(database, tables, fault, loads)
    if (result.complaints.length === 0) await dropTables(database, tables)
    return result
  } finally {
    await environment.stop()
  }
}

async function loadUnderKills(server: FaultServer, tables: Tables, fault: FaultCase): Promise<FaultyLoad> {
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
async function loadUnderFaults({
  server,
  environment,
  tables,
  fault,
  random,
}: CaseSetting): Promise<FaultyLoad> {
  const { kind, shape, seed } = fault
  const { proxy, failover, name, pooler, url } = environment
  const saboteur = kind.by === 'callback' ? new CallbackSaboteur() : undefined
  const retries = new Map<string, number>()
  const acknowledged = new Set<number>()
  const complaints: string[] = []
  const oldRows = shape.whole && (await OldRows.store(environment.database, tables, shape.whole))
  let commits = 0
  let over = kind.by === 'cuts'
  let settled = false
  const plan = loadPlanOf({ server, environment, tables, fault, random }, saboteur, {
    isOver: () => over || shape.whole !== undefined,
    onRetry: ({ error: { sqlState = '' } }) => retries.set(sqlState, (retries.get(sqlState) ?? 0) + 1),
    onCommit: () => commits++,
    onAcknowledged: numbers => numbers.forEach(n => void acknowledged.add(n)),
  })
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
    timeoutMs: plan.timeoutMs,
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
  const fired = await injectFaults(run, load.settled)
  over = true
  proxy.disarm()
  saboteur?.disarm()
  const loads = await load.result(SETTLE_MS)
  return { ...loads, fired, complaints, mayBeGone: mayBeGone(fault) ? run.acknowledgedBefore : new Set() }
}

/** What a load reports while it runs, and when it may end. */
type Reports = Required<Pick<LoadPlan, 'isOver' | 'onRetry' | 'onCommit' | 'onAcknowledged'>>

/** Returns how the load of a case is made, for a load in this process. */
function loadPlanOf(
  { server, environment, tables, fault: { kind, shape, seed } }: CaseSetting,
  saboteur: CallbackSaboteur | undefined,
  { onAcknowledged, ...reports }: Reports,
): LoadPlan {
  const { failover, name, url, urls } = environment
  return {
    ...reports,
    url,
    tables,
    shape,
    seed,
    sideEffects: kind.needs?.sideEffects ?? false,
    timeoutMs: kind.needs?.timeoutMs ?? TIMEOUT_MS,
    leastRows: shape.pace === 'flood' ? FLOOD_ROWS : LEAST_ROWS,
    ...(failover ? { onAcknowledged, checkpointUrls: urls } : {}),
    ...(name ? { stream: name.stream } : {}),
    ...(saboteur
      ? {
          callbackTimeoutMs: CALLBACK_MS,
          inTransaction: (client, pool) =>
            saboteur.called({ client, pool, terminate: pid => server.query(TERMINATE, [pid]) }),
        }
      : {}),
  }
}

/**
 * An asynchronous standby may lack what the primary has acknowledged. Without a checkpoint nothing shows it.
 */
function mayBeGone({ kind, shape }: FaultCase): boolean {
  return kind.by === 'failover' && kind.replication === 'asynchronous' && !shape.checkpoint
}

const TERMINATE = 'SELECT pg_terminate_backend($1)'
