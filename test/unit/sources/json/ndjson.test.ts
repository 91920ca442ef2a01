import { expect } from 'chai'
import fc from 'fast-check'
import type { LineTable } from '../../../../lib/json/line-table.ts'
import { type LineScanner, loadLineScanner } from '../../../../lib/sources/json/lines/line-scanner.ts'
import { type NdjsonOptions, parsedLine, readNdjson } from '../../../../lib/sources/json/ndjson.ts'
import { faultOf } from '../../../../lib/sources/malformed.ts'
import { RowLines } from '../../../../lib/sources/row-lines.ts'
import { LongNumber, toJsonText } from '../../../../lib/values/exact-json.ts'
import { thorough } from '../../../support/thorough.ts'
import { failure, parsed, readAll } from '../support.ts'

const RUNS = Math.max(75, thorough(300))

/** The rows of all lines, which are found by the module or parsed. */
async function read(text: string | Buffer, step?: number, options: NdjsonOptions = {}) {
  const batches = await readAll(readNdjson('f.ndjson', options), text, step)
  return (batches as unknown as LineTable[]).flatMap(lines => [...lines]).map(parsedLine)
}

/** The rows, and the error that has ended them. */
async function outcome(text: string | Buffer, step: number, scanner: LineScanner | undefined) {
  const rows: unknown[] = []
  const reader = readNdjson('f.ndjson', { scanner, batchRows: 3 })
  reader.on('data', (lines: LineTable) => rows.push(...Array.from(lines, parsedLine)))
  const ended = new Promise<string | undefined>(resolve => {
    reader.once('end', () => resolve(undefined)).once('error', error => resolve(error.message))
  })
  const bytes = Buffer.from(text)
  for (let at = 0; at < bytes.length && !reader.destroyed; at += step) {
    reader.write(bytes.subarray(at, at + step))
  }
  reader.end()
  return { failure: await ended, rows: toJsonText(rows) }
}

/** The numbers of the lines that are not blank. */
function linesWithText(text: string): number[] {
  return text.split('\n').flatMap((line, index) => (line.trim() === '' ? [] : [index + 1]))
}

describe('readNdjson', () => {
  it('ends a table at a megabyte, however few lines it has', async () => {
    const text = `{"a":"${'x'.repeat(400_000)}"}\n`.repeat(7)
    for (const scanner of [undefined, loadLineScanner()]) {
      const tables = await readAll(readNdjson('f.ndjson', { scanner }), text)
      expect((tables as unknown as LineTable[]).map(lines => lines.length)).to.deep.equal([3, 3, 1])
    }
  })

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
    ['CSV', 'id,secret\n1,2\n', 'f.ndjson: line 1 is not valid JSON; if it is CSV, say --format csv'],
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
    const reader = readNdjson('f.ndjson').on('data', rows => seen.push(...rows))
    const failed = new Promise(resolve => reader.once('error', resolve))
    reader.end('{"a":1}\n{"a":2}\n{"a"\n')
    await failed
    expect(seen.length).to.be.at.most(2)
  })

  it('finds with the module the rows that it parses without it, whatever the lines hold', async () => {
    let found = 0
    await fc.assert(
      fc.asyncProperty(
        files,
        fc.constantFrom(1, 7, 50, 100_000),
        fc.boolean(),
        async (lines, step, rejects) => {
          const text = lines.join('\n')
          const scanner = counting(loadLineScanner()!)
          const rowLines = new RowLines()
          const expected = await read(text, step, { keepsMalformed: true })
          const actual = await read(text, step, { keepsMalformed: true, scanner: scanner.scanner, rowLines })
          expect(toJsonText(actual)).to.equal(toJsonText(expected))
          expect(actual.map((_, index) => rowLines.lineOf(index + 1))).to.deep.equal(linesWithText(text))
          expect(actual.map(faultOf)).to.deep.equal(expected.map(faultOf))
          if (!rejects) {
            const { failure } = await outcome(text, step, undefined)
            expect((await outcome(text, step, loadLineScanner())).failure).to.equal(failure)
          }
          found += scanner.count()
        },
      ),
      { numRuns: RUNS },
    )
    expect(found).to.be.above(RUNS / 6)
  })

  it('finds wide lines, and parses those that have few of many keys', async () => {
    const names = Array.from({ length: 1000 }, (_, index) => `key${index}`)
    const wide = JSON.stringify(Object.fromEntries(names.map((name, index) => [name, index])))
    const text = `${[wide, ...Array(50).fill(wide), ...Array(50).fill('{"key1":1}')].join('\n')}\n`
    const { scanner, count } = counting(loadLineScanner()!)
    const rows = await read(text, undefined, { scanner })
    expect(toJsonText(rows)).to.equal(toJsonText(await read(text)))
    expect(count()).to.equal(51)
  })

  it('takes lines that are longer than the memory of the module, and more than its tables hold', async () => {
    const keys = Array.from({ length: 2000 }, (_, index) => `key${index}`)
    const ofKeys = (count: number) =>
      JSON.stringify(Object.fromEntries(keys.slice(0, count).map(key => [key, key])))
    const wide = ofKeys(40)
    const long = JSON.stringify({ key0: 'x'.repeat(400_000) })
    const text = [
      wide,
      ...Array(20_000).fill('{"key1":1}'),
      long,
      '',
      wide,
      ofKeys(2000),
      long,
      '{"key0":"é"}',
    ].join('\n')
    for (const step of [1 << 16, 1 << 20]) {
      const { scanner, count } = counting(loadLineScanner()!)
      const rows = await read(text, step, { scanner })
      expect(toJsonText(rows) === toJsonText(await read(text, step))).to.equal(true)
      expect(count()).to.be.above(19_000)
    }
  })
})

