import { expect } from 'chai'
import { readNdjson } from '../../../../lib/sources/json/ndjson.ts'
import { LongNumber } from '../../../../lib/values/exact-json.ts'
import { failure, parsed, readAll } from '../support.ts'

const read = (text: string, step?: number) => readAll(readNdjson('f.ndjson'), text, step)

describe('readNdjson', () => {
  for (const step of [1, 2, 7, 1000]) {
    it(`reads a row a line and skips blank ones, in chunks of ${step} bytes`, async () => {
      const rows = await read('{"a":1,"ü":"€𝄞"}\r\n\n  \t\n{"b":[null,{"c":true}]}\n{}', step)
      expect(parsed(rows)).to.deep.equal([{ a: 1, ü: '€𝄞' }, { b: [null, { c: true }] }, {}])
    })
  }

  it('keeps the digits that a JavaScript number cannot', async () => {
    const [row] = await read('{"id":9007199254740993,"small":12,"text":"9007199254740993"}')
    expect(row!.id).to.be.instanceOf(LongNumber)
    expect(String(row!.id)).to.equal('9007199254740993')
    expect(row).to.include({ small: 12, text: '9007199254740993' })
  })

  const problems: [title: string, text: string, message: string][] = [
    ['a line that is not JSON', '{"a":1}\n\n{"secret":tru}\n', 'f.ndjson: line 3 is not valid JSON'],
    ['a last line cut off', '{"a":1}\n{"secret":', 'f.ndjson: line 2 is not valid JSON'],
    [
      'an array',
      '[1]\n',
      'f.ndjson: line 1 is an array, expected an object; if it is JSON of several lines, say --format json',
    ],
    ['a string', '"secret"\n', 'f.ndjson: line 1 is a string, expected an object'],
    ['null', 'null', 'f.ndjson: line 1 is null, expected an object'],
    ['a long number', '12345678901234567890', 'f.ndjson: line 1 is a number, expected an object'],
  ]
  for (const [title, text, message] of problems) {
    it(`fails on ${title}, with its line and without its content`, async () => {
      expect(await failure(read(text))).to.equal(message)
    })
  }

  it('hands on the rows before the bad line', async () => {
    const seen: unknown[] = []
    const reader = readNdjson('f.ndjson').on('data', row => seen.push(row))
    const failed = new Promise(resolve => reader.once('error', resolve))
    reader.end('{"a":1}\n{"a":2}\n{"a"\n')
    await failed
    expect(seen.length).to.be.at.most(2)
  })
})
