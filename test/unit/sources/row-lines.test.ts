import { expect } from 'chai'
import fc from 'fast-check'
import { RowLines } from '../../../lib/sources/row-lines.ts'

describe('RowLines', () => {
  it('returns the line of each row, however far they are apart', () => {
    const distances = fc.array(fc.oneof(fc.constant(1), fc.nat(3)), { minLength: 1 })
    fc.assert(
      fc.property(distances, far => {
        const lines = new RowLines()
        const added: number[] = []
        for (const distance of far) added.push((added.at(-1) ?? 1) + distance)
        for (const line of added) lines.add(line)
        expect(added.map((_, index) => lines.lineOf(index + 1))).to.deep.equal(added)
        expect([lines.lineOf(0), lines.lineOf(added.length + 1)]).to.deep.equal([undefined, undefined])
      }),
    )
  })

  it('takes the rows of lines that follow each other at once', () => {
    const parts = fc.array(fc.record({ gap: fc.nat(2), rows: fc.integer({ min: 1, max: 4 }) }))
    fc.assert(
      fc.property(parts, all => {
        const [single, many] = [new RowLines(), new RowLines()]
        let line = 1
        let count = 0
        for (const { gap, rows } of all) {
          line += gap
          many.add(line, rows)
          for (let row = 0; row < rows; row++) single.add(line++)
          count += rows
        }
        for (let row = 0; row <= count + 1; row++) expect(many.lineOf(row)).to.equal(single.lineOf(row))
      }),
    )
  })

  it('forgets the first rows of a long file, and no line of the last ones', () => {
    const lines = new RowLines()
    const lineOf = (row: number) => row * row
    for (let row = 1; row <= 500_000; row++) lines.add(lineOf(row))
    expect(lines.lineOf(1)).to.equal(undefined)
    for (const row of [400_000, 499_999, 500_000]) expect(lines.lineOf(row)).to.equal(lineOf(row))
  })
})
