import { expect } from 'chai'
import fc from 'fast-check'
import type { DialectOptions } from '../../../../lib/sources/csv/dialect.ts'
import { headerFault, recordsAboveHeader } from '../../../../lib/sources/csv/sniff/find-header.ts'
import { isOnlyData, judgeHeader } from '../../../../lib/sources/csv/sniff/judge-header.ts'
import { sampleRecords } from '../../../../lib/sources/csv/sniff/sample-records.ts'
import {
  type Candidate,
  sniffDialect,
  type Verdict,
} from '../../../../lib/sources/csv/sniff/sniff-dialect.ts'

const sniff = (text: string, options: DialectOptions = {}, preferred?: string): Verdict =>
  sniffDialect({ text, isWhole: true }, options, preferred)

/** The delimiter that was found, `one column`, or what else came of it. */
function outcome(text: string, options?: DialectOptions, preferred?: string): string {
  const verdict = sniff(text, options, preferred)
  if (verdict.kind === 'found') return verdict.dialect.delimiter
  if (verdict.kind === 'tie')
    return `tie of ${verdict.dialects.map(({ delimiter }) => delimiter).join(' and ')}`
  if (verdict.kind === 'preamble') return `${verdict.dialect.preamble} before ${verdict.dialect.delimiter}`
  return verdict.kind
}

