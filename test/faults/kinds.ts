import type { LoadShape } from './cases.ts'

/**
 * The faults, as data: what is broken, where and how. Nothing here breaks anything.
 */

/** A place in the conversation with the server that a wire fault can be aimed at. */
export type Aim =
  | 'anything sent'
  | 'any answer'
  | 'start-up'
  | 'BEGIN'
  | 'data'
  | 'end of data'
  /** Of a transaction that holds tens of a flood's batches. */
  | 'end of much data'
  | 'answer to data'
  | 'checkpoint lock'
  | 'checkpoint store'
  | 'dead letters'
  | 'savepoint'
  | 'ALTER TABLE'
  | 'answer to ALTER TABLE'
  | 'COMMIT'
  | 'answer to COMMIT'
  /** It has travelled behind COMMIT. */
  | 'answer to the next BEGIN'
  | 'ROLLBACK'
  | 'question'

/** One thing that the proxy does. */
export interface WireStep {
  readonly do: 'cut' | 'reset' | 'stall' | 'half-close' | 'delay'
  readonly at: Aim
  /** Which part of the message still passes: none, a random part, all of it. */
  readonly pass: 'none' | 'some' | 'all'
}

export type ServerAct =
  | 'terminate'
  | 'cancel'
  | 'kill backend'
  | 'kill backend after its COMMIT'
  | 'kill server after its COMMIT'
  | 'kill server'
  | 'kill server at COMMIT'
  | 'kill server after COMMIT'
  | ReuseAct
  | 'fast restart'
  | 'immediate restart'
  | 'freeze backend'
  | 'freeze server'

/** Crashes that take a transaction's id along, which others are given then. */
export type ReuseAct = 'reuse the id' | 'reuse the id and crash again' | 'crash twice'

export type StateAct =
  | 'read-only'
  | 'too many connections'
  | 'disk full'
  | 'out of memory'
  | 'refused at COMMIT'
  | 'deadlock'
  | 'serialization'
  | 'lock timeout'

const CRASHES: ReadonlySet<string> = new Set<ServerAct>([
  'kill backend',
  'kill backend after its COMMIT',
  'kill server after its COMMIT',
  'kill server',
  'kill server at COMMIT',
  'kill server after COMMIT',
  'reuse the id',
  'reuse the id and crash again',
  'crash twice',
  'immediate restart',
])

/** Returns true for a kind in which the server crashes, at least now and then. */
export function crashesServer(kind: FaultKind): boolean {
  return kind.by === 'server' && kind.acts.some(act => CRASHES.has(act))
}

/** What happens to a primary, its standby and the way there. */
export type FailoverAct =
  | 'lead to the standby'
  | 'forget the name'
  | 'fail over'
  | 'lose commits and fail over'
  | 'cut the wait short and fail over'

/** How a load reaches the primary: at one address, at the first that suits of two, or by a name. */
export type Route = 'address' | 'two hosts' | 'name'

export type PoolerAct = 'restart' | 'kill' | 'pause' | 'suspend'

/** How an `inTransaction` misbehaves; `hidden`: past what its client does to transaction control. */
export type CallbackAct =
  | 'ROLLBACK'
  | 'COMMIT'
  | 'hidden ROLLBACK'
  | 'hidden COMMIT'
  | 'procedure that commits'
  | 'failure ignored'
  | 'COPY left open'
  | 'waits for its own pool'
  | 'never ends'
  | 'backend terminated'

/** What a kind's cases need beyond the usual. */
export interface Needs {
  /** Only with rows that are to be rejected. */
  readonly badRows?: boolean
  readonly method?: LoadShape['method']
  readonly checkpoint?: boolean
  readonly concurrency?: 1
  readonly ownPool?: boolean
  readonly retries?: LoadShape['retries']
  readonly pace?: LoadShape['pace']
  /** `inTransaction` updates rows that others want to have, too. */
  readonly sideEffects?: boolean
  /** Server settings of the loader's sessions. */
  readonly settings?: string
  /** A second loader writes the same rows under the same checkpoint name, at the same time. */
  readonly rival?: boolean
  /** Rows bring new keys, and later wider values, so that the stream changes the table. */
  readonly evolves?: boolean
  /** All rows come in one transaction: as they are, or in place of the old ones. */
  readonly whole?: readonly ('single' | 'replace')[]
  /** Long enough not to come between. */
  readonly timeoutMs?: number
  /** Without a checkpoint a stream may fail because the outcome of a COMMIT cannot be found. */
  readonly mayStayUnknown?: boolean
}

