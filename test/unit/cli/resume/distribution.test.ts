import { expect } from 'chai'
import fc from 'fast-check'
import {
  countRows,
  distributeByRow,
  distributeInTurn,
  workerOf,
} from '../../../../lib/cli/resume/distribution.ts'
import { CsvRecord } from '../../../../lib/csv/record.ts'
import type { RecordTable } from '../../../../lib/csv/record-table.ts'
import { tableOf } from '../../../../lib/csv/record-table-builder.ts'

describe('the distribution of rows to workers', () => {
  const distributions = fc.record({
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
      fc.property(distributions, small, small, (distribution, file, row) => {
        for (let worker = 0; worker < distribution.workers; worker++) {
          const rows = Array.from({ length: row }, (_, index) => index + 1)
          const its = rows.filter(each => workerOf(distribution, { file, row: each }) === worker)
          expect(countRows(distribution, worker, { file, row })).to.equal(its.length)
        }
      }),
    )
  })

  it('gives each worker its own rows, in order, however they come', () => {
    const lengths = fc.array(fc.integer({ min: 1, max: 9 }), { maxLength: 12 })
    fc.assert(
      fc.property(distributions, lengths, (distribution, sizes) => {
        const distribute = distributeByRow(distribution, number => ({ file: 3, row: number }))
        const seen: number[] = []
        let number = 0
        for (const size of sizes) {
          for (const { worker, records } of distribute(recordsOf(number + 1, size))) {
            for (const record of records) {
              expect(workerOf(distribution, { file: 3, row: record.number })).to.equal(worker)
              seen.push(record.number)
            }
          }
          number += size
        }
        expect(seen).to.deep.equal(Array.from({ length: number }, (_, index) => index + 1))
      }),
    )
  })

  it('distributes tables in turn', () => {
    const distribute = distributeInTurn(3)
    const workers = [1, 2, 3, 4].map(number => distribute(recordsOf(number, 1))[0]!.worker)
    expect(workers).to.deep.equal([0, 1, 2, 0])
  })
})
