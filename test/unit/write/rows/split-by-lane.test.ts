import { expect } from 'chai'
import fc from 'fast-check'
import { splitByLane } from '../../../../lib/write/rows/split-by-lane.ts'

describe('splitting a batch by lanes', () => {
  it('leaves a batch of one lane whole', () => {
    const batch = { id: 1, count: 3, items: [3, 7, 11] }
    expect(splitByLane(batch, item => item, 4)).to.deep.equal([{ part: batch, lane: 3 }])
  })

  it('spreads small numbers evenly, so that each partition has its own lane', () => {
    const parts = splitByLane({ id: 1, count: 4, items: [0, 1, 2, 3] }, item => item, 4)
    expect(parts.map(({ lane }) => lane)).to.deep.equal([0, 1, 2, 3])
  })

  it('loses nothing, keeps the order and the array indexes, and gives equal keys one lane', () => {
    const key = fc.oneof(fc.string({ maxLength: 3 }), fc.integer(), fc.double())
    let runs = 0
    fc.assert(
      fc.property(fc.array(key, { minLength: 1 }), fc.integer({ min: 1, max: 8 }), (items, lanes) => {
        runs++
        const parts = splitByLane({ id: 7, count: items.length, items }, item => item, lanes)
        const laneOfKey = new Map<unknown, number>()
        for (const { part, lane } of parts) {
          expect(lane).to.be.within(0, lanes - 1)
          const indexes = part.arrayIndexes ?? [...items.keys()]
          expect([...indexes]).to.deep.equal([...indexes].sort((a, b) => a - b))
          for (const [index, item] of part.items.entries()) {
            expect(items[indexes[index]!]).to.deep.equal(item)
            expect(laneOfKey.get(item) ?? lane).to.equal(lane)
            laneOfKey.set(item, lane)
          }
        }
        expect(new Set(parts.map(({ lane }) => lane)).size).to.equal(parts.length)
        expect(parts.flatMap(({ part }) => part.items)).to.have.length(items.length)
      }),
      { seed: 20_261_123 },
    )
    expect(runs).to.be.at.least(100)
  })
})
