import { expect } from 'chai'
import type { Stats, StreamState } from '../../../lib/types.ts'
import { combineStats } from '../../../lib/writable/combine-stats.ts'

const statsOf = (rows: number, state: StreamState, rest: Partial<Stats> = {}): Stats => ({
  rowsReceived: rows,
  rowsCommitted: rows,
  rowsUnchanged: 0,
  rowsRejected: 0,
  rowsSkipped: 0,
  rowsPending: 0,
  batchesReceived: 1,
  batchesCommitted: 1,
  transactions: 1,
  bytesSent: rows,
  state,
  lastCommitAt: undefined,
  oldestPendingMs: 0,
  ...rest,
})

describe('the stats of several streams', () => {
  it('have the sums of the counts, the last commit and the oldest pending batch', () => {
    const a = statsOf(3, 'writing', { lastCommitAt: new Date(2000), oldestPendingMs: 5 })
    const b = statsOf(4, 'idle', { lastCommitAt: new Date(1000), oldestPendingMs: 7 })
    expect(combineStats([a, b])).to.deep.equal({
      ...statsOf(7, 'writing', { lastCommitAt: new Date(2000), oldestPendingMs: 7 }),
      batchesReceived: 2,
      batchesCommitted: 2,
      transactions: 2,
    })
  })

  for (const [states, all] of [
    [[], 'idle'],
    [['ended'], 'ended'],
    [['ended', 'idle'], 'idle'],
    [['idle', 'writing'], 'writing'],
    [['writing', 'retrying', 'idle'], 'retrying'],
    [['retrying', 'failed', 'ended'], 'failed'],
  ] as [StreamState[], StreamState][]) {
    it(`are ${all} where the streams are ${states.join(', ') || 'none'}`, () => {
      expect(combineStats(states.map(state => statsOf(1, state))).state).to.equal(all)
    })
  }
})
