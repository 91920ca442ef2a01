import { expect } from 'chai'
import fc from 'fast-check'
import { OffsetLedger } from '../../../../lib/kafka/offsets/offset-ledger.ts'

const message = (partition: number, offset: number) => ({ topic: 't', partition, offset: BigInt(offset) })

describe('OffsetLedger', () => {
  it('lets an offset be committed once all messages before it are done', () => {
    const ledger = new OffsetLedger()
    const [a, b, c] = [message(0, 5), message(0, 6), message(0, 9)]
    for (const each of [a, b, c]) ledger.read(each)
    expect(ledger.done([b])).to.deep.equal([])
    expect(ledger.done([a])).to.deep.equal([message(0, 7)])
    expect(ledger.size).to.equal(1)
    expect(ledger.done([c])).to.deep.equal([message(0, 10)])
    expect(ledger.size).to.equal(0)
  })

  it('keeps partitions apart', () => {
    const ledger = new OffsetLedger()
    const [a, b] = [message(0, 5), message(1, 3)]
    ledger.read(a)
    ledger.read(b)
    expect(ledger.done([b])).to.deep.equal([message(1, 4)])
    expect(ledger.done([a])).to.deep.equal([message(0, 6)])
  })

  it('agrees, in any order, with the lowest offset that is not done', () => {
    const order = fc.shuffledSubarray(
      Array.from({ length: 60 }, (_, offset) => offset),
      { minLength: 60 },
    )
    fc.assert(
      fc.property(order, offsets => {
        const ledger = new OffsetLedger()
        const messages = offsets.map((_, offset) => message(0, offset))
        for (const each of messages) ledger.read(each)
        const open = new Set(offsets)
        let committed = 0n
        for (const offset of offsets) {
          for (const next of ledger.done([messages[offset]!])) committed = next.offset
          open.delete(offset)
          expect(Number(committed)).to.equal(Math.min(60, ...open))
        }
      }),
    )
  })
})
