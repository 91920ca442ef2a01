import { expect } from 'chai'
import { CsvRecord } from '../../../lib/csv/record.ts'
import { RecordTable } from '../../../lib/csv/record-table.ts'
import { RecordBatch } from '../../../lib/write/rows/record-batch.ts'
import { RowSet } from '../../../lib/write/rows/row-set.ts'

const bytes = Buffer.from('one\ntwo\nthree\n')

const tableOf = () =>
  new RecordTable({
    bytes,
    places: Uint32Array.from([0, 3, 0, 4, 7, 1, 8, 13, 2]),
    count: 3,
    firstLine: 5,
    firstNumber: 11,
    faults: new Map([[1, 'it is malformed']]),
  })

const expected = [
  Object.assign(new CsvRecord(bytes, 0, 3, 5), { number: 11 }),
  Object.assign(new CsvRecord(bytes, 4, 7, 6, 'it is malformed'), { number: 12 }),
  Object.assign(new CsvRecord(bytes, 8, 13, 7), { number: 13 }),
]

describe('records as a table of places', () => {
  it('become objects when they are asked for', () => {
    const table = tableOf()
    expect(table.at(2)).to.deep.equal(expected[2])
    expect(table.all()).to.deep.equal(expected)
    expect(table.all()).to.equal(table.all())
    expect(table.at(1)).to.equal(table.all()[1])
    expect([0, 1, 2].map(index => table.isMalformed(index))).to.deep.equal([false, true, false])
  })

  it('are rows that stay a table until something needs the objects', () => {
    const rows = new RowSet(tableOf())
    expect(rows.length).to.equal(3)
    expect(rows.at(0)).to.deep.equal(expected[0])
    expect([rows.itemAt(1), rows.hasItem(2), rows.hasItem(3)]).to.deep.equal([1, true, false])
    expect(rows.filter(() => true)).to.equal(rows)
    expect(rows.records?.length).to.equal(3)
    expect([...rows.filter((_, item) => item !== 1)]).to.deep.equal([
      [expected[0], 0],
      [expected[2], 2],
    ])
    expect(rows.records).to.equal(undefined)
    expect([...rows]).to.deep.equal(expected.map((record, index) => [record, index]))
  })

  it('are the items of a batch until these are dropped', () => {
    const batch = new RecordBatch(4, tableOf())
    expect([batch.id, batch.count, batch.records?.length]).to.deep.equal([4, 3, 3])
    expect(batch.items).to.deep.equal(expected)
    batch.items = []
    expect(batch.items).to.deep.equal([])
    expect(batch.records).to.equal(undefined)
  })
})
