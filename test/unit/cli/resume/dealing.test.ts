import { expect } from 'chai'
import fc from 'fast-check'
import { countRows, dealByRow, dealInTurn, workerOf } from '../../../../lib/cli/resume/dealing.ts'
import { CsvRecord } from '../../../../lib/csv/record.ts'
import type { RecordTable } from '../../../../lib/csv/record-table.ts'
import { tableOf } from '../../../../lib/csv/record-table-builder.ts'

describe('dealing out rows to workers', () => {
  const dealings = fc.record({
    workers: fc.integer({ min: 1, max: 5 }),
    chunkRows: fc.integer({ min: 1, max: 7 }),
  })
  const small = fc.integer({ min: 0, max: 60 })

  function recordsOf(first: number, count: number): RecordTable {
    const records = tableOf(Array.from({ length: count }, () => new CsvRecord(Buffer.from('x'), 0, 1, 1)))
    records.firstNumber = first
    return records
  }

  it('counts the rows of a worker up to a row', () => {
    fc.assert(
      fc.property(dealings, small, small, (dealing, file, row) => {
        for (let worker = 0; worker < dealing.workers; worker++) {
          const rows = Array.from({ length: row }, (_, index) => index + 1)
          const its = rows.filter(each => workerOf(dealing, { file, row: each }) === worker)
          expect(countRows(dealing, worker, { file, row })).to.equal(its.length)
        }
      }),
    )
  })

  it('gives each worker its own rows, in order, however they come', () => {
    const lengths = fc.array(fc.integer({ min: 1, max: 9 }), { maxLength: 12 })
    fc.assert(
      fc.property(dealings, lengths, (dealing, sizes) => {
        const deal = dealByRow(dealing, number => ({ file: 3, row: number }))
        const seen: number[] = []
        let number = 0
        for (const size of sizes) {
          for (const { worker, records } of deal(recordsOf(number + 1, size))) {
            for (const record of records) {
              expect(workerOf(dealing, { file: 3, row: record.number })).to.equal(worker)
              seen.push(record.number)
            }
          }
          number += size
        }
        expect(seen).to.deep.equal(Array.from({ length: number }, (_, index) => index + 1))
      }),
    )
  })

  it('deals out tables in turn', () => {
    const deal = dealInTurn(3)
    const workers = [1, 2, 3, 4].map(number => deal(recordsOf(number, 1))[0]!.worker)
    expect(workers).to.deep.equal([0, 1, 2, 0])
  })
})
