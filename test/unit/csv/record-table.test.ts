import { expect } from 'chai'
import fc from 'fast-check'
import { CsvRecord } from '../../../lib/csv/record.ts'
import { RecordTable } from '../../../lib/csv/record-table.ts'
import { RecordTableBuilder, tableOf } from '../../../lib/csv/record-table-builder.ts'
import { RowSet } from '../../../lib/write/rows/row-set.ts'
import { TableBatch } from '../../../lib/write/rows/table-batch.ts'

const bytes = Buffer.from('one\ntwo\nthree\n')

const threeRecords = () =>
  new RecordTable({
    runs: [{ bytes, next: 3 }],
    places: Uint32Array.from([0, 3, 0, 4, 7, 1, 8, 13, 2]),
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
    const table = threeRecords()
    expect(table.at(2)).to.deep.equal(expected[2])
    expect([...table]).to.deep.equal(expected)
    expect(table.all()).to.deep.equal(expected)
    expect(table.all()).to.equal(table.all())
    expect(table.at(1)).to.equal(table.all()[1])
    expect([0, 1, 2].map(index => table.isMalformed(index))).to.deep.equal([false, true, false])
  })

  it('have other numbers once the first one has', () => {
    const table = threeRecords()
    table.all()
    table.firstNumber = 1
    expect(table.all().map(({ number }) => number)).to.deep.equal([1, 2, 3])
  })

  it('are rows that stay a table until something needs the objects', () => {
    const rows = new RowSet(threeRecords())
    expect(rows.length).to.equal(3)
    expect(rows.at(0)).to.deep.equal(expected[0])
    expect([rows.itemAt(1), rows.hasItem(2), rows.hasItem(3)]).to.deep.equal([1, true, false])
    expect(rows.filter(() => true)).to.equal(rows)
    expect(rows.table?.length).to.equal(3)
    expect([...rows.filter((_, item) => item !== 1)]).to.deep.equal([
      [expected[0], 0],
      [expected[2], 2],
    ])
    expect(rows.table).to.equal(undefined)
    expect([...rows]).to.deep.equal(expected.map((record, index) => [record, index]))
  })

  it('are the items of a batch until these are dropped', () => {
    const batch = new TableBatch(4, threeRecords())
    expect([batch.id, batch.count, batch.table?.length]).to.deep.equal([4, 3, 3])
    expect(batch.items).to.deep.equal(expected)
    batch.items = []
    expect(batch.items).to.deep.equal([])
    expect(batch.table).to.equal(undefined)
  })

  const chunks = [bytes, Buffer.from('other\nbytes\n'), Buffer.from('x')]
  const added = fc.array(
    fc.record({
      chunk: fc.constantFrom(...chunks),
      start: fc.nat(3),
      length: fc.nat(4),
      lines: fc.integer({ min: 1, max: 3 }),
      fault: fc.option(fc.constant('it is malformed'), { nil: undefined, freq: 5 }),
    }),
    { minLength: 1, maxLength: 20 },
  )

  it('are those that were added, whatever chunks they are in, also in a part of the table', () => {
    fc.assert(
      fc.property(added, fc.nat(), fc.nat(), (places, one, other) => {
        let line = 4_294_967_290 // more lines than 32 bits count
        const records = places.map(({ chunk, start, length, lines, fault }, index) => {
          const record = new CsvRecord(chunk, start, start + length, line, fault)
          line += lines
          return Object.assign(record, { number: index + 1 })
        })
        const table = tableOf(records)
        expect([...table]).to.deep.equal(records)
        expect(records.map((_, index) => table.at(index))).to.deep.equal(records)
        for (const [index, { chunk }] of records.entries()) expect(table.at(index).chunk).to.equal(chunk)
        const from = Math.min(one, other) % records.length
        const to = from + 1 + (Math.max(one, other) % (records.length - from))
        const part = table.slice(from, to)
        expect([...part]).to.deep.equal(records.slice(from, to))
        expect(part.all().map((_, index) => part.at(index))).to.deep.equal(records.slice(from, to))
        expect(part.firstNumber).to.equal(from + 1)
      }),
    )
  })

  it('are copied from another table in many ways with one outcome', () => {
    const places = Uint32Array.from([0, 3, 0, 4, 7, 1, 8, 13, 3])
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(2), fc.nat(2)), { minLength: 1, maxLength: 2000 }), copies => {
        const [many, single] = [new RecordTableBuilder(), new RecordTableBuilder()]
        for (const [index, [first, more]] of copies.entries()) {
          const chunk = chunks[index % 3]!
          const next = Math.min(3, first + 1 + more)
          many.addPlaces({ chunk, places, shift: 100 + index, line: 5 * index }, first, next)
          for (let at = first; at < next; at++) {
            const [start, end, line] = places.subarray(at * 3)
            single.add(chunk, start! + 100 + index, end! + 100 + index, line! + 5 * index)
          }
        }
        const [table, expected] = [many.take()!, single.take()!]
        expect(table.runs).to.deep.equal(expected.runs)
        expect(table.places).to.deep.equal(expected.places)
        expect(table).to.include({ length: expected.length, firstLine: expected.firstLine })
      }),
      { numRuns: 50 },
    )
  })

  it('know their lines: one number for records of one line each', () => {
    const linesOf = (...lines: number[]) =>
      tableOf(lines.map(line => new CsvRecord(bytes, 0, 1, line))).lines()
    expect(linesOf(7)).to.equal(7)
    expect(linesOf(7, 8, 9)).to.equal(7)
    expect(linesOf(7, 9, 10)).to.deep.equal(Uint32Array.of(7, 9, 10))
    expect(
      tableOf([7, 9, 10].map(line => new CsvRecord(bytes, 0, 1, line)))
        .slice(1)
        .lines(),
    ).to.equal(9)
  })

  it('are collected anew after each table', () => {
    const builder = new RecordTableBuilder()
    expect(builder.take()).to.equal(undefined)
    const countAll = (count: number) => {
      for (let index = 0; index < count; index++) builder.add(bytes, index % 10, (index % 10) + 1, index + 1)
      expect([builder.length, builder.bytes]).to.deep.equal([count, count])
      return builder.take()!
    }
    const [first, second] = [countAll(5000), countAll(3)]
    expect(first.at(4999)).to.include({ start: 9, end: 10, line: 5000 })
    expect([...second].map(({ start }) => start)).to.deep.equal([0, 1, 2])
    expect([builder.length, builder.bytes]).to.deep.equal([0, 0])
  })
})
