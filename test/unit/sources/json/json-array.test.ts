import { expect } from 'chai'
import { readJsonArray } from '../../../../lib/sources/json/json-array.ts'
import { LongNumber, RawJson } from '../../../../lib/values/exact-json.ts'
import { failure, parsed, readAll } from '../support.ts'

const read = (text: string, step?: number) => readAll(readJsonArray('f.json'), text, step)

describe('readJsonArray', () => {
  const value = [
    { a: 1, ü: '€𝄞', deep: { list: [1, [2, {}], []], nothing: null } },
    {},
    { text: '"quoted" \\ \n \u0001', yes: true, no: false, x: -1.5e-3 },
  ]
  for (const step of [1, 2, 7, 1000]) {
    it(`reads what JSON.parse reads, in chunks of ${step} bytes`, async () => {
      expect(parsed(await read(` \n${JSON.stringify(value, null, 1)}\n`, step))).to.deep.equal(value)
    })
  }

  it('reads an empty array', async () => {
    expect(await read(' [ ] ')).to.deep.equal([])
  })

  for (const step of [1, 1000]) {
    it(`keeps the digits that a JavaScript number cannot, in chunks of ${step} bytes`, async () => {
      const [row] = await read('[{"id":-9007199254740993,"price":0.1,"deep":[1.00000000000000000001]}]', step)
      expect(row!.id).to.deep.equal(new LongNumber('-9007199254740993'))
      expect(row!.price).to.equal(0.1)
      expect(row!.deep).to.deep.equal(new RawJson('[1.00000000000000000001]'))
    })
  }

  const problems: [title: string, text: string, message: RegExp][] = [
    [
      'an object on top',
      '{"a":1}\n{"a":2}',
      /^f\.json: expected a JSON array of objects; if each line is an object of its own, use the format ndjson$/,
    ],
    ['a string on top', '"secret"', /^f\.json: expected a JSON array of objects$/],
    ['something else', 'secret', /^f\.json: expected a JSON array of objects$/],
    ['nothing', ' ', /^f\.json: expected a JSON array of objects$/],
    [
      'an array that is cut off',
      '[{"a":1},{"a":2}',
      /^f\.json: not valid JSON after element 2, or cut off there$/,
    ],
    [
      'a broken first element',
      '[{"secret"',
      /^f\.json: not valid JSON in its first element, or cut off there$/,
    ],
    [
      'a broken later element',
      '[{"a":{}},{"a":"}"},{"a":secret},{"a":4}]',
      /^f\.json: not valid JSON after element 2, or cut off there$/,
    ],
    [
      'text after the array',
      '[{"a":1}] secret',
      /^f\.json: not valid JSON after the array, or cut off there$/,
    ],
    [
      'text after an empty array',
      '[ ] secret',
      /^f\.json: not valid JSON after the array, or cut off there$/,
    ],
    ['an element that is no object', '[{},"secret"]', /^f\.json: element 2 is a string, expected an object$/],
    ['an element that is an array', '[[1]]', /^f\.json: element 1 is an array, expected an object$/],
    ['an element that is null', '[null]', /^f\.json: element 1 is null, expected an object$/],
  ]
  for (const [title, text, message] of problems) {
    it(`fails on ${title}, and does not quote it`, async () => {
      expect(await failure(read(text))).to.match(message)
      expect(await failure(read(text, 1))).to.match(message)
    })
  }
})
