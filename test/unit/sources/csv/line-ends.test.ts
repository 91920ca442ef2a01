import { expect } from 'chai'
import { resolveDialect } from '../../../../lib/sources/csv/dialect.ts'
import { Repairs } from '../../../../lib/sources/repairs.ts'
import { failure, readCsvRows } from '../support.ts'

const FAULT = (line: number) =>
  `the record that begins on line ${line} has a line end of another kind than the first line: ` +
  'a carriage return or a line feed inside a field has to be in quotes'

const long = (end: string) => `x${end}`.repeat(5000)

describe('readCsv, of one column whose line ends differ,', () => {
  const dialect = resolveDialect({}, ',')
  const bare = resolveDialect({ header: false }, ',')

  for (const step of [1, 2, 3, 5, 1 << 16]) {
    const cases: [what: string, text: string, line: number][] = [
      ['a return in a file of line feeds', 'name\nAda\nGra\rce\nEd\n', 3],
      ['a return in a file of pairs', 'name\r\nAda\r\nGra\rce\r\n', 3],
      ['a line feed in a file of returns', 'name\rAda\rGra\nce\r', 3],
      ['a return doubled', 'name\nAda\r\r\nEd\n', 2],
      ['a return after the header', 'name\rAda\nEd\n', 2],
      ['a return as the last byte', 'name\nAda\r', 2],
      ['a return after many records', `name\n${long('\n')}Gra\rce\n${long('\n')}`, 5002],
    ]
    for (const [what, text, line] of cases) {
      it(`rejects ${what}, in chunks of ${step} bytes`, async () => {
        expect(await failure(readCsvRows(dialect, text, step))).to.equal(`f.csv: ${FAULT(line)}`)
      })
    }

    it(`rejects both parts of the field where malformed records are kept, by ${step} bytes`, async () => {
      const rows = await readCsvRows(bare, 'Ada\nGra\rce\nEd\n"a\rb"\nx"y\rz\n', step, () => {}, {
        keepsMalformed: true,
        loose: true,
      })
      expect(rows.map(row => Object.entries(row)[0])).to.deep.equal([
        ['column_1', 'Ada'],
        ['pg_batch_raw', 'Gra'],
        ['pg_batch_raw', 'ce'],
        ['column_1', 'Ed'],
        ['column_1', 'a\rb'],
        ['pg_batch_raw', 'x"y'],
        ['pg_batch_raw', 'z'],
      ])
    })

    it(`reads each as a line end and counts them if the reading is lenient, by ${step} bytes`, async () => {
      const repairs = new Repairs()
      const rows = await readCsvRows(dialect, 'x\nAda\nGra\rce\nEd\r', step, () => {}, {
        lenient: true,
        repairs,
      })
      expect(rows.map(({ x }) => x)).to.deep.equal(['Ada', 'Gra', 'ce', 'Ed'])
      expect(repairs.list()).to.deep.equal([{ kind: 'ends', count: 2, exampleLine: 3, exampleFile: 'f.csv' }])
    })

    it(`takes pairs among line feeds, and a last line without an end, by ${step} bytes`, async () => {
      const rows = await readCsvRows(dialect, 'x\nAda\r\nGrace\n\r\n"a\rb"\r\nEd', step)
      expect(rows.map(({ x }) => x)).to.deep.equal(['Ada', 'Grace', null, 'a\rb', 'Ed'])
    })
  }

  it('takes all kinds in a file of several columns, where a part of a field has too few fields', async () => {
    expect(await readCsvRows(dialect, 'a,b\n1,2\r3,4\r\n5,6\n')).to.deep.equal([
      { a: '1', b: '2' },
      { a: '3', b: '4' },
      { a: '5', b: '6' },
    ])
  })
})
