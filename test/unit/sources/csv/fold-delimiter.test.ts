import { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { expect } from 'chai'
import fc from 'fast-check'
import type { DialectOptions } from '../../../../lib/sources/csv/dialect.ts'
import { foldDelimiter } from '../../../../lib/sources/csv/fold-delimiter.ts'
import { openSource } from '../../../../lib/sources/open-source.ts'
import { MAX_RECORD_BYTES } from '../../../../lib/sources/rows.ts'
import { IS_THOROUGH, thorough } from '../../../support/thorough.ts'
import { failure, slices } from '../support.ts'

const STEPS = [1, 2, 3, 1000]

function fold(
  content: string,
  delimiter: string,
  options: DialectOptions = {},
  step = 1000,
): Promise<string> {
  const source = Readable.from(slices(Buffer.from(content), step), { objectMode: false })
  return text(source.pipe(foldDelimiter('f.csv', delimiter, options)))
}

const rowsOf = async (content: string, dialect: DialectOptions, step = 1000) => {
  const stdin = Readable.from(slices(Buffer.from(content), step), { objectMode: false })
  const source = await openSource('-', { stdin, format: 'csv', dialect })
  return { description: source.description, rows: await source.rows.toArray() }
}

describe('a delimiter of several bytes', () => {
  const cases: [content: string, delimiter: string, options: DialectOptions, expected: string][] = [
    ['a||b\n1||2\n', '||', {}, 'a~b\n1~2\n'],
    ['a|||b', '||', {}, 'a~|b'],
    ['a||"b||c"||d', '||', {}, 'a~"b||c"~d'],
    ['a, "b, c", d', ', ', {}, 'a~"b, c"~d'],
    ['"a""||""b"||c', '||', {}, '"a""||""b"~c'],
    ['"a\\"||b"||c', '||', { escape: '\\' }, '"a\\"||b"~c'],
    ["'a||b'||c", '||', { quote: "'" }, "'a||b'~c"],
    ['"a||b"', '||', { quote: undefined }, '"a~b"'],
    ['# a||b\na||#b\n', '||', { comment: '#' }, '# a||b\na~#b\n'],
    ['a"||b', '||', {}, 'a"~b'],
    ['"a"b||c"||d', '||', {}, '"a"b~c"~d'],
    ['"a\r\nb||c"|x\r\n', '||', {}, '"a\r\nb~c"|x\r\n'],
    ['"a\nb||c"|x\n"d\n||"||e', '||', {}, '"a\nb~c"|x\n"d\n||"~e'],
    ['"a\nb||c"|', '||', {}, '"a\nb~c"|'],
    ['aþbþc', 'þ', {}, 'a~b~c'],
    ['\r\n||\r||', '||', {}, '\r\n~\r~'],
    ['a|', '||', {}, 'a|'],
    ['', '||', {}, ''],
  ]
  for (const [content, delimiter, options, expected] of cases) {
    it(`becomes one in ${JSON.stringify(content)}, wherever chunks end`, async () => {
      for (const step of STEPS) {
        expect((await fold(content, delimiter, options, step)).replaceAll('\x1f', '~')).to.equal(expected)
      }
    })
  }

  it('is named in messages, and its replacement is rejected outside quotes', async () => {
    expect(await rowsOf('a||b\n1||"x||\x1fy"\n', { delimiter: '||' })).to.deep.equal({
      description: 'csv, utf-8, "||" between fields, a header',
      rows: [{ a: '1', b: 'x||\x1fy' }],
    })
    expect(await failure(rowsOf('a||b\n1||x\x1fy\n', { delimiter: '||' }))).to.equal(
      'standard input: it has the control character U+001F outside quotes',
    )
  })

  it('may be one that is not printed', async () => {
    const { rows } = await rowsOf('a\x01b\n1\x012\n', { delimiter: '\x01' })
    expect(rows).to.deep.equal([{ a: '1', b: '2' }])
  })

  it('is found wherever chunks end, also in malformed records', async () => {
    const part = fc.constantFrom('"', '"', '\n', '|', '||', '|x|', 'x')
    await fc.assert(
      fc.asyncProperty(
        fc.array(part, { minLength: 4, maxLength: 12 }),
        fc.constantFrom('||', '|x|'),
        async (parts, delimiter) => {
          const content = `"${parts.join('')}`
          const whole = await fold(content, delimiter)
          for (const step of [1, 2, 3, 4]) {
            expect(await fold(content, delimiter, {}, step)).to.equal(whole)
          }
        },
      ),
      { numRuns: thorough(8000), seed: 20_261_129 },
    )
  })

  const bounded = async () => {
    const line = Buffer.from(`${'x||y'.repeat(16 * 1024)}\n`)
    const folded = Buffer.from(line.toString().replaceAll('||', '\x1f'))
    const lines = Math.ceil(MAX_RECORD_BYTES / line.length)
    const input = foldDelimiter('f.csv', '||', {})
    const passed: Buffer[] = []
    input.on('data', (bytes: Buffer) => passed.push(bytes))
    const write = (bytes: Buffer) => new Promise<unknown>(resolve => input.write(bytes, resolve))
    await write(Buffer.from('1||"open||\n'))
    for (let count = 1; count < lines; count++) await write(line)
    expect(Buffer.concat(passed.splice(0)).toString()).to.equal('1\x1f"open||\n')
    for (let count = 0; count < 2; count++) await write(line)
    const after = Buffer.concat(passed)
    expect(after.length).to.be.within(lines * folded.length, (lines + 1) * folded.length)
    for (let at = 0; at < after.length; at += folded.length) {
      const part = after.subarray(at, at + folded.length)
      expect(part.equals(folded.subarray(0, part.length))).to.equal(true)
    }
  }
  // it takes seven seconds
  if (IS_THOROUGH) {
    it(
      'waits for the end of a record until it has 64 MiB, then reads its second line as a record',
      bounded,
    ).timeout(60_000)
  }

  it('gives the rows of any table that is written with it', async () => {
    const cell = fc.string({ unit: fc.constantFrom('a', '|', '"', '\n', ',', ' ', 'é'), maxLength: 6 })
    const tables = fc.array(fc.array(cell, { minLength: 3, maxLength: 3 }), { minLength: 1, maxLength: 5 })
    await fc.assert(
      fc.asyncProperty(
        tables,
        fc.constantFrom('||', '|,', ', ', '§'),
        fc.nat(9),
        async (table, delimiter, step) => {
          const quoted = (text: string) => `"${text.replaceAll('"', '""')}"`
          const content = table.map(row => `${row.map(quoted).join(delimiter)}\n`).join('')
          const { rows } = await rowsOf(content, { delimiter, header: false }, step + 1)
          expect(rows.map(row => Object.values(row))).to.deep.equal(table)
        },
      ),
      { numRuns: 100 },
    )
  })
})
