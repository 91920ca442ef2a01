import { expect } from 'chai'
import type { RecordTable } from '../../../../lib/csv/record-table.ts'
import { readCsv } from '../../../../lib/sources/csv/csv.ts'
import { type DialectOptions, resolveDialect } from '../../../../lib/sources/csv/dialect.ts'
import { CsvSplitter } from '../../../../lib/sources/csv/split/csv-splitter.ts'
import { failure, readAll, readCsvRows } from '../support.ts'

const read = (text: Buffer | string, step?: number, { delimiter = ',', ...options }: DialectOptions = {}) =>
  readCsvRows(resolveDialect(options, delimiter), text, step)

describe('readCsv', () => {
  it('makes an unquoted empty field NULL and a quoted one the empty string', async () => {
    expect(await read('a,b,c\n1,,""\n,"",x\n')).to.deep.equal([
      { a: '1', b: null, c: '' },
      { a: null, b: '', c: 'x' },
    ])
  })

  it('ends a table at a megabyte, or what is asked for, however few records it has', async () => {
    const dialect = resolveDialect({ header: false }, ',')
    const lengths = async (batchBytes?: number) => {
      const reader = readCsv('f.csv', dialect, { batchRows: 100, batchBytes, fill: true }, () => {})
      const tables = await readAll(reader, `${'x'.repeat(400_000)}\n`.repeat(7))
      return (tables as unknown as RecordTable[]).map(records => records.length)
    }
    expect(await lengths()).to.deep.equal([3, 3, 1])
    expect(await lengths(2_000_000)).to.deep.equal([5, 2])
  })

  it('keeps every value as the text it is', async () => {
    expect(await read('a,b\n 007 ,9007199254740993\n1e3,true')).to.deep.equal([
      { a: ' 007 ', b: '9007199254740993' },
      { a: '1e3', b: 'true' },
    ])
  })

  it('gives the header before the first row', async () => {
    const seen: string[][] = []
    await readCsvRows(resolveDialect({}, ','), '"a ",b\n1,2\n', 100, header => seen.push([...header]))
    expect(seen).to.deep.equal([['a ', 'b']])
  })

  for (const step of [1, 2, 3, 1000]) {
    it(`reads quotes, line ends and characters that chunks of ${step} bytes cut`, async () => {
      const rows = await read('näme,"q"\r\n"é\r\nü","say ""hi"", you"\r\n\n€,\r𝄞,""', step)
      expect(rows).to.deep.equal([
        { näme: 'é\r\nü', q: 'say "hi", you' },
        { näme: '€', q: null },
        { näme: '𝄞', q: '' },
      ])
    })
  }

  it('counts places from 0, and not from -0, which would make doubles of all of them', () => {
    const places: number[] = []
    const splitter = new CsvSplitter(resolveDialect({}, ','), (_chunk, start) => places.push(start))
    for (const chunk of ['a,b\n', '1,2\n']) splitter.add(Buffer.from(chunk))
    expect(places.map(start => Object.is(start, 0))).to.deep.equal([true, true])
  })

  it('reads a single column, where an empty line is a NULL', async () => {
    expect(await read('a\n1\n\n""\n')).to.deep.equal([{ a: '1' }, { a: null }, { a: '' }])
  })

  for (const step of [1, 1000]) {
    it(`reads every blank line of a headerless column as a row, in chunks of ${step} bytes`, async () => {
      const headless = (text: string, options: DialectOptions = {}) =>
        read(text, step, { header: false, ...options }).then(rows => rows.map(row => row.column_1))
      expect(await headless('\n\r\n1\n\n2\n\n')).to.deep.equal([null, null, '1', null, '2', null])
      expect(await headless('\n\n')).to.deep.equal([null, null])
      expect(await headless('\n""\n\n')).to.deep.equal([null, '', null])
      expect(await headless('\n\n\n\n\n1')).to.deep.equal([null, null, null, null, null, '1'])
      expect(await headless('\nNA\n', { nulls: ['NA'] })).to.deep.equal(['', null])
      expect(await headless('#\n\n#\n1\n', { comment: '#' })).to.deep.equal([null, '1'])
      expect(await headless('')).to.deep.equal([])
    })
  }

  it('finds the header of a column after blank lines', async () => {
    expect(await read('\n\na\n\n1\n')).to.deep.equal([{ a: null }, { a: '1' }])
  })

  it('skips blank lines of wider files', async () => {
    expect(await read('a,b\n\n1,2\n\n\n')).to.deep.equal([{ a: '1', b: '2' }])
  })

  it('takes a column named __proto__ for a name like any other', async () => {
    const [row] = await read('__proto__,b\nx,y\n')
    expect(Object.keys(row!)).to.deep.equal(['__proto__', 'b'])
  })

  it('makes up names that no other column has for those without one', async () => {
    let header: readonly string[] = []
    const rows = await readCsvRows(
      resolveDialect({}, ','),
      ',column_1, ,\n1,2,3,4\n',
      undefined,
      given => (header = given),
    )
    expect(header).to.deep.equal(['column_1_', 'column_1', 'column_3', 'column_4'])
    expect(rows).to.deep.equal([{ column_1_: '1', column_1: '2', column_3: '3', column_4: '4' }])
  })

  const problems: [title: string, text: string, message: string][] = [
    [
      'a short record',
      'a,b\n1,2\nsecret\n',
      'f.csv: the record that begins on line 3 has 1 field, the file has 2 columns',
    ],
    [
      'a long record',
      'a,b\n"x\ny",2,3\n',
      'f.csv: the record that begins on line 2 has 3 fields, the file has 2 columns',
    ],
    ['a name that comes twice', 'a,b,a\n', 'f.csv: the header names "a" twice'],
    ['a quote left open', 'a\n1\n"secret\n', 'f.csv: line 3 begins a quoted field that never ends'],
    [
      'text after a closing quote',
      'a\n"se"cret\n',
      'f.csv: line 2 has text after a closing quote (a quote inside quotes is written twice)',
    ],
    [
      'a quote in the middle',
      'a\nse"cret\n',
      'f.csv: line 2 has a quote inside an unquoted field (say --quote none if quotes mean nothing in it)',
    ],
  ]
  for (const [title, text, message] of problems) {
    it(`fails on ${title}, with its line and without its content`, async () => {
      expect(await failure(read(text))).to.equal(message)
    })
  }

  const dialects: [title: string, options: DialectOptions, text: string, rows: object[]][] = [
    [
      'another delimiter and quote',
      { delimiter: '\t', quote: "'" },
      "a\tb\n'x''\ty'\t''\n\"\t\n",
      [
        { a: "x'\ty", b: '' },
        { a: '"', b: null },
      ],
    ],
    [
      'an escape of its own, which escapes only quotes and itself',
      { escape: '\\' },
      String.raw`a,b
"say \"hi\"","c:\\new\table"
"",\N
"\\",`,
      [
        { a: 'say "hi"', b: String.raw`c:\new\table` },
        { a: '', b: String.raw`\N` },
        { a: '\\', b: null },
      ],
    ],
    [
      'no quotes at all',
      { quote: undefined, delimiter: '|' },
      'a|b\n"x|y"\n""|\n',
      [
        { a: '"x', b: 'y"' },
        { a: '""', b: null },
      ],
    ],
    [
      'texts that mean NULL unless they are quoted, and an empty field that does not',
      { nulls: ['NA', '\\N'] },
      'a,b,c\nNA,"NA",\n\\N,"\\N",NAN\n',
      [
        { a: null, b: 'NA', c: '' },
        { a: null, b: '\\N', c: 'NAN' },
      ],
    ],
    [
      'comment lines, before the header, between records and at the end',
      { comment: '#' },
      '# "one\r\n#\r\na,b\n# two, "\n,#x\n#three\n"#",""\n1,"x\n# y"\n# end',
      [
        { a: null, b: '#x' },
        { a: '#', b: '' },
        { a: '1', b: 'x\n# y' },
      ],
    ],
    [
      'no header',
      { header: false },
      '\n1,\n"",x\n',
      [
        { column_1: '1', column_2: null },
        { column_1: '', column_2: 'x' },
      ],
    ],
  ]
  for (const [title, options, text, rows] of dialects) {
    for (const step of [1, 1000]) {
      it(`reads ${title}, in chunks of ${step} bytes`, async () => {
        expect(await read(text, step, options)).to.deep.equal(rows)
      })
    }
  }

  it('compares with the first record when there is no header', async () => {
    expect(await failure(read('1,2\n3\n', 100, { header: false }))).to.equal(
      'f.csv: the record that begins on line 2 has 1 field, the file has 2 columns',
    )
  })

  it('does not take a quoted empty string for a blank line', async () => {
    expect(await failure(read('a,b\n""\n'))).to.match(/line 2 has 1 field/)
  })
})