describe('sniffDialect', () => {
  const cases: [title: string, text: string, expected: string][] = [
    ['a comma in a name of the header', 'Id;Preis (EUR, netto)\n1;9,50\n', ';'],
    ['the same, by the header alone', 'Id;Preis (EUR, netto)\n', ';'],
    ['decimal commas', 'x;y\n1,5;2,5\n3,5;4,5\n', ';'],
    ['decimal commas without a header', '1,5;2,5\n3,5;4,5\n', ';'],
    ['decimal commas between tabs', 'n\tx\n1,2\t3\n', '\t'],
    ['decimal commas between pipes, in one line', '1,2|3,4\n', '|'],
    ['thousands', 'date;value\n2024-01-01;1.234,56\n2024-01-02;2.345,67\n', ';'],
    ['names as a telephone book has them', 'Name;Ort\nMüller, Hans;Berlin\nSchmidt, Eva;Bonn\n', ';'],
    ['the same in the header, too', 'Nachname, Vorname;Ort\nMüller, Hans;Berlin\n', ';'],
    ['addresses', 'id;addr\n1;Main St 5, 1010, Wien\n2;Foo 3, 8010, Graz\n', ';'],
    ['lists in fields', 'id,tags\n1,a|b\n2,c|d\n', ','],
    ['semicolons in quotes', 'id,note\n1,"a;b;c"\n2,"d;e;f"\n', ','],
    ['line ends and delimiters in quotes', 'id;note\n1;"x,y\nz,w;v"\n2;"a"\n', ';'],
    ['escaped quotes', 'id;note\n1;"a ""b"", c"\n2;"d"\n', ';'],
    ['a delimiter at the end of each line', 'a|b|\n1|2|\n', '|'],
    ['spaces after commas', 'a, b, c\n1, 2, 3\n', ','],
    ['a few ragged records', `a;b;c\n${'1;2,5;x\n'.repeat(20)}1;2\n1;2;3;4\n`, ';'],
    ['a stray quote', `a;b\n${'1;2,5\n'.repeat(9)}5" nail;2\n${'1;2,5\n'.repeat(9)}`, ';'],
    ['blank lines between', '\n\na;b\n\n1;2,5\n\n', ';'],
    ['returns as line ends', 'a;b\r1;2,5\r3;4,5\r', ';'],
    ['one column', 'name\nann\nbob\n', 'one column'],
    ['one column with semicolons here and there', 'note; comment\nfoo\nbar\nbaz; qux\nx\n', 'one column'],
    ['one column of quoted text', 'note\n"a;b"\n"c;d"\n', 'one column'],
    ['one column with blank lines', '\n\nann\n\n', 'one column'],
    ['one name', 'name\n', 'one column'],
    ['nothing', '', 'one column'],
    ['one line that could be two things', 'a;b,c\n', 'tie of , and ;'],
    ['texts that could be two things', 'name,a|b\nann,x|y\nbob,z|w\n', 'tie of , and |'],
    ['a title', 'Sales report\nid;name;qty\n1;a;2\n2;b;3\n', '1 before ;'],
    ['a title and a date', 'Sales report\n2024-05-01\n\nid,name,qty\n1,a,2\n', '2 before ,'],
    ['a title with a comma', 'Sales, 2024\nid;name;qty\n1;a;2\n2;b;3\n', '1 before ;'],
    ['a header that lacks a name', 'id,name\n1,a,x\n2,b,y\n', ','],
    ['a title over two columns', 'Prices\nid;price\n1;9,50\n2;10,50\n', '1 before ;'],
  ]
  for (const [title, text, expected] of cases) {
    it(`judges ${title}: ${expected}`, () => expect(outcome(text)).to.equal(expected))
  }

  it('takes what was named as given', () => {
    expect(outcome('a;b,c\n', { delimiter: ',' })).to.equal(',')
    expect(outcome("a;b\n'x;y,z';1\n'p;q,r';2\n", { quote: "'" })).to.equal(';')
    expect(outcome('# a, b, c, d\n# e, f\nx;y\n1;2\n', { comment: '#' })).to.equal(';')
    expect(outcome('a|"b\n1|"2\n', { quote: undefined })).to.equal('|')
    expect(outcome('a;b\n"x\\";y,z";1\n"p";2\n', { escape: '\\' })).to.equal(';')
  })

  it('takes the delimiter of an earlier file where two fit equally, and only there', () => {
    expect(outcome('a;b,c\n', {}, ';')).to.equal(';')
    expect(outcome('a;b,c\n', {}, '|')).to.equal('tie of , and ;')
    expect(outcome('a,b\n1,2\n', {}, ';')).to.equal(',')
  })

  it('leaves out the last record of a sample that is not the whole file', () => {
    const text = `a;b\n1;2,5\n3;"${'x,'.repeat(1000)}`
    expect(sniffDialect({ text, isWhole: false }, {})).to.include({ kind: 'found' })
    expect((sniff(text) as { dialect: Candidate }).dialect.delimiter).to.equal(';')
  })

  const quoted: [title: string, text: string, quote: string][] = [
    ['apostrophes around a column', "id,t\n1,'a'\n2,'c'\n3,'d'\n", "'"],
    ['apostrophes around what has commas', "id,t\n1,'a, b'\n2,c\n3,'d, e'\n4,'f, g'\n", "'"],
    ['one word in apostrophes', "id,w\n1,'n'\n2,rock\n", '"'],
    ['apostrophes at the beginning', "id,w\n1,'tis\n2,'twas\n3,'99\n4,'01\n", '"'],
    ['apostrophes within quotes', `id,w\n1,"'a'"\n2,"'b'"\n3,"'c'"\n`, '"'],
    ['both', `id,w,v\n1,'a',"x"\n2,'b',"y"\n3,'c',"z"\n`, '"'],
  ]
  for (const [title, text, quote] of quoted) {
    it(`judges the quote: ${title}`, () => {
      expect((sniff(text) as { dialect: Candidate }).dialect.quote).to.equal(quote)
    })
  }

  it('finds the delimiter of any table of numbers and words that is written as CSV', () => {
    const word = fc.constantFrom('Ann', 'Bob Smith', 'Wien', 'süß', 'x-1', 'a.b@c.de')
    const spoiled = fc.constantFrom('Doe, John', 'a; b', 'say "hi"', 'p|q', 'two\nlines', 'it\tis', "it's")
    const number = fc.integer().map(String)
    const cell = fc.oneof({ arbitrary: word, weight: 4 }, { arbitrary: spoiled, weight: 1 })
    const tables = fc.integer({ min: 3, max: 6 }).chain(width =>
      fc.array(fc.tuple(number, number, ...Array.from({ length: width - 2 }, () => cell)), {
        minLength: 3,
      }),
    )
    fc.assert(
      fc.property(tables, fc.constantFrom(',', ';', '\t', '|'), (rows, delimiter) => {
        const write = (cells: readonly string[]) =>
          cells
            .map(text => (/[",;|\t\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text))
            .join(delimiter)
        const header = rows[0]!.map((_, index) => `c${index}`)
        const text = [header, ...rows].map(cells => `${write(cells)}\n`).join('')
        expect(outcome(text), text).to.equal(delimiter)
      }),
    )
  })
})

describe('sampleRecords', () => {
  const cut = { delimiter: ',', quote: '"', escape: '"', comment: undefined }

  it('continues after the first line of a record that is malformed', () => {
    const text = 'a,b\n"x"y,1\n2,3"\n"open,\n4,5\n'
    const records = sampleRecords(text, cut, true)
    expect(records.map(({ line, malformed }) => [line, malformed])).to.deep.equal([
      [1, false],
      [2, true],
      [3, true],
      [4, true],
      [5, false],
    ])
  })

  it('counts lines within quotes and of all kinds', () => {
    const records = sampleRecords('a\r\n"b\r\nc"\r\rd\n\ne', cut, true)
    expect(records.map(({ line, fields }) => [line, fields[0]!.text])).to.deep.equal([
      [1, 'a'],
      [2, 'b\r\nc'],
      [5, 'd'],
      [7, 'e'],
    ])
  })
})

const cutByCommas = (text: string) =>
  sampleRecords(text, { delimiter: ',', quote: '"', escape: '"', comment: undefined }, true)

describe('recordsAboveHeader', () => {
  const rows = 'id,name,age,x\n1,ann,30,a\n2,bob,40,b\n3,cid,50,c\n'
  const cases: [what: string, text: string, above: number][] = [
    ['a title with delimiters', `Report,,,\n${rows}`, 1],
    ['a title in another column, and delimiters alone', `,,Report,\n,,,\n${rows}`, 2],
    ['a title with a comma', `Report, January\n${rows}`, 1],
    ['a line of names for groups of columns', `,,who,what\n,,,\n${rows}`, 2],
    ['twenty lines of a device', `${'#KEY:,value\n'.repeat(20)}${rows}`, 20],
    ['a title over texts alone', 'Report,,,\na,b,c,d\ne,f,g,h\ni,j,k,l\n', 1],
    ['nothing', rows, 0],
    ['a header with one name, over data', 'n,,,\n1,ann,30,a\n2,bob,40,b\n', 0],
    ['a header that may lack a name', 'a,\nb,c\nd,e\n', 0],
    ['a header of another width over texts', 'a,b,c\nd,e\nf,g\n', 0],
    ['records with few values', 'a,b,c,d\n1,,,\n,2,,\n', 0],
  ]
  for (const [what, text, above] of cases) {
    it(`finds ${above} above the header, where there is ${what}`, () => {
      const records = cutByCommas(text)
      const widths = records.map(({ fields }) => fields.length)
      const width = widths.toSorted((a, b) => a - b)[widths.length >> 1]!
      expect(recordsAboveHeader(records, text.includes('#KEY') ? 4 : width)).to.equal(above)
    })
  }
})

describe('headerFault', () => {
  const cases: [text: string, fault: string | undefined][] = [
    ['a,b\n1,2\n3,4\n', undefined],
    ['a,b\n1,2,\n3,4,\n', 'lacks the last name'],
    ['a,b\n1,2,\n3,4,x\n', undefined],
    ['a,b\n1,2,""\n3,4,""\n', undefined],
    ['"a","b"\n"r1",1,2\n"r2",3,4\n', 'lacks the first name'],
    ['a,b\nr1,1,2\nr2,3,4\n', undefined],
    ['a,,b\n1,2\n3,4\n', 'extra empty names'],
    ['a,b,\n1,2\n3,4\n', 'extra empty names'],
    ['a,,b\n1,2,3\n3,4,5\n', undefined],
    ['a,b\n1,2,\n', undefined],
  ]
  for (const [text, fault] of cases) {
    it(`is ${fault ?? 'not there'} in ${JSON.stringify(text)}`, () => {
      expect(headerFault(cutByCommas(text))).to.equal(fault)
    })
  }
})

describe('isOnlyData', () => {
  const cases: [text: string, expected: boolean][] = [
    ['1,Ada,36\n', true],
    ['Ada,2026-01-05', true],
    ['id,name\n', false],
    ['country,2019,2020\n', false],
    ['1,Ada\n2,Grace\n', false],
    ['', false],
  ]
  for (const [text, expected] of cases) {
    it(`is ${expected} for ${JSON.stringify(text)}`, () => {
      expect(isOnlyData(cutByCommas(text))).to.equal(expected)
    })
  }
})

describe('judgeHeader', () => {
  const judge = (text: string) => judgeHeader(cutByCommas(text))
  const cases: [text: string, expected: string][] = [
    ['id,name\n1,a\n2,b\n', 'header'],
    ['1,a\n2,b\n', 'data'],
    ['2024-01-01,a\n2024-01-02,b\n', 'data'],
    ['a,b\nc,d\n', 'unknown'],
    ['country,2019,2020,2021\nAT,1,2,3\n', 'unknown'],
    ['year,2019\n1,2\n', 'header'],
    ['1\n2\n3\n', 'data'],
    ['1,x\n', 'unknown'],
    ['1,\n2,\n', 'data'],
    ['1,x\ny,z\n', 'unknown'],
    ['1,NULL,5\n2,3,6\n3,4,7\n', 'data'],
    ['NA,ann,5.5\n2,bob,-\n3,cid,7.5\n', 'data'],
    ['id,NA\n1,5\n2,6\n', 'header'],
    ['NA,AT\n1,x\n', 'unknown'],
    ['(5.00),a\n"1,000",b\n', 'data'],
    ['x,2024-01-01\n1,2024-01-02\n', 'data'],
    ['id,2024-01-01\n1,5\n2,6\n', 'header'],
  ]
  for (const [text, expected] of cases) {
    it(`calls the first record of ${JSON.stringify(text)} ${expected}`, () => {
      expect(judge(text)).to.equal(expected)
    })
  }
})
