import type { CountName, Stats, StreamState } from '../types.ts'

/** The state of all tables is the first of these that one of them has. */
const STATES_FIRST_TO_LAST: readonly StreamState[] = ['failed', 'retrying', 'writing', 'idle', 'ended']

/** Returns the stats of several streams as those of one; without a stream, those of one that is idle. */
export function combineStats(stats: readonly Stats[]): Stats {
  const sum = (name: CountName): number => stats.reduce((total, each) => total + each[name], 0)
  const commits = stats.flatMap(({ lastCommitAt }) => (lastCommitAt ? [lastCommitAt.getTime()] : []))
  return {
    rowsReceived: sum('rowsReceived'),
    rowsCommitted: sum('rowsCommitted'),
    rowsUnchanged: sum('rowsUnchanged'),
    rowsRejected: sum('rowsRejected'),
    rowsSkipped: sum('rowsSkipped'),
    rowsPending: sum('rowsPending'),
    batchesReceived: sum('batchesReceived'),
    batchesCommitted: sum('batchesCommitted'),
    transactions: sum('transactions'),
    bytesSent: sum('bytesSent'),
    state: STATES_FIRST_TO_LAST.find(state => stats.some(each => each.state === state)) ?? 'idle',
    lastCommitAt: commits.length > 0 ? new Date(Math.max(...commits)) : undefined,
    oldestPendingMs: Math.max(0, ...stats.map(({ oldestPendingMs }) => oldestPendingMs)),
  }
}
