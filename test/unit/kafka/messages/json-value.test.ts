import { expect } from 'chai'
import { parseJson } from '../../../../lib/kafka/messages/json-value.ts'
import { LongNumber } from '../../../../lib/values/exact-json.ts'

describe("the default parser of a message's value", () => {
  const parse = (text: string) => parseJson(Buffer.from(text))

  it('refuses half of a surrogate pair, in strings and keys, at any depth', () => {
    for (const text of [
      '"cut \\ud83d"',
      '{"a":[{"b":"\\uDC00x"}]}',
      '{"a":{"\\ud83d":1}}',
      '["\\ude00\\ud83d"]',
    ]) {
      expect(() => parse(text)).to.throw(TypeError, /half of a surrogate pair/)
    }
  })

  it('takes whole pairs, and backslashes that only look like an escape', () => {
    expect(parse('{"a":"\\ud83d\\ude00","b":"\\\\ud83d"}').value).to.deep.equal({ a: '😀', b: '\\ud83d' })
  })

  it('makes a bigint of a whole number that JavaScript would round, and a LongNumber of any other', () => {
    const { value, long } = parse('{"a":12345678901234567890,"b":0.12345678901234567890,"c":10.50,"d":1e3}')
    expect(long).to.equal(true)
    expect(value).to.deep.equal({
      a: 12345678901234567890n,
      b: new LongNumber('0.12345678901234567890'),
      c: 10.5,
      d: 1000,
    })
    expect(parse('{"c":10.50,"d":1e3}')).to.deep.equal({ value: { c: 10.5, d: 1000 }, long: false })
  })
})
