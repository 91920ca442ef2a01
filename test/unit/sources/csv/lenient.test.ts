import { expect } from 'chai'
import { type DialectOptions, resolveDialect } from '../../../../lib/sources/csv/dialect.ts'
import { recutLine } from '../../../../lib/sources/csv/repair/recut-line.ts'
import { sampleRecords } from '../../../../lib/sources/csv/sniff/sample-records.ts'
import { Repairs } from '../../../../lib/sources/repairs.ts'
import { failure, readCsvRows } from '../support.ts'

const COMMA = { delimiter: ',', quote: '"', escape: '"' }

describe('readCsv, lenient', () => {
  const repairs = new Repairs()
  beforeEach(() => repairs.clear())

  const read = async (
    text: string | Buffer,
    step = 1000,
    options: DialectOptions = {},
    keepsMalformed = false,
  ) => {
    const dialect = resolveDialect(options, ',')
    const sampled = sampleRecords(String(text), dialect, true)
    const lenient = { lenient: true, repairs, sampled, keepsMalformed }
    const rows = await readCsvRows(dialect, text, step, () => {}, lenient)
    return rows.map(row => Object.values(row))
  }
  const counted = () => repairs.list().map(({ kind, count, exampleLine }) => [kind, count, exampleLine])

  for (const step of [1, 2, 3, 1000]) {
    it(`repairs what is beyond doubt, and counts it, in chunks of ${step} bytes`, async () => {
      const text = 'a,b,c\n1,x"y"z,3\n2\n3,,,,\n4,"q\nr",,""\n5,"6\n7,""8",9\n0,1,"2"\n'
      expect(await read(text, step)).to.deep.equal([
        ['1', 'x"y"z', '3'],
        ['2', null, null],
        ['3', null, null],
        ['4', 'q\nr', null],
        ['5', '6\n7,"8', '9'],
        ['0', '1', '2'],
      ])
    })
  }

  it('counts each kind, with the line of the first', async () => {
    await read('a,b,c\n1,x"y,3\n2\n3\n4,5,6,\n7,8,z"\n')
    expect(counted()).to.have.deep.members([
      ['quote', 2, 2],
      ['missing', 2, 3],
      ['extra', 1, 5],
    ])
  })

  it('writes the NULL of the file into missing fields', async () => {
    expect(await read('a,b\n1\n', 1000, { nulls: ['NA'] })).to.deep.equal([['1', null]])
  })

  it('leaves a record as it is that needs repairs of two kinds, or has more fields with values', async () => {
    for (const line of ['1,x"y', '1,2,3,4', '1, "b,c",2,3', '"a"b"c",1,2,"']) {
      expect(await failure(read(`a,b,c\n${line}\n`)), line).to.match(/line 2/)
    }
    expect(repairs.list()).to.deep.equal([])
  })

  it('repairs no record with a NUL, which is rejected', async () => {
    const records = ['1,x\0"y",2', '2\0', '3,4,5\0,', '6,"q\0"r",7']
    for (const step of [1, 1000]) {
      repairs.clear()
      const rows = await read(`a,b,c\n${records.join('\n')}\n8\n`, step, {}, true)
      expect(rows).to.deep.equal([...records.map(text => [text]), ['8', null, null]])
      expect(counted()).to.deep.equal([['missing', 1, 6]])
    }
  })

  it('judges a record by its own quotes, not by those of a record before it that is not UTF-8', async () => {
    const sound = Array.from({ length: 12 }, (_, i) => `${i},b,c`)
    const text = ['a,b,c', ...sound, '20,x"y\xff,n', '22,short', '23,b,c', ''].join('\n')
    for (const step of [1, 1000]) {
      repairs.clear()
      const rows = await read(Buffer.from(text, 'latin1'), step, {}, true)
      expect(rows.slice(-3)).to.deep.equal([
        [`\\x${Buffer.from('20,x"y\xff,n', 'latin1').toString('hex')}`],
        ['22', 'short', null],
        ['23', 'b', 'c'],
      ])
      expect(counted()).to.deep.equal([['missing', 1, 15]])
    }
  })

  it('does not say that reading continues where it ends', async () => {
    expect(await failure(read('a,b,c\n1,"2\n4,5,6\n'))).to.match(
      /line 2 begins a quoted field that never ends$/,
    )
  })

  const sound = Array.from({ length: 10 }, (_, i) => `2024-01-${10 + i},${i},a,b`)
  const doubtful: [what: string, records: string[]][] = [
    ['an empty field before the last, in a long record', ['1,,x,y,']],
    ['an empty field before the last, in a short record', ['1,,x']],
    ['fields that do not fit their columns, in a short record', [...sound, '2024-01-01a,b,c']],
    ['fields that do not fit their columns, in a long record', [...sound, 'a,2024-01-01,1,a,']],
    ['an empty field where each other record has a value, in a short record', [...sound, '2024-01-01,,a']],
    ['fields that do not fit, with a stray quote', [...sound, '2024-01-01,1"a,b,c"']],
    ['a delimiter between two stray quotes', ['1,2,a"b, c",d']],
  ]
  for (const [what, records] of doubtful) {
    it(`does not guess what a record means with ${what}`, async () => {
      const text = `d,n,t,u\n${records.join('\n')}\n`
      expect(await failure(read(text))).to.match(new RegExp(`line ${records.length + 1}\\b`))
      expect(repairs.list()).to.deep.equal([])
    })
  }

  it('repairs a record with an empty field if its other fields show that it is beyond doubt', async () => {
    const long = await read('t,n,u\na,1,b\na,2,b\n,3,b\n,4,b,\n')
    expect(long.at(-1)).to.deep.equal([null, '4', 'b'])
    const short = await read('t,u,n\na,b,1\na,b,2\n,b,3\n,b\n')
    expect(short.at(-1)).to.deep.equal([null, 'b', null])
  })

  it('drops an inner empty field if the others fit their columns only without it', async () => {
    const rows = await read(`d,n,t,u\n${sound.join('\n')}\n,2024-02-01,7,x,y\n,2024-02-02,8,,z\n`)
    expect(rows.slice(-2)).to.deep.equal([
      ['2024-02-01', '7', 'x', 'y'],
      ['2024-02-02', '8', null, 'z'],
    ])
  })

  it('repairs records that nearly all lack the same last fields, and have too many empty ones', async () => {
    expect(await read('a,b,c\n1,\n2,\n3,x\n')).to.deep.equal([
      ['1', null, null],
      ['2', null, null],
      ['3', 'x', null],
    ])
    expect(await read('a,b\n,1,,\n,2,,\n')).to.deep.equal([
      [null, '1'],
      [null, '2'],
    ])
  })

  it('drops the header where it comes once more', async () => {
    expect(await read('a,b\n1,2\na,b\n3,4\n')).to.deep.equal([
      ['1', '2'],
      ['3', '4'],
    ])
    expect(counted()).to.deep.equal([['header', 1, 3]])
    expect(await read('a\n1\na\n')).to.have.length(2)
  })

  it('cuts a malformed header into as many names as its records have fields', async () => {
    const text = 'a,""b,c"\n1,2\n3,4\n'
    expect(await read(text)).to.deep.equal([
      ['1', '2'],
      ['3', '4'],
    ])
  })

  it('repairs a header and the first record of a file without one', async () => {
    expect(await read('a,""b",c\n1,2,3\n')).to.deep.equal([['1', '2', '3']])
    expect(await read('1,""b",c\n1,2,3\n', 1000, { header: false })).to.deep.equal([
      ['1', '"b', 'c'],
      ['1', '2', '3'],
    ])
  })
})

describe('recutLine', () => {
  const cases: [line: string, width: number | undefined, recut: string | undefined][] = [
    ['a,""b","c"', 3, 'a,"""b","c"'],
    ['a,"b,c,"d e","f"', 5, 'a,"""b",c,"d e","f"'],
    ['a,"b,c,"d e","f"', undefined, 'a,"""b",c,"d e","f"'],
    ['""b, 5"" c""",d', 2, '"""b, 5"" c""",d'],
    ['a,"b "c" d",e', 3, 'a,"b ""c"" d",e'],
    ['a,b,"', 3, 'a,b,""""'],
    ['a,"b"c', 2, undefined],
    ['a,"b "c" d', 2, undefined],
    ['a, "b,c', 3, undefined],
    ['a,b', 3, undefined],
  ]
  for (const [line, width, recut] of cases) {
    it(`makes ${recut ?? 'nothing'} of ${line}, which has ${width ?? 'any number of'} fields`, () => {
      expect(recutLine(line, COMMA, width)).to.equal(recut)
    })
  }
})
