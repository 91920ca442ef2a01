import { expect } from 'chai'
import fc from 'fast-check'
import { HEAD_FULL, nearestDouble } from '../../../../../lib/encode/codecs/numbers/nearest-double.ts'
import { thorough } from '../../../../support/thorough.ts'

/** The result for digits and the place of the point. */
function read(digits: string, decimals: number): number {
  let head = 0
  let at = 0
  while (at < digits.length && head < HEAD_FULL) head = head * 10 + Number(digits[at++])
  return nearestDouble(head, Number(digits.slice(at)), digits.length - at, decimals)
}

/** The same, by the engine. */
function engine(digits: string, decimals: number): number {
  return Number(`${digits}e-${decimals}`)
}

/**
 * The digits of a number that lies in the middle between a double and the next, or `away` from it in the last
 * place.
 */
function middle(mantissa: bigint, halvings: number, away: bigint): { digits: string; decimals: number } {
  // (2m + 1) / 2^(h + 1) = (2m + 1) * 5^(h + 1) / 10^(h + 1)
  const exact = (mantissa * 2n + 1n) * 5n ** BigInt(halvings + 1) + away
  return { digits: exact.toString(), decimals: halvings + 1 }
}

describe('nearestDouble', () => {
  const digits = (min: number, max: number) =>
    fc.string({ unit: fc.constantFrom(...'0123456789'), minLength: min, maxLength: max })

  it('is what the engine reads, wherever it is not NaN', () => {
    let decided = 0
    fc.assert(
      fc.property(digits(1, 24), fc.nat(24), (text, decimals) => {
        const double = read(text, decimals)
        if (Number.isNaN(double)) return
        decided++
        expect(double).to.equal(engine(text, decimals))
      }),
      { numRuns: thorough(20_000) },
    )
    expect(decided).to.be.above(thorough(10_000))
  })

  it('reads what JavaScript writes for a double', () => {
    let decided = 0
    fc.assert(
      fc.property(fc.double({ min: 1e-4, max: 1e15, noNaN: true }), double => {
        const [whole, fraction = ''] = String(double).split('.') as [string, string?]
        const found = read(whole + fraction, fraction.length)
        if (!Number.isNaN(found)) {
          decided++
          expect(found).to.equal(double)
        }
      }),
      { numRuns: thorough(20_000) },
    )
    expect(decided).to.be.above(thorough(19_000))
  })

  it('does not guess which of two doubles is nearer to a decimal close to their middle', () => {
    const away = fc.constantFrom(-1n, 0n, 1n)
    const mantissas = fc.bigInt({ min: 2n ** 52n, max: 2n ** 53n - 1n })
    fc.assert(
      fc.property(mantissas, fc.nat(6), away, (mantissa, halvings, by) => {
        const { digits: text, decimals } = middle(mantissa, halvings, by)
        const double = read(text, decimals)
        if (!Number.isNaN(double)) expect(double).to.equal(engine(text, decimals))
        if (by === 0n) expect(double).to.be.NaN
      }),
      { numRuns: thorough(5000) },
    )
  })

  it('returns NaN for more digits than it can hold', () => {
    expect(read('1234567890123456789012', 3)).to.be.NaN
    expect(read('1', 23)).to.be.NaN
    expect(read('123456789012345678901', 22)).to.equal(engine('123456789012345678901', 22))
  })
})
