import { expect } from 'chai'
import { RowLength } from '../../../../lib/write/rows/row-length.ts'

describe('RowLength', () => {
  it('says how many rows of the average length have so many bytes', () => {
    const length = new RowLength()
    expect(length.rowsIn(1000)).to.equal(0)
    length.note(2, 100)
    expect(length.rowsIn(1000)).to.equal(20)
    length.note(2, 300)
    expect(length.rowsIn(1000)).to.equal(10)
  })
})
