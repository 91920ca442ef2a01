import { expect } from 'chai'
import { type Block, ColumnChunk } from '../../../lib/columnar/block.ts'
import { BlockLayout, INDEX, NUMBER } from '../../../lib/columnar/block-row.ts'
import { BlockTable } from '../../../lib/columnar/block-table.ts'
import { RowSet } from '../../../lib/write/rows/row-set.ts'

const layout = new BlockLayout([{ name: 'v', source: 0, fit: value => value }])

function blockOf(...values: number[]): Block {
  const chunk = new ColumnChunk(
    { kind: 'int32', values: Int32Array.from(values) },
    { convert: (value: number) => value, meaning: 'itself' },
  )
  return { length: values.length, columns: [{ chunk, start: 0 }] }
}

/** The value, the index in the block and the number of each row. */
const shown = (table: BlockTable) =>
  table.all().map(row => [(row as unknown as { v: number }).v, row[INDEX], row[NUMBER]])

const threeBlocks = () => BlockTable.of(layout, [blockOf(10, 11, 12), blockOf(20), blockOf(30, 31)], 5)

describe('a table of blocks', () => {
  it('has the rows of its blocks, numbered on', () => {
    expect(shown(threeBlocks())).to.deep.equal([
      [10, 0, 5],
      [11, 1, 6],
      [12, 2, 7],
      [20, 0, 8],
      [30, 0, 9],
      [31, 1, 10],
    ])
  })

  it('has parts with the same rows and numbers, from any row to any other', () => {
    const whole = shown(threeBlocks())
    for (let from = 0; from <= 6; from++) {
      for (let to = from; to <= 7; to++) {
        const part = threeBlocks().slice(from, to)
        expect(shown(part), `${from} to ${to}`).to.deep.equal(whole.slice(from, to))
        expect(part.length).to.equal(whole.slice(from, to).length)
        for (let index = 0; index < part.length; index++) {
          expect(part.at(index)[NUMBER]).to.equal(whole[from + index]![2])
        }
      }
    }
  })

  it('stays a table in a set of rows until they are needed as objects', () => {
    const rows = new RowSet(threeBlocks())
    expect([rows.length, rows.table?.length]).to.deep.equal([6, 6])
    const kept = rows.filter(row => (row as { v: number }).v !== 20)
    expect([kept.length, kept.table]).to.deep.equal([5, undefined])
    expect(kept.itemAt(4)).to.equal(5)
  })
})
