import { expect } from 'chai'
import fc from 'fast-check'
import { naturalOrder } from '../../../../lib/cli/files/natural-order.ts'

describe('naturalOrder', () => {
  it('counts numbers by their value', () => {
    const names = [
      'b',
      'a10',
      'a2',
      'a',
      'a02',
      'a1b',
      'a1',
      'a99999999999999999999',
      'a100000000000000000000',
      '10',
      '9',
    ]
    expect(names.sort(naturalOrder)).to.deep.equal([
      '9',
      '10',
      'a',
      'a1',
      'a1b',
      'a02',
      'a2',
      'a10',
      'a99999999999999999999',
      'a100000000000000000000',
      'b',
    ])
  })

  it('is the order of the text where there are no numbers, and never takes two names for equal', () => {
    const unit = fc.constantFrom('a', 'b', '0', '1', '-', '.')
    const name = fc.string({ unit, maxLength: 6 })
    fc.assert(
      fc.property(name, name, name, (a, b, c) => {
        expect(Math.sign(naturalOrder(a, b))).to.equal(-Math.sign(naturalOrder(b, a)) + 0)
        expect(naturalOrder(a, b) === 0).to.equal(a === b)
        if (naturalOrder(a, b) < 0 && naturalOrder(b, c) < 0) expect(naturalOrder(a, c)).to.be.below(0)
      }),
    )
  })
})
