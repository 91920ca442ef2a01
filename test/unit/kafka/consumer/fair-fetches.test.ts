import { expect } from 'chai'
import { bytesPerPartition, FetchTurns, takeTurns } from '../../../../lib/kafka/consumer/fair-fetches.ts'

describe('fair fetches', () => {
  it('give each partition its part of an answer, and something at least', () => {
    expect(bytesPerPartition(1000, 3)).to.equal(333)
    expect(bytesPerPartition(2, 3)).to.equal(1)
    expect(bytesPerPartition(1000, 0)).to.equal(1000)
  })

  it('put each partition of each topic first in its turn', () => {
    const assignments = [
      { topic: 'a', partitions: [0, 1, 2] },
      { topic: 'b', partitions: [5] },
      { topic: 'c', partitions: [] },
    ]
    const firsts: (number | undefined)[] = []
    for (let fetch = 0; fetch < 4; fetch++) {
      takeTurns(assignments)
      firsts.push(assignments[0]!.partitions[0])
    }
    expect(firsts).to.deep.equal([1, 2, 0, 1])
    expect(assignments.map(({ partitions }) => partitions)).to.deep.equal([[1, 2, 0], [5], []])
    takeTurns(null)
  })

  it('put the partition first that has waited longest, of any topic and broker', () => {
    const turns = new FetchTurns()
    const asked = (topicId: string, partition: number) => ({ topicId, partitions: [{ partition }] })
    const serve = (topicId: string, partitionIndex: number, records: unknown[] | null = [{}]) =>
      turns.served({ responses: [{ topicId, partitions: [{ partitionIndex, records }] }] })
    const [a0, a1, b0] = [asked('a', 0), asked('a', 1), asked('b', 0)]
    expect(turns.order([a0, a1, b0])).to.deep.equal([a0, a1, b0])
    serve('a', 0)
    expect(turns.order([a0, a1, b0])).to.deep.equal([a1, b0, a0])
    serve('a', 1)
    serve('b', 0, []) // another broker's, which had nothing
    serve('b', 1, null)
    expect(turns.order([a0, a1, b0])).to.deep.equal([b0, a0, a1])
    expect(turns.order([a0, a1])).to.deep.equal([a0, a1])
  })
})
