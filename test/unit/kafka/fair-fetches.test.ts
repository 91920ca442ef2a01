import { expect } from 'chai'
import { bytesPerPartition, takeTurns } from '../../../lib/kafka/fair-fetches.ts'

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
})
