import { FAILOVER_KINDS } from './failover-kinds.ts'
import type { CallbackAct, FaultKind, Needs } from './fault-kind.ts'
import { WIRE_KINDS } from './wire-kinds.ts'
import { cut, reset, stall } from './wire-steps.ts'

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

/** All kinds of faults, in the order in which a run takes them. */
export const FAULT_KINDS: readonly FaultKind[] = [
  ...WIRE_KINDS,
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
  ...FAILOVER_KINDS,
]
