import { expect } from 'chai'
import { repeatsKey } from '../../../../lib/values/text/repeats-key.ts'

describe('a key that an object of JSON has twice', () => {
  for (const text of [
    '{"a":1,"a":2}',
    '{"a" : 1,\n\t"b":2,"a"\r:3}',
    '[{"b":{"a":1,"a":1}}]',
    '{"a":1,"\\u0061":2}',
    '{"a\\"":1,"a\\"":2}',
    '{"a\\\\":1,"a\\\\":2}',
    '{"":1,"":2}',
    '{"__proto__":1,"__proto__":2}',
    '{"a":{"b":1},"a":{"b":2}}',
  ]) {
    it(`is found in ${JSON.stringify(text)}`, () => {
      expect(repeatsKey(text)).to.equal(true)
    })
  }

  for (const text of [
    '{}',
    '[{"a":1},{"a":2}]',
    '{"a":{"a":{"a":1}}}',
    '{"a":"a\\":","b":"\\"a\\":1"}',
    '{"a":"a","b":["a",":"]}',
    '{"a\\\\":1,"a\\\\\\\\":2}',
    '{"a":"\\\\","b":1}',
  ]) {
    it(`is not in ${JSON.stringify(text)}`, () => {
      expect(repeatsKey(text)).to.equal(false)
    })
  }
})
