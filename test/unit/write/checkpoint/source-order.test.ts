import { expect } from 'chai'
import fc from 'fast-check'
import { offsetIn, orderIn, orderOf, toStored } from '../../../../lib/write/checkpoint/source-order.ts'

const MAX = 2n ** 63n - 1n
const place = fc.record({
  offset: fc.bigInt({ min: 0n, max: MAX }),
  index: fc.option(fc.bigInt({ min: 0n, max: MAX }), { nil: undefined }),
})

describe('the position of an item in its partition', () => {
  it('grows with the offset, and within one with the index', () => {
    const places = [
      { offset: 0n },
      { offset: 0n, index: 1n },
      { offset: 0n, index: MAX },
      { offset: 1n, index: 0n },
    ]
    const orders = places.map(orderOf)
    expect(orders).to.deep.equal([...new Set(orders)].sort((a, b) => (a < b ? -1 : 1)))
    expect(orderOf({ offset: 7n })).to.equal(orderOf({ offset: 7n, index: 0n }))
  })

  it('comes back from the table as it was stored, and the position there never counts an open message', () => {
    fc.assert(
      fc.property(place, ({ offset, index }) => {
        const order = orderOf({ offset, index })
        const { position, itemIndex } = toStored(order, index !== undefined)
        expect(offsetIn(order)).to.equal(offset)
        expect(orderIn({ position: String(position), item_index: itemIndex?.toString() ?? null })).to.equal(
          order,
        )
        expect(position).to.equal(index === undefined ? offset : offset - 1n)
      }),
    )
  })

  it('is undefined where nothing was written', () => {
    expect(orderIn({ position: null, item_index: null })).to.equal(undefined)
  })
})