export type FaultKind = { readonly name: string; readonly faultsPerCase: number; readonly needs?: Needs } & (
  | { readonly by: 'proxy'; readonly steps: readonly (readonly WireStep[])[] }
  | { readonly by: 'server'; readonly acts: readonly ServerAct[] }
  | { readonly by: 'state'; readonly act: StateAct }
  | { readonly by: 'process' }
  | { readonly by: 'cuts' }
  | { readonly by: 'pooler'; readonly acts: readonly PoolerAct[] }
  | { readonly by: 'callback'; readonly acts: readonly CallbackAct[] }
  | {
      readonly by: 'failover'
      readonly replication: 'asynchronous' | 'synchronous'
      readonly route: Route
      /** One after the other: each is one fault. */
      readonly acts: readonly FailoverAct[]
      /** Who loads. @default 'library' */
      readonly loader?: 'library' | 'command'
    }
)

const cut = (at: Aim, pass: WireStep['pass'] = 'none'): WireStep[] => [{ do: 'cut', at, pass }]
const reset = (at: Aim, pass: WireStep['pass'] = 'none'): WireStep[] => [{ do: 'reset', at, pass }]
const stall = (at: Aim, pass: WireStep['pass'] = 'none'): WireStep[] => [{ do: 'stall', at, pass }]
const halfClose = (at: Aim, pass: WireStep['pass'] = 'none'): WireStep[] => [{ do: 'half-close', at, pass }]
const delay = (at: Aim): WireStep[] => [{ do: 'delay', at, pass: 'none' }]

/** What the command does by itself. */
const COMMAND: Needs = {
  method: 'copy-binary',
  checkpoint: true,
  concurrency: 1,
  badRows: false,
  ownPool: true,
}

/** Few rows, so that the load ends, and one fault for each load: a load ends with it. */
const WHOLE: Needs = { whole: ['single', 'replace'], checkpoint: false, concurrency: 1, pace: 'trickle' }

/** Another lane's commit, and a large transaction, would take the id to disk. */
const REUSE: Needs = { timeoutMs: 10_000, concurrency: 1, pace: 'trickle' }

/** The last one leaves the stream alive, so that the case runs to its end. */
const CALLBACK_ACTS: readonly CallbackAct[] = [
  'ROLLBACK',
  'COMMIT',
  'hidden ROLLBACK',
  'procedure that commits',
  'failure ignored',
  'COPY left open',
  'waits for its own pool',
  'never ends',
  'backend terminated',
]

