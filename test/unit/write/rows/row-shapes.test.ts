import { expect } from 'chai'
import { RowShapes } from '../../../../lib/write/rows/row-shapes.ts'

const COLUMNS = Array.from({ length: 24 }, (_, i) => `c${i}`)

/** The indexes of the bits of `mask`, as `RowShapes` takes them. */
const missingOf = (mask: number): string => COLUMNS.map((_, i) => ((mask >> i) & 1 ? `${i},` : '')).join('')

describe('RowShapes', () => {
  it('has the columns that are not missing', () => {
    const shapes = new RowShapes(COLUMNS, ['c3'])
    expect(shapes.whole.columns.length).to.equal(24)
    expect(shapes.without('0,2,23,').columns).to.deep.equal(
      COLUMNS.map((_, i) => i).filter(i => ![0, 2, 23].includes(i)),
    )
    expect(shapes.deletes.columns).to.deep.equal([3])
  })

  it('is the same object for the same columns, as long as few others come in between', () => {
    const shapes = new RowShapes(COLUMNS, [])
    const first = shapes.without(missingOf(5))
    for (let mask = 6; mask < 500; mask++) shapes.without(missingOf(mask))
    expect(shapes.without(missingOf(5))).to.equal(first)
  })

  it('drops shapes when there are too many, and never uses a number twice', async () => {
    const shapes = new RowShapes(COLUMNS, [])
    const numbers = new Set<number>()
    for (let mask = 0; mask < 5000; mask++) numbers.add(shapes.without(missingOf(mask)).number)
    expect(numbers.size).to.equal(5000)
    const again = shapes.without(missingOf(0))
    expect(numbers.has(again.number)).to.equal(false)
    expect(shapes.remembered).to.be.at.most(1000)
  })
})
