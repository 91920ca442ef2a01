import { expect } from 'chai'
import { dropAborted } from '../../../../lib/kafka/consumer/aborted-transactions.ts'

const [PLAIN, TRANSACTIONAL, CONTROL] = [0, 0x10, 0x30]
const [ABORT, COMMIT] = [0, 1]

const batch = (producerId: bigint, firstOffset: number, count = 2, attributes = TRANSACTIONAL) => ({
  attributes,
  producerId,
  firstOffset: BigInt(firstOffset),
  lastOffsetDelta: count - 1,
  records: Array.from({ length: count }, (): { key?: Buffer } => ({})),
})
const marker = (producerId: bigint, offset: number, type: number) => ({
  ...batch(producerId, offset, 1, CONTROL),
  records: [{ key: Buffer.from([0, 0, 0, type]) }],
})
const from = (producerId: bigint, firstOffset: number) => ({ producerId, firstOffset: BigInt(firstOffset) })

/** The offsets of the batches that are left with messages. */
function left(
  records: readonly ReturnType<typeof batch>[],
  abortedTransactions: ReturnType<typeof from>[] | null,
): number[] {
  const partition = { records, abortedTransactions }
  dropAborted({ responses: [{ partitions: [partition] }] })
  expect(partition.abortedTransactions).to.deep.equal([])
  const whole = records.filter(({ attributes, records }) => attributes !== CONTROL && records.length > 0)
  return whole.map(({ firstOffset }) => Number(firstOffset))
}

describe('messages of aborted transactions', () => {
  it('are dropped up to the marker that ends the transaction', () => {
    expect(
      left([batch(1n, 0), batch(1n, 2), marker(1n, 4, ABORT), batch(1n, 5)], [from(1n, 0)]),
    ).to.deep.equal([5])
  })

  it('are dropped where the marker comes with the next answer', () => {
    expect(left([batch(1n, 0), batch(2n, 2), batch(1n, 4)], [from(1n, 0)])).to.deep.equal([2])
  })

  it('are dropped for each of several transactions of one producer, in any order', () => {
    const records = [
      batch(1n, 0),
      marker(1n, 2, ABORT),
      batch(1n, 3),
      marker(1n, 5, COMMIT),
      batch(1n, 6),
      marker(1n, 8, ABORT),
    ]
    expect(left(records, [from(1n, 6), from(1n, 0)])).to.deep.equal([3])
  })

  it('leave other producers and plain messages alone, of the same producer too', () => {
    const records = [
      batch(1n, 0),
      batch(2n, 2),
      batch(1n, 4, 2, PLAIN),
      marker(1n, 6, ABORT),
      marker(2n, 7, COMMIT),
    ]
    expect(left(records, [from(1n, 0)])).to.deep.equal([2, 4])
  })

  it('are not dropped if no transaction was aborted, or the answer names none', () => {
    for (const none of [[], null]) expect(left([batch(1n, 0)], none)).to.deep.equal([0])
    expect(() => dropAborted({ responses: [{ partitions: [{ records: null }, {}] }] })).not.to.throw()
  })

  it('leave their batches, by which the client knows how far it has read', () => {
    const records = [batch(1n, 0), batch(1n, 2)]
    left(records, [from(1n, 0)])
    expect(records.map(({ records }) => records.length)).to.deep.equal([0, 0])
  })
})