/** Each list of steps is one fault; further steps of it hit what follows the first, such as the question. */
export const FAULT_KINDS: readonly FaultKind[] = [
  {
    name: 'cut at any byte',
    by: 'proxy',
    faultsPerCase: 8,
    steps: [
      cut('anything sent', 'some'),
      cut('any answer', 'some'),
      reset('anything sent', 'some'),
      reset('any answer', 'some'),
    ],
  },
  {
    name: 'cut at BEGIN',
    by: 'proxy',
    faultsPerCase: 5,
    steps: [
      cut('BEGIN'),
      cut('BEGIN', 'some'),
      cut('BEGIN', 'all'),
      [...cut('BEGIN'), ...reset('start-up', 'some')],
    ],
  },
  {
    name: 'cut in the data',
    by: 'proxy',
    faultsPerCase: 5,
    steps: [cut('data'), cut('data', 'some'), cut('data', 'all'), reset('data', 'some')],
  },
  {
    name: 'cut before the answer to data',
    by: 'proxy',
    faultsPerCase: 5,
    steps: [cut('end of data'), cut('end of data', 'all'), cut('answer to data'), reset('answer to data')],
  },
  {
    name: 'COMMIT does not arrive',
    by: 'proxy',
    faultsPerCase: 5,
    steps: [cut('COMMIT'), cut('COMMIT', 'some'), reset('COMMIT'), reset('COMMIT', 'some')],
  },
  {
    name: 'answer to COMMIT is lost',
    by: 'proxy',
    faultsPerCase: 5,
    steps: [
      cut('COMMIT', 'all'),
      reset('COMMIT', 'all'),
      cut('answer to COMMIT'),
      cut('answer to COMMIT', 'some'),
      cut('answer to COMMIT', 'all'),
    ],
  },
  {
    name: 'one round trip is cut',
    by: 'proxy',
    faultsPerCase: 8,
    needs: { checkpoint: false, badRows: false, pace: 'trickle' },
    steps: [
      cut('data', 'some'),
      cut('end of data'),
      cut('end of data', 'all'),
      cut('COMMIT', 'some'),
      cut('COMMIT', 'all'),
      cut('answer to data', 'all'),
      cut('answer to COMMIT'),
      cut('answer to COMMIT', 'all'),
      cut('answer to the next BEGIN'),
      cut('answer to the next BEGIN', 'all'),
      reset('answer to the next BEGIN', 'some'),
      stall('answer to COMMIT'),
    ],
  },
  {
    name: 'the question is cut, too',
    by: 'proxy',
    faultsPerCase: 4,
    steps: [
      [...cut('answer to COMMIT'), ...cut('question')],
      [...cut('COMMIT'), ...cut('question', 'all')],
      [...cut('answer to COMMIT'), ...cut('question', 'some'), ...cut('start-up', 'some')],
    ],
  },
  {
    name: 'cut at the checkpoint',
    by: 'proxy',
    faultsPerCase: 5,
    needs: { checkpoint: true },
    steps: [
      cut('checkpoint lock'),
      cut('checkpoint lock', 'all'),
      cut('checkpoint store'),
      cut('checkpoint store', 'all'),
    ],
  },
  {
    name: 'cut among bad rows',
    by: 'proxy',
    faultsPerCase: 5,
    needs: { badRows: true },
    steps: [
      cut('ROLLBACK'),
      cut('ROLLBACK', 'all'),
      cut('savepoint'),
      cut('savepoint', 'all'),
      cut('dead letters'),
      cut('dead letters', 'all'),
      cut('answer to COMMIT'),
    ],
  },
  {
    name: 'half-open',
    by: 'proxy',
    faultsPerCase: 3,
    steps: [
      stall('data', 'some'),
      stall('end of data', 'all'),
      stall('COMMIT'),
      stall('COMMIT', 'all'),
      stall('BEGIN', 'all'),
      [...cut('data'), ...stall('start-up')],
      [...stall('answer to COMMIT'), ...stall('question')],
    ],
  },
  {
    name: 'half-closed',
    by: 'proxy',
    faultsPerCase: 4,
    steps: [
      halfClose('data', 'all'),
      halfClose('COMMIT', 'all'),
      halfClose('COMMIT'),
      halfClose('any answer', 'all'),
    ],
  },
  {
    name: 'slow',
    by: 'proxy',
    faultsPerCase: 5,
    steps: [delay('any answer'), delay('answer to COMMIT'), delay('data'), delay('COMMIT')],
  },
  { name: 'backend terminated', by: 'server', faultsPerCase: 6, acts: ['terminate'] },
  { name: 'statement cancelled', by: 'server', faultsPerCase: 4, acts: ['cancel'] },
  { name: 'backend killed', by: 'server', faultsPerCase: 2, acts: ['kill backend'] },
  {
    name: 'committed and killed',
    by: 'server',
    faultsPerCase: 2,
    needs: { timeoutMs: 10_000 },
    acts: ['kill server after its COMMIT', 'kill backend after its COMMIT'],
  },
  {
    name: 'server killed',
    by: 'server',
    faultsPerCase: 2,
    acts: ['kill server', 'kill server at COMMIT', 'kill server after COMMIT'],
  },
  {
    name: 'transaction id used again',
    by: 'server',
    // a second crash may come before the question
    faultsPerCase: 1,
    needs: REUSE,
    acts: ['reuse the id'],
  },
  {
    name: 'two crashes in a row',
    by: 'server',
    faultsPerCase: 1,
    needs: { ...REUSE, mayStayUnknown: true },
    acts: ['reuse the id and crash again'],
  },
  {
    name: 'one crash upon another',
    by: 'server',
    faultsPerCase: 2,
    needs: { ...REUSE, mayStayUnknown: true },
    acts: ['reuse the id', 'crash twice'],
  },
  {
    name: 'server restarted',
    by: 'server',
    faultsPerCase: 2,
    acts: ['fast restart', 'immediate restart'],
  },
  { name: 'server frozen', by: 'server', faultsPerCase: 2, acts: ['freeze backend', 'freeze server'] },
  { name: 'read-only server', by: 'state', faultsPerCase: 3, act: 'read-only' },
  { name: 'too many connections', by: 'state', faultsPerCase: 2, act: 'too many connections' },
  { name: 'disk full', by: 'state', faultsPerCase: 3, act: 'disk full' },
  { name: 'out of memory', by: 'state', faultsPerCase: 3, act: 'out of memory' },
  { name: 'refused at COMMIT', by: 'state', faultsPerCase: 3, act: 'refused at COMMIT' },
  { name: 'deadlock', by: 'state', faultsPerCase: 3, needs: { sideEffects: true }, act: 'deadlock' },
  {
    name: 'serialization failure',
    by: 'state',
    faultsPerCase: 4,
    needs: { sideEffects: true, settings: '-c default_transaction_isolation=serializable' },
    act: 'serialization',
  },
  {
    name: 'repeatable read',
    by: 'state',
    faultsPerCase: 4,
    needs: { sideEffects: true, settings: '-c default_transaction_isolation=repeatable\\ read' },
    act: 'serialization',
  },
  {
    name: 'lock timeout',
    by: 'state',
    faultsPerCase: 3,
    needs: { sideEffects: true, settings: '-c lock_timeout=60ms' },
    act: 'lock timeout',
  },
  {
    name: 'two writers, one checkpoint',
    by: 'server',
    faultsPerCase: 4,
    needs: { checkpoint: true, rival: true },
    acts: ['terminate'],
  },
  {
    name: 'columns added under kills',
    by: 'server',
    faultsPerCase: 5,
    needs: { evolves: true },
    acts: ['terminate'],
  },
  {
    name: 'two writers add columns',
    by: 'server',
    faultsPerCase: 4,
    needs: { evolves: true, checkpoint: true, rival: true },
    acts: ['terminate'],
  },
  {
    name: 'cut while columns are added',
    by: 'proxy',
    faultsPerCase: 4,
    needs: { evolves: true, pace: 'trickle' },
    steps: [
      cut('ALTER TABLE'),
      cut('ALTER TABLE', 'all'),
      cut('answer to ALTER TABLE'),
      cut('answer to ALTER TABLE', 'all'),
    ],
  },
  {
    name: 'whole load is cut',
    by: 'proxy',
    faultsPerCase: 3,
    needs: WHOLE,
    steps: [
      cut('anything sent', 'some'),
      cut('BEGIN', 'all'),
      cut('data'),
      cut('data', 'some'),
      cut('end of data', 'all'),
      cut('answer to data'),
      cut('COMMIT'),
      reset('COMMIT', 'some'),
    ],
  },
  {
    name: 'whole load, COMMIT is lost',
    by: 'proxy',
    faultsPerCase: 1,
    needs: WHOLE,
    steps: [
      cut('COMMIT', 'all'),
      cut('answer to COMMIT'),
      cut('answer to COMMIT', 'some'),
      stall('answer to COMMIT'),
      [...cut('answer to COMMIT'), ...cut('question')],
      [...cut('COMMIT', 'all'), ...cut('question', 'some'), ...cut('start-up', 'some')],
    ],
  },
  {
    name: 'whole load, server killed',
    by: 'server',
    faultsPerCase: 1,
    needs: { ...WHOLE, timeoutMs: 10_000 },
    acts: ['kill server', 'kill server at COMMIT', 'kill server after COMMIT', 'kill backend', 'terminate'],
  },
  { name: 'loader killed', by: 'process', faultsPerCase: 4, needs: { checkpoint: true } },
  {
    name: 'cut again and again',
    by: 'cuts',
    faultsPerCase: 5,
    needs: { pace: 'flood', retries: 'usual', badRows: false },
  },
  {
    name: 'retry cut at its first batch',
    by: 'proxy',
    faultsPerCase: 3,
    // a transaction takes tens of batches, its retry an eighth of them
    needs: { pace: 'flood', method: 'copy-binary', concurrency: 1, retries: 'many', badRows: false },
    // the first new connection is to end the transaction that was left behind, the second one is the retry's
    steps: [[...cut('end of much data'), ...cut('start-up'), ...cut('start-up')]],
  },
  { name: 'PgBouncer restarted', by: 'pooler', faultsPerCase: 3, acts: ['restart', 'kill'] },
  { name: 'PgBouncer paused', by: 'pooler', faultsPerCase: 3, acts: ['pause', 'suspend'] },
  {
    name: 'callbacks misbehave',
    by: 'callback',
    faultsPerCase: CALLBACK_ACTS.length,
    needs: { checkpoint: true, concurrency: 1, ownPool: false, sideEffects: true },
    acts: CALLBACK_ACTS,
  },
  {
    name: 'a callback misbehaves, no checkpoint',
    by: 'callback',
    faultsPerCase: 1,
    needs: { checkpoint: false, concurrency: 1, ownPool: false },
    acts: [...CALLBACK_ACTS, 'hidden COMMIT'],
  },
  {
    name: 'standby met',
    by: 'failover',
    replication: 'synchronous',
    route: 'address',
    faultsPerCase: 3,
    needs: { retries: 'many' },
    acts: ['lead to the standby', 'lead to the standby', 'fail over'],
  },
  {
    name: 'failover, asynchronous',
    by: 'failover',
    replication: 'asynchronous',
    route: 'address',
    faultsPerCase: 1,
    // a pipeline that has failed before it reaches the standby knows of no commits
    needs: { checkpoint: true, retries: 'many' },
    acts: ['lose commits and fail over'],
  },
  {
    name: 'failover, asynchronous, no checkpoint',
    by: 'failover',
    replication: 'asynchronous',
    route: 'address',
    faultsPerCase: 1,
    needs: { checkpoint: false },
    acts: ['lose commits and fail over'],
  },
  {
    name: 'failover, synchronous',
    by: 'failover',
    replication: 'synchronous',
    route: 'address',
    faultsPerCase: 1,
    acts: ['fail over'],
  },
  {
    name: 'failover, wait cut short',
    by: 'failover',
    replication: 'synchronous',
    route: 'address',
    faultsPerCase: 1,
    needs: { checkpoint: false, timeoutMs: 10_000 },
    acts: ['cut the wait short and fail over'],
  },
  {
    name: 'failover, two hosts',
    by: 'failover',
    replication: 'synchronous',
    route: 'two hosts',
    faultsPerCase: 1,
    needs: { ownPool: true },
    acts: ['fail over'],
  },
  {
    name: 'failover, load --resume, asynchronous',
    by: 'failover',
    loader: 'command',
    replication: 'asynchronous',
    route: 'two hosts',
    faultsPerCase: 1,
    needs: COMMAND,
    acts: ['fail over'],
  },
  {
    name: 'failover, load --resume, synchronous',
    by: 'failover',
    loader: 'command',
    replication: 'synchronous',
    route: 'two hosts',
    faultsPerCase: 1,
    needs: COMMAND,
    acts: ['fail over'],
  },
  {
    name: 'failover, a name',
    by: 'failover',
    replication: 'synchronous',
    route: 'name',
    faultsPerCase: 3,
    needs: { ownPool: false },
    acts: ['forget the name', 'forget the name', 'fail over'],
  },
]
