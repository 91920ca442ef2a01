import { Readable } from 'node:stream'
import { expect } from 'chai'
import { columnNames } from '../../../../lib/sources/csv/header-names.ts'
import { skipLines } from '../../../../lib/sources/csv/skip-lines.ts'
import { failure, slices } from '../support.ts'

describe('columnNames', () => {
  const long = 'é'.repeat(40)
  const cases: [header: string[], names: string[]][] = [
    [
      ['a', 'b'],
      ['a', 'b'],
    ],
    [
      ['', ' ', 'a'],
      ['column_1', 'column_2', 'a'],
    ],
    [
      ['a', '', 'column_2'],
      ['a', 'column_2_2', 'column_2'],
    ],
    [
      ['a', 'a', 'a', 'b'],
      ['a', 'a_2', 'a_3', 'b'],
    ],
    [
      ['a', 'a', 'a_2'],
      ['a', 'a_3', 'a_2'],
    ],
    [
      [long, long],
      ['é'.repeat(31), `${'é'.repeat(30)}_2`],
    ],
    [
      [`${'x'.repeat(70)}1`, `${'x'.repeat(70)}2`],
      ['x'.repeat(63), `${'x'.repeat(61)}_2`],
    ],
    [
      ['__proto__', '__proto__'],
      ['__proto__', '__proto___2'],
    ],
  ]
  for (const [header, names] of cases) {
    it(`makes ${names.join(', ')} of ${header.join(', ')}`, () => {
      const made = columnNames(header)
      expect(made.names).to.deep.equal(names)
      expect(made.changes).to.have.length(names.filter((name, index) => name !== header[index]).length)
      expect(new Set(made.names)).to.have.length(names.length)
    })
  }
})

describe('skipLines', () => {
  for (const step of [1, 2, 100]) {
    it(`drops lines of any line end, in chunks of ${step} bytes`, async () => {
      const rest = async (text: string, count: number) =>
        Buffer.concat(
          (await Readable.from(slices(Buffer.from(text), step))
            .pipe(skipLines('f.csv', count))
            .toArray()) as Buffer[],
        ).toString()
      expect(await rest('a\nb\nc\n', 2)).to.equal('c\n')
      expect(await rest('a\r\nb\rc\r\n\r\nd', 3)).to.equal('\r\nd')
      expect(await rest('a\r\n\r\nb', 2)).to.equal('b')
      expect(await rest('a\r\rb', 2)).to.equal('b')
      expect(await rest('a\nb', 2)).to.equal('')
      expect(await rest('', 3)).to.equal('')
      for (const [text, lines] of [
        ['a\n', '1 line'],
        ['a\r\nb', '2 lines'],
      ] as const) {
        expect(await failure(rest(text, 3))).to.equal(`f.csv: it has ${lines}, and --skip-lines skips 3`)
      }
    })
  }
})
