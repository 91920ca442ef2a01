import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { expect } from 'chai'
import fc from 'fast-check'
import type { RecordTable } from '../../../../lib/csv/record-table.ts'
import { readCsv } from '../../../../lib/sources/csv/csv.ts'
import { type DialectOptions, resolveDialect } from '../../../../lib/sources/csv/dialect.ts'
import { CsvSplitter } from '../../../../lib/sources/csv/split/csv-splitter.ts'
import { thorough } from '../../../support/thorough.ts'
import { slices } from '../support.ts'

/** Each record: its text, the line on which it begins, and its fault. */
type Taken = readonly [text: string, line: number, fault?: string]

async function read(text: string | Buffer, step: number, options: DialectOptions = {}): Promise<Taken[]> {
  const taken: Taken[] = []
  const dialect = resolveDialect({ header: false, ...options }, ',')
  const reader = readCsv('f.csv', dialect, { batchRows: 3, fill: true, keepsMalformed: true }, () => {})
  await pipeline(Readable.from(slices(Buffer.from(text as string), step)), reader, async batches => {
    for await (const batch of batches) {
      for (const { bytes, line, fault } of batch as unknown as RecordTable) {
        taken.push(fault === undefined ? [bytes.toString(), line] : [bytes.toString('latin1'), line, fault])
      }
    }
  })
  return taken
}

const AFTER = 'has text after a closing quote (a quote inside quotes is written twice)'
const INSIDE = 'has a quote inside an unquoted field (say --quote none if quotes mean nothing in it)'

