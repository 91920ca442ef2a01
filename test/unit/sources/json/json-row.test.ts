import { expect } from 'chai'
import fc from 'fast-check'
import { readJsonDocuments } from '../../../../lib/sources/json/json-documents.ts'
import { parseJsonRow, readList } from '../../../../lib/sources/json/json-row.ts'
import { LongNumber, parseExactJson, RawJson, toJsonText } from '../../../../lib/values/exact-json.ts'
import { readAll } from '../support.ts'

/** JSON of any value, with blanks, escapes and numbers as people write them. */
const json: fc.Arbitrary<string> = fc.letrec<{ value: string; nested: string }>(tie => {
  const blank = fc.constantFrom('', ' ', '\n', '\t\r ')
  const digits = fc.stringMatching(/^(0|[1-9]\d{0,20})$/)
  const number = fc
    .tuple(
      fc.constantFrom('', '-'),
      digits,
      fc.stringMatching(/^(\.\d{1,20})?$/),
      fc.stringMatching(/^([eE][-+]?\d{1,3})?$/),
    )
    .map(parts => parts.join(''))
  const string = fc.oneof(
    fc.string({ unit: 'binary' }).map(text => JSON.stringify(text)),
    fc.constantFrom('"\\u0041\\ud83d\\ude00"', '"\\\\"', '"\\""', '"[{,:}]"', '"7e3 10.50"', '"__proto__"'),
  )
  const scalar = fc.oneof(number, string, fc.constantFrom('true', 'false', 'null'))
  const list = fc.array(fc.tuple(blank, tie('value'), blank), { maxLength: 4 })
  const members = fc.array(fc.tuple(blank, string, blank, blank, tie('value'), blank), { maxLength: 4 })
  return {
    value: fc.oneof({ maxDepth: 4 }, scalar, tie('nested')),
    nested: fc.oneof(
      list.map(elements => `[${elements.map(parts => parts.join('')).join(',')}]`),
      members.map(
        all => `{${all.map(([a, key, b, c, value, d]) => `${a}${key}${b}:${c}${value}${d}`).join(',')}}`,
      ),
    ),
  }
}).value

const row = fc
  .array(fc.tuple(fc.stringMatching(/^[a-z]{1,3}$/), json), { maxLength: 5 })
  .map(fields => `{${fields.map(([key, value]) => `"${key}": ${value}`).join(' , ')}}`)

describe('parseJsonRow', () => {
  it('reads what JSON.parse reads, whatever the text', () => {
    fc.assert(
      fc.property(row, text => {
        const value = parseJsonRow(text)
        expect(JSON.parse(toJsonText(value))).to.deep.equal(JSON.parse(text))
      }),
      { numRuns: 2000 },
    )
  })

  it('keeps the text of what is nested, and the spelling of numbers', () => {
    const text = '{"a":10.50,"b": [1.0, {"z":1,"y":2e5,"z":-0}] ,"c":"x","d":-0,"e":1e2,"f":12,"a":1.50}'
    expect(parseJsonRow(text)).to.deep.equal({
      a: new LongNumber('1.50'),
      b: new RawJson('[1.0, {"z":1,"y":2e5,"z":-0}]'),
      c: 'x',
      d: new LongNumber('-0'),
      e: new LongNumber('1e2'),
      f: 12,
    })
  })

  it('has a key __proto__ as any other', () => {
    const value = parseJsonRow('{"__proto__":[1],"a":1.0}') as object
    expect(Object.keys(value)).to.deep.equal(['__proto__', 'a'])
    expect(Object.getPrototypeOf(value)).to.equal(Object.prototype)
  })

  it('refuses a key with half of a surrogate pair, and takes a whole one', () => {
    expect(() => parseJsonRow('{"\\ud83d":1}')).to.throw(SyntaxError)
    expect(() => parseJsonRow('{"a":1.0,"\\uDE00\\uD83D":1}')).to.throw(SyntaxError)
    expect(parseJsonRow('{"\\ud83d\\ude00":1,"\\\\ud83d":2}')).to.deep.equal({ '😀': 1, '\\ud83d': 2 })
  })

  it('reads lists element by element, objects and what is nested too deep as their text', () => {
    expect(readList(new RawJson('[ 1.0, [2,"x"], {"a": 1}, null ]'))).to.deep.equal([
      new LongNumber('1.0'),
      [2, 'x'],
      new RawJson('{"a": 1}'),
      null,
    ])
    const deep = `${'['.repeat(500_000)}${']'.repeat(500_000)}`
    expect(readList(new RawJson(deep))).to.be.an('array')
  })

  it('reads any nesting, and long strings that look like numbers', () => {
    const nested = `{"a":${'['.repeat(6500)}7e3${']'.repeat(6500)}}`
    expect((parseJsonRow(nested) as { a: RawJson }).a.text).to.have.length(13_003)
    expect(parseExactJson(nested)).to.have.property('a')
    const long = `{"a":"${'x7e3\\"'.repeat(1_400_000)}","b":1.0}`
    expect((parseJsonRow(long) as { a: string }).a).to.have.length(7_000_000)
    expect(parseExactJson(long)).to.have.property('b', 1)
  })
})

describe('readJsonDocuments', () => {
  it('cuts any array of objects into the rows of its elements, wherever chunks end', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(row, { maxLength: 4 }),
        fc.integer({ min: 1, max: 40 }),
        async (rows, step) => {
          const read = await readAll(readJsonDocuments('f.json'), ` [ ${rows.join(' ,\n')} ] `, step)
          expect(read).to.deep.equal(rows.map(text => parseJsonRow(text)))
        },
      ),
      { numRuns: 300 },
    )
  })
})
