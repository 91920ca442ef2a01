import { expect } from 'chai'
import { TransactionSize } from '../../../../lib/write/transaction/transaction-size.ts'

describe('TransactionSize', () => {
  it('limits nothing while all goes well', () => {
    const size = new TransactionSize()
    size.committed(200)
    expect(size.limit).to.equal(Number.POSITIVE_INFINITY)
  })

  it('leads from hundreds of batches to one in a few failures', () => {
    const size = new TransactionSize()
    const limits = [200, 25, 3, 1].map(batches => {
      size.failed(batches)
      return size.limit
    })
    expect(limits).to.deep.equal([25, 3, 1, 1])
  })

  it('shrinks by what failed, though the limit was larger', () => {
    const size = new TransactionSize()
    size.failed(200)
    size.failed(8)
    expect(size.limit).to.equal(1)
  })

  it('grows with the transactions that fill it, until it limits nothing', () => {
    const size = new TransactionSize()
    size.failed(8)
    size.committed(1)
    expect(size.limit).to.equal(2)
    size.committed(1) // there was no second one
    expect(size.limit).to.equal(2)
    for (let batches = 2; batches < 1024; batches *= 2) size.committed(batches)
    expect(size.limit).to.equal(Number.POSITIVE_INFINITY)
  })
})
