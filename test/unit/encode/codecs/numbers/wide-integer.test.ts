import { expect } from 'chai'
import fc from 'fast-check'
import { WideInteger } from '../../../../../lib/encode/codecs/numbers/wide-integer.ts'

/** Reads the magnitude by dividing. */
function readBack(integer: WideInteger, divisor: number): bigint {
  let value = 0n
  for (let power = 1n; !integer.isZero; power *= BigInt(divisor)) {
    value += BigInt(integer.divide(divisor)) * power
  }
  return integer.isNegative ? -value : value
}

const divisors = fc.constantFrom(10, 100, 1000, 10_000, 99_999_999, 100_000_000)

describe('WideInteger', () => {
  it('reads big-endian bytes, and divides', () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 48 }),
      fc
        .tuple(fc.constantFrom(0, 0x7f, 0x80, 0xff), fc.nat(47))
        .map(([byte, n]) => new Uint8Array(n).fill(byte)),
    )
    const integer = new WideInteger()
    fc.assert(
      fc.property(bytes, fc.nat(5), divisors, (made, before, divisor) => {
        const all = Buffer.concat([Buffer.alloc(before, 0xa5), made])
        const expected =
          made.length === 0
            ? 0n
            : BigInt.asIntN(made.length * 8, BigInt(`0x${Buffer.from(made).toString('hex')}`))
        expect(integer.readBytes(all, before, all.length)).to.equal(true)
        expect(readBack(integer, divisor)).to.equal(expected)
      }),
      { numRuns: 2000 },
    )
    expect(integer.readBytes(Buffer.alloc(49), 0, 49)).to.equal(false)
  })

  it('reads words', () => {
    const edges = [
      0n,
      1n,
      -1n,
      2n ** 32n,
      -(2n ** 32n),
      2n ** 63n - 1n,
      -(2n ** 63n),
      2n ** 24n,
      -(2n ** 48n),
    ]
    const integers = fc.oneof(
      fc.constantFrom(...edges),
      fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
    )
    const integer = new WideInteger()
    fc.assert(
      fc.property(integers, divisors, (value, divisor) => {
        const words = new Int32Array(BigInt64Array.of(value).buffer)
        integer.readWords(words[0]!, words[1]!)
        expect(readBack(integer, divisor)).to.equal(value)
      }),
      { numRuns: 2000 },
    )
  })
})