/** Counts the lines that a scanner finds. */
function counting(scanner: LineScanner): { scanner: LineScanner; count: () => number } {
  let count = 0
  const original = scanner.scan.bind(scanner)
  scanner.scan = (...args) => {
    const block = original(...args)
    count += scanner.count
    return block
  }
  return { scanner, count: () => count }
}

const blank = fc.constantFrom('', '', '', ' ', '\t', '\r')
const good = fc.constantFrom(
  ...[
    '1',
    '-0',
    '0.5',
    '1e3',
    '-1.5E-7',
    '12345678901234567890',
    '0.00000012',
    '1.50',
    'true',
    'false',
    'null',
  ],
  ...['""', '"a"', '"é𝄞"', '"long text of more than sixteen bytes"', '"a\\nb"', '"\\u00e9\\ud83d\\ude00"'],
)
/** Not JSON, or half of a surrogate pair. */
const bad = fc.constantFrom(
  ...['01', '1.', '.5', '+1', 'tru', 'nul', '"\t"', '"\\x"', '"\\u12"', "'a'", '-', '1e', '', '"\\"'],
  ...['"\\ud83d"', '"\\ude00"', '"\\ud83d\\u0041"'],
)
const scalar = fc.oneof({ weight: 25, arbitrary: good }, { weight: 1, arbitrary: bad })
const { value } = fc.letrec<{ value: string; member: string }>(tie => ({
  member: fc
    .tuple(blank, fc.constantFrom('a', 'b', 'k'), blank, tie('value'))
    .map(([before, key, after, value]) => `${before}"${key}"${after}:${value}`),
  value: fc
    .tuple(
      blank,
      fc.oneof(
        { weight: 8, arbitrary: scalar },
        { weight: 1, arbitrary: fc.array(tie('value'), { maxLength: 3 }).map(all => `[${all.join(',')}]`) },
        { weight: 1, arbitrary: fc.array(tie('member'), { maxLength: 3 }).map(all => `{${all.join(',')}}`) },
      ),
      blank,
    )
    .map(parts => parts.join('')),
}))
const key = fc.oneof(
  { weight: 12, arbitrary: fc.constantFrom('"a"', '"b"', '"c"', '"ü"', '"a longer key"') },
  { weight: 1, arbitrary: fc.constantFrom('"\\u0061"', '"__proto__"', '"a', 'a') },
)
const members = fc.array(fc.tuple(blank, key, blank, value), { maxLength: 5 })
const line = fc.oneof(
  {
    weight: 12,
    arbitrary: members.map(
      all => `{${all.map(([before, key, after, value]) => `${before}${key}${after}:${value}`).join(',')}}`,
    ),
  },
  { weight: 1, arbitrary: value },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      '',
      '  ',
      '{"a":1},',
      '{"a":1}{"a":2}',
      '{"a":1',
      '{"a":1,}',
      '\u00a0',
      '{"a"}',
    ),
  },
)
const files = fc.array(
  fc.tuple(blank, line, blank).map(parts => parts.join('')),
  { maxLength: 8 },
)
