import { expect } from 'chai'
import fc from 'fast-check'
import { readJsonDocuments } from '../../../../lib/sources/json/json-documents.ts'
import { parseRecordPath } from '../../../../lib/sources/json/record-path.ts'
import { faultOf } from '../../../../lib/sources/malformed.ts'
import { LongNumber, RawJson } from '../../../../lib/values/exact-json.ts'
import { thorough } from '../../../support/thorough.ts'
import { failure, parsed, readAll } from '../support.ts'

const EXPECTED =
  'expected JSON: an array of objects, or objects one after the other; if it is CSV, say --format csv'
const read = (text: string, step?: number) => readAll(readJsonDocuments('f.json'), text, step)

describe('readJsonDocuments', () => {
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

  describe('reads documents one after the other', () => {
    const documents: [title: string, text: string][] = [
      ['lines', '{"a":1}\n\n{"a":2}\n{"a":3}'],
      ['pretty-printed ones', '{\n  "a": 1\n}\n{\n  "a": 2\n}\n{"a":3}\n'],
      ['without anything between', '{"a":1}{"a":2}{"a":3}'],
      ['lists and objects', '[{"a":1}] [\n] {"a":2}[{"a":3}]'],
    ]
    for (const [title, text] of documents) {
      for (const step of [1, 3, 1000]) {
        it(`${title}, in chunks of ${step} bytes`, async () => {
          expect(await read(text, step)).to.deep.equal([{ a: 1 }, { a: 2 }, { a: 3 }])
        })
      }
    }
  })

  describe('reads the records at a path', () => {
    const rows = [{ id: 1, x: ']}"[{' }, { id: 2, deep: { data: [] } }, {}]
    const list = JSON.stringify(rows)
    const envelopes: [title: string, path: string, text: string][] = [
      ['a list', 'data', `{"meta":{"data":[{"id":9}],"n":[1,{}]},"data":${list},"next":null}`],
      ['a nested list', 'a.b', `{"b":[{"no":1}],"a":{"a":{"b":[1]},"b":${list}}}`],
      ['a key that is written with an escape', 'ü', `{"\\u00fc" : ${list} }`],
      ['pages', 'data', `{"data":${list.replace(',{}]', ']')}}\n{"data":[]}\n{"n":2,"data":[{}]}`],
      ['an object', 'data', rows.map(row => JSON.stringify({ data: row, n: 1 })).join('\n')],
      [
        'a key of each element of a list',
        'features.properties',
        JSON.stringify({ features: rows.map(properties => ({ properties, type: 'Feature' })) }),
      ],
      ['a list of envelopes', 'data', JSON.stringify(rows.map(row => ({ n: 1, data: [row] })))],
      ['the document itself', '.', list],
      ['a key with a dot', '"a.b".c', `{"a.b":{"c":${list}}}`],
    ]
    for (const [title, path, text] of envelopes) {
      for (const [step, pretty] of [
        [1, false],
        [5, true],
        [100_000, false],
      ] as const) {
        it(`${title}, in chunks of ${step} bytes`, async () => {
          const reader = readJsonDocuments('f.json', { recordPath: parseRecordPath(path) })
          const written = pretty && !text.includes('\n') ? JSON.stringify(JSON.parse(text), null, 2) : text
          const found = parsed(await readAll(reader, written, step)) as { deep?: unknown }[]
          expect(found).to.deep.equal(rows)
        })
      }
    }

    it('beside a value of any length, of which it keeps nothing', async () => {
      const text = `{"skipped":[${'{"a":[1,"x"]},'.repeat(100_000)}1],"data":${list}}`
      const reader = readJsonDocuments('f.json', { recordPath: ['data'] })
      expect(parsed(await readAll(reader, text))).to.deep.equal(rows)
    })

    const mistakes: [title: string, path: string, text: string, message: string][] = [
      ['a missing key', 'data', '{"date":[]}\n', 'record 1 (line 1) has no key "data"'],
      [
        'a key that a later document lacks',
        'data',
        '{"data":[{}]}\n\n{\n"n":1}',
        'record 2 (line 4) has no key "data"',
      ],
      ['a value without keys', 'a.b', '{"a":1}', 'record 1 (line 1) has no key "b"'],
      ['null', 'data', '{"data":null}', 'record 1 (line 1) is null, expected an object'],
      [
        'a repeated key',
        'data',
        '{"data":[{}],"data":[]}',
        'not valid JSON after record 1, near line 1, or cut off there',
      ],
      [
        'a broken value beside the path',
        'data',
        '{"data":[{}],\n"n":tru}',
        'not valid JSON after record 1, near line 2, or cut off there',
      ],
      ['no end', 'data', '{"data":[{}]\n', 'not valid JSON after record 1, near line 1, or cut off there'],
      [
        'a comma too many',
        'data',
        '{"data":[{}],}',
        'not valid JSON after record 1, near line 1, or cut off there',
      ],
      [
        'another bracket',
        'data',
        '{"data":[{}]]',
        'not valid JSON after record 1, near line 1, or cut off there',
      ],
      [
        'no colon',
        'data',
        '{"data" [{}]}',
        'not valid JSON before its first record, near line 1, or cut off there',
      ],
    ]
    for (const [title, path, text, message] of mistakes) {
      it(`fails on ${title}`, async () => {
        for (const step of [1, 1000]) {
          const reader = readJsonDocuments('f.json', { recordPath: parseRecordPath(path) })
          expect(await failure(readAll(reader, text, step))).to.equal(`f.json: ${message}`)
        }
      })
    }
  })

  it('keeps malformed records, with the line on which each begins', async () => {
    const text = '[{"a":1},\n {"a":tru},\n{"a":2} {"a":3}, ,\n"x",{"a":4}]{"b":1}'
    for (const step of [1, 1000]) {
      const rows = await readAll(readJsonDocuments('f.json', { keepsMalformed: true }), text, step)
      expect(rows.map(row => faultOf(row) ?? row)).to.deep.equal([
        { a: 1 },
        'record 2 (line 2) is not valid JSON',
        'record 3 (line 3) is not valid JSON',
        'record 4 (line 3) is empty: there is a comma too many',
        'record 5 (line 4) is a string, expected an object',
        { a: 4 },
        { b: 1 },
      ])
      expect(rows[1]).to.deep.equal({ pg_batch_raw: '{"a":tru}' })
    }
  })

  const problems: [title: string, text: string, message: string][] = [
    ['a string on top', '"secret"', EXPECTED],
    ['something else', 'secret', EXPECTED],
    ['nothing', ' ', EXPECTED],
    [
      'an array that is cut off',
      '[{"a":1},\n{"a":2}',
      'not valid JSON after record 2, near line 2, or cut off there',
    ],
    [
      'a broken first record',
      '[{"secret"',
      'not valid JSON before its first record, near line 1, or cut off there',
    ],
    [
      'a broken later record',
      '[{"a":{}},{"a":"}"},\n{"a":secret},{"a":4}]',
      'record 3 (line 2) is not valid JSON',
    ],
    ['text after the array', '[{"a":1}]\nsecret', 'record 2 (line 2) is not valid JSON'],
    [
      'an object that is cut off',
      '{"a":1}{"secret":',
      'not valid JSON after record 1, near line 1, or cut off there',
    ],
    ['a comma between objects', '{"a":1},{"a":2}', 'record 2 (line 1) is not valid JSON'],
    ['a record that is not an object', '[{},"secret"]', 'record 2 (line 1) is a string, expected an object'],
    ['a record that is an array', '[[1]]', 'record 1 (line 1) is an array, expected an object'],
    ['a record that is null', '[null]', 'record 1 (line 1) is null, expected an object'],
    ['a comma at the end', '[{},]', 'record 2 (line 1) is empty: there is a comma too many'],
  ]
  for (const [title, text, message] of problems) {
    it(`fails on ${title}, and does not quote it`, async () => {
      expect(await failure(read(text))).to.equal(`f.json: ${message}`)
      expect(await failure(read(text, 1))).to.equal(`f.json: ${message}`)
    })
  }

  it('reads what JSON.parse reads, of any value in an envelope', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.dictionary(fc.string(), fc.jsonValue())),
        fc.dictionary(fc.string(), fc.jsonValue()),
        fc.dictionary(fc.string(), fc.jsonValue()),
        fc.constantFrom(undefined, 1),
        fc.integer({ min: 1, max: 40 }),
        async (rows, before, after, space, step) => {
          const entries = [...Object.entries(before), ['the rows', rows] as const, ...Object.entries(after)]
          const members = entries.map(
            ([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value, null, space)}`,
          )
          const reader = readJsonDocuments('f.json', { recordPath: ['the rows'] })
          const read = parsed(await readAll(reader, `{${members.join(',')}}`, step))
          expect(read).to.deep.equal(JSON.parse(JSON.stringify(rows)))
        },
      ),
      { numRuns: thorough(300) },
    )
  })
})
