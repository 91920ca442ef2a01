import { expect } from 'chai'
import { LongNumber, RawJson } from '../../../lib/values/exact-json.ts'
import { sizeOfValue } from '../../../lib/values/size-of-value.ts'

describe('sizeOfValue', () => {
  it('counts texts, bytes and long numbers, wherever they are, and a little for anything else', () => {
    const text = 'x'.repeat(1000)
    for (const value of [
      text,
      Buffer.from(text),
      new RawJson(text),
      new LongNumber(text),
      [{ deep: text }],
    ]) {
      expect(sizeOfValue({ value })).to.be.within(1000, 1050)
    }
    expect(sizeOfValue({ a: 1, b: null, c: undefined, d: true })).to.be.within(4, 50)
  })

  it('measures values that are nested deeper than calls may be', () => {
    let nested: unknown = 'x'.repeat(1000)
    for (let level = 0; level < 100_000; level++) nested = [nested]
    expect(sizeOfValue({ nested })).to.be.least(1000)
  })

  it('counts an object that refers to itself once', () => {
    const own: Record<string, unknown> = { text: 'x'.repeat(1000) }
    own.list = [own, { own }]
    expect(sizeOfValue(own)).to.be.within(1000, 1100)
    expect(sizeOfValue({ own })).to.be.within(1000, 1100)
  })
})