describe('readCsv, where malformed records are kept', () => {
  for (const step of [1, 2, 3, 5, 7, 1000]) {
    const cases: [what: string, text: string | Buffer, taken: Taken[], options?: DialectOptions][] = [
      [
        'a quote inside a field',
        'a,b\n1,x"y\n2,z\n',
        [
          ['a,b', 1],
          ['1,x"y', 2, `line 2 ${INSIDE}`],
          ['2,z', 3],
        ],
      ],
      [
        'returns alone',
        'a,b\r1,x"y\r2,z',
        [
          ['a,b', 1],
          ['1,x"y', 2, `line 2 ${INSIDE}`],
          ['2,z', 3],
        ],
      ],
      [
        'pairs',
        'a,b\r\n1,"x"y\r\n2,z\r\n',
        [
          ['a,b', 1],
          ['1,"x"y', 2, `line 2 ${AFTER}`],
          ['2,z', 3],
        ],
      ],
      [
        'at the end, without a line end',
        'a,b\n1,x"y',
        [
          ['a,b', 1],
          ['1,x"y', 2, `line 2 ${INSIDE}`],
        ],
      ],
      [
        'a quote that is left open until another one proves it',
        'a,b\n1,"x\n2,"y"\n3,"v\nw"\n',
        [
          ['a,b', 1],
          ['1,"x', 2, `the record that begins on line 2: line 3 ${AFTER}; reading continues with line 3`],
          ['2,"y"', 3],
          ['3,"v\nw"', 4],
        ],
      ],
      [
        'a quote that is left open until the end',
        'a,b\n1,"x\n2,y\n3,z\n',
        [
          ['a,b', 1],
          ['1,"x', 2, 'line 2 begins a quoted field that never ends; reading continues with line 3'],
          ['2,y', 3],
          ['3,z', 4],
        ],
      ],
      [
        'one in the last line',
        'a,b\n1,"x',
        [
          ['a,b', 1],
          ['1,"x', 2, 'line 2 begins a quoted field that never ends'],
        ],
      ],
      [
        'several in a row, and a comment after one',
        'a,b\n1,"x"y\n#"\n"z"z,\n2,\n',
        [
          ['a,b', 1],
          ['1,"x"y', 2, `line 2 ${AFTER}`],
          ['"z"z,', 4, `line 4 ${AFTER}`],
          ['2,', 5],
        ],
        { comment: '#' },
      ],
      [
        'bytes that are not UTF-8',
        Buffer.from('a,\xc3\xa9\n1,\xe9\n2,"\xff\n"\n3,\xc3\xa9\n', 'latin1'),
        [
          ['a,é', 1],
          ['1,\xe9', 2, 'the record that begins on line 2 is not valid UTF-8'],
          ['2,"\xff\n"', 3, 'the record that begins on line 3 is not valid UTF-8'],
          ['3,é', 5],
        ],
      ],
      [
        'the first record of a file without a header',
        'a"b\n1,2\n',
        [
          ['a"b', 1, `line 1 ${INSIDE}`],
          ['1,2', 2],
        ],
      ],
    ]
    for (const [what, text, taken, options] of cases) {
      it(`takes the lines around ${what}, in chunks of ${step} bytes`, async () => {
        expect(await read(text, step, options)).to.deep.equal(taken)
      })
    }
  }

  it('are the same records, whatever the chunks', async () => {
    const pieces = ['"', '""', ',', '\n', '\r\n', '\r', 'x', '1', '\\', '#', 'é']
    let seed = 1
    const random = () => {
      seed = (seed * 48271) % 0x7fffffff
      return seed / 0x7fffffff
    }
    for (let round = 0; round < 400; round++) {
      const text = Array.from({ length: 40 }, () => pieces[Math.floor(random() * pieces.length)]).join('')
      const options = { escape: random() < 0.3 ? '\\' : undefined, comment: random() < 0.3 ? '#' : undefined }
      const whole = await read(text, 1000, options).catch(error => (error as Error).message)
      const cut = await read(text, 1 + Math.floor(random() * 4), options).catch(
        error => (error as Error).message,
      )
      expect(cut, JSON.stringify(text)).to.deep.equal(whole)
    }
  })

  it('are the same records on the same lines, however the file is cut into chunks', async () => {
    const units = [
      'a',
      ',',
      'b,c',
      '\n',
      '\n',
      '\r\n',
      '\r',
      '"',
      '"x\ny"',
      'é',
      '\ud83d\ude00',
      'more than 16 bytes',
    ]
    const text = fc.string({ unit: fc.constantFrom(...units), maxLength: 60 })
    const bad = fc.constantFrom('', '', 'a,\xff\n')
    let records = 0
    await fc.assert(
      fc.asyncProperty(text, bad, fc.integer({ min: 2, max: 300 }), async (good, invalid, step) => {
        const bytes = Buffer.concat([Buffer.from(good), Buffer.from(invalid, 'latin1'), Buffer.from(good)])
        const expected = await read(bytes, 1).catch(String)
        expect(await read(bytes, step).catch(String)).to.deep.equal(expected)
        records += expected.length
      }),
      { numRuns: Math.max(250, thorough(1000)) },
    )
    expect(records).to.be.above(thorough(3000))
  })

  it('read on in time after an open quote that has swallowed megabytes of them', () => {
    let records = 0
    const splitter = new CsvSplitter(resolveDialect({}, ','), () => records++, { keepsMalformed: true })
    const lines = 'a""b,c\n'.repeat(10_000)
    splitter.add(Buffer.from('"\n'))
    for (let i = 0; i < 10; i++) splitter.add(Buffer.from(lines))
    splitter.end()
    expect(records).to.equal(100_001)
  })

  it('keep the first line of a record of more than 64 MiB', () => {
    const faults: (string | undefined)[] = []
    const splitter = new CsvSplitter(resolveDialect({}, ','), (...[, , , , fault]) => faults.push(fault), {
      keepsMalformed: true,
    })
    splitter.add(Buffer.from('a,b\n1,"\n'))
    const line = Buffer.from(`${'x'.repeat(1023)}\n`)
    const chunk = Buffer.concat(Array.from({ length: 4096 }, () => line))
    for (let i = 0; i < 17; i++) splitter.add(chunk)
    splitter.end()
    expect(faults.slice(0, 3)).to.deep.equal([
      undefined,
      'line 2 begins a record of more than 64 MiB; is a quote left open?; reading continues with line 3',
      undefined,
    ])
    expect(faults).to.have.length(2 + 17 * 4096)
  })
})
