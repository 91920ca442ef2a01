import { expect } from 'chai'
import { type DialectOptions, resolveDialect } from '../../../../lib/sources/csv/dialect.ts'
import { recutLine } from '../../../../lib/sources/csv/repair/recut-line.ts'
import { Repairs } from '../../../../lib/sources/repairs.ts'
import { failure, readCsvRows } from '../support.ts'

const COMMA = { delimiter: ',', quote: '"', escape: '"' }

describe('readCsv, lenient', () => {
  const repairs = new Repairs()
  beforeEach(() => repairs.clear())

  const read = async (text: string, step = 1000, options: DialectOptions = {}) => {
    const rows = await readCsvRows(resolveDialect(options, ','), text, step, () => {}, {
      lenient: true,
      repairs,
    })
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
