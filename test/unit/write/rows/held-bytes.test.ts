import { expect } from 'chai'
import { CsvRecord } from '../../../../lib/csv/record.ts'
import { RecordTable } from '../../../../lib/csv/record-table.ts'
import { heldBytes } from '../../../../lib/write/rows/held-bytes.ts'
import { RowSet } from '../../../../lib/write/rows/row-set.ts'
import { TableBatch } from '../../../../lib/write/rows/table-batch.ts'

const text = 'x'.repeat(1000)

describe('heldBytes', () => {
  it('counts the values of items, those of getters included, and what cannot be read as nothing', () => {
    class Row {
      get text(): string {
        return text
      }
    }
    Object.defineProperty(Row.prototype, 'text', { enumerable: true })
    const unreadable = {
      get text(): string {
        throw new Error('no')
      },
    }
    const items = [{ text }, new Row(), unreadable, text, null]
    expect(heldBytes({ id: 1, count: items.length, items })).to.be.within(3000, 3100)
  })

  it('counts the rows that were made of items', () => {
    const made = { rows: new RowSet([{ text }]), invalid: [] }
    expect(heldBytes({ id: 1, count: 1, items: [1], made })).to.be.within(1000, 1020)
  })

  it('counts the bytes of records, and none of their chunk', () => {
    const bytes = Buffer.from(`1,${text}\n2,${text}\n`)
    const places = Uint32Array.of(0, 1002, 0, 1003, 2005, 1)
    const table = new RecordTable({ runs: [{ bytes, next: 2 }], places, firstLine: 1 })
    expect(heldBytes(new TableBatch(1, table))).to.equal(2004)
    const items = [new CsvRecord(bytes, 0, 1002, 1)]
    expect(heldBytes({ id: 1, count: 1, items })).to.equal(1002)
  })
})
