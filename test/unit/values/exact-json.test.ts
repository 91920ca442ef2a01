import { expect } from 'chai'
import fc from 'fast-check'
import {
  exactNumber,
  LongNumber,
  parseExactJson,
  stringifyExact,
  toJsonText,
} from '../../../lib/values/exact-json.ts'

describe('parseExactJson', () => {
  const exact = [
    '0',
    '-1',
    '1.5',
    '0.1',
    '123456789012345',
    '9007199254740992',
    '1e3',
    '1.10',
    '5e-324',
    '1E+2',
  ]
  for (const text of exact) {
    it(`takes ${text} for the number it is`, () => {
      expect(parseExactJson(text)).to.equal(Number(text))
      expect(exactNumber(text)).to.equal(Number(text))
    })
  }

  const long = [
    '9007199254740993',
    '-12345678901234567890',
    '0.12345678901234567891',
    '3.00000000000000000001',
    '1e400',
    '-1e400',
    '1e-400',
    '123456789.123456789',
  ]
  for (const text of long) {
    it(`keeps every digit of ${text}`, () => {
      expect(parseExactJson(text)).to.deep.equal(new LongNumber(text))
      expect(exactNumber(text)).to.deep.equal(new LongNumber(text))
    })
  }

  it('leaves digits inside strings and keys alone', () => {
    const text = '{"9007199254740993":"say \\"9007199254740993\\" 1e400","\\\\":"9007199254740993"}'
    expect(parseExactJson(text)).to.deep.equal(JSON.parse(text))
  })

  it('writes long numbers, however deep, back as they were', () => {
    const text = '{"a":[9007199254740993,{"b":0.12345678901234567891}],"c":"9007199254740993","d":1}'
    expect(toJsonText(parseExactJson(text))).to.equal(text)
  })

  it('shows the digits of a long number to JSON.stringify', () => {
    const value = parseExactJson('{"a":[9007199254740993]}')
    expect(JSON.stringify(value)).to.equal('{"a":["9007199254740993"]}')
    expect(stringifyExact(value)).to.equal('{"a":[9007199254740993]}')
    expect(stringifyExact(undefined)).to.equal(undefined)
  })

  it('agrees with JSON.parse on any other value', () => {
    const json = fc.json({ noUnicodeString: false } as fc.JsonSharedConstraints)
    fc.assert(
      fc.property(json, text => {
        const value = parseExactJson(text)
        expect(JSON.parse(toJsonText(value))).to.deep.equal(JSON.parse(text))
      }),
    )
  })

  it('never changes the decimal value of a number', () => {
    const digits = fc.bigInt({ min: -(10n ** 25n), max: 10n ** 25n })
    fc.assert(
      fc.property(digits, fc.nat(30), (integer, exponent) => {
        const text = `${integer}e-${exponent}`
        const value = exactNumber(text)
        if (value instanceof LongNumber) expect(value.text).to.equal(text)
        // a double's shortest text, read as an exact decimal, is the number that was written
        else expect(scaled(String(value), 60)).to.equal(scaled(text, 60))
      }),
    )
  })
})

/** A decimal text times 10^`places`, as an exact integer. */
function scaled(text: string, places: number): bigint {
  const [mantissa = '', exponent = '0'] = text.split('e')
  const [whole = '', fraction = ''] = mantissa.split('.')
  const power = places + Number(exponent) - fraction.length
  return BigInt(whole + fraction) * 10n ** BigInt(power)
}
