import { expect } from 'chai'
import fc from 'fast-check'
import { isNearestFloat } from '../../../../../lib/encode/codecs/numbers/float.ts'
import { ShortFloatReader } from '../../../../../lib/encode/codecs/numbers/short-float.ts'

const texts = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true }).map(String),
  fc.float({ noNaN: true, noDefaultInfinity: true }).map(String),
  fc.double({ min: -2, max: 2, noNaN: true }).map(number => number.toFixed(20)),
  fc.integer().map(String),
)

describe('ShortFloatReader', () => {
  const reader = new ShortFloatReader()

  it('reads the float that is nearest to the decimal, or leaves it to others', () => {
    let read = 0
    fc.assert(
      fc.property(texts, text => {
        const float = reader.read(`[${text},`, 1)
        if (Number.isNaN(float)) return
        const double = Number(text)
        const nearest = Math.fround(double)
        if (/e/.test(text)) return // stops before the exponent, where its caller expects a comma
        if (nearest !== double && !isNearestFloat(nearest, double)) return
        expect(Object.is(float, nearest), text).to.equal(true)
        expect(reader.end).to.equal(text.length + 1)
        read++
      }),
      { numRuns: 3000 },
    )
    expect(read).to.be.above(1000)
  })

  for (const text of [
    '',
    '-',
    '.5',
    '5.',
    'x',
    '+1',
    '123456789012345678',
    '0.00000000000000000000001',
    `0.${'0'.repeat(38)}1`,
  ]) {
    it(`leaves ${JSON.stringify(text)} to others`, () => {
      expect(reader.read(text, 0)).to.deep.equal(Number.NaN)
    })
  }
})
