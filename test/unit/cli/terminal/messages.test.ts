import { expect } from 'chai'
import { committedLine, committedSoFar, interruptedLine } from '../../../../lib/cli/terminal/messages.ts'
import type { Stats } from '../../../../lib/types.ts'

describe('the line that a load prints', () => {
  const stats: Stats = {
    rowsReceived: 10_000,
    rowsCommitted: 10_000,
    rowsUnchanged: 0,
    rowsRejected: 0,
    rowsSkipped: 0,
    rowsPending: 0,
    batchesReceived: 10,
    batchesCommitted: 10,
    transactions: 3,
    bytesSent: 1,
    state: 'ended',
    lastCommitAt: undefined,
    oldestPendingMs: 0,
  }

  it('has rows, batches, time and rate', () => {
    expect(committedLine('orders', stats, 210)).to.equal(
      'orders: 10,000 rows committed in 10 batches, 0.21 s, 47,619 rows/s',
    )
  })

  it('has singular and plural, and zero', () => {
    const some = { ...stats, rowsCommitted: 9000, rowsUnchanged: 1000 }
    expect(committedLine('t', some, 1000)).to.contain(
      ' 9,000 rows committed in 10 batches, 1,000 unchanged, 1.00 s, 10,000 ',
    )
    const one = { ...stats, rowsCommitted: 1, batchesCommitted: 1 }
    expect(committedLine('orders', one, 1000)).to.equal(
      'orders: 1 row committed in 1 batch, 1.00 s, 1 rows/s',
    )
    const none = { ...stats, rowsCommitted: 0, batchesCommitted: 0 }
    expect(committedLine('orders', none, 10)).to.equal(
      'orders: 0 rows committed in 0 batches, 0.01 s, 0 rows/s',
    )
    expect(interruptedLine('orders')).to.equal('orders: interrupted; 0 rows committed')
    expect(committedSoFar(1, true)).to.equal(
      '1 row committed, and perhaps more: the server has not answered a COMMIT',
    )
  })
})
