import { expect } from 'chai'
import fc from 'fast-check'
import { countRows, dealByRow, dealInTurn, workerOf } from '../../../../lib/cli/resume/dealing.ts'
import { CsvRecord } from '../../../../lib/csv/record.ts'

describe('dealing out rows to workers', () => {
  const dealings = fc.record({
    workers: fc.integer({ min: 1, max: 5 }),
    chunkRows: fc.integer({ min: 1, max: 7 }),
  })
  const small = fc.integer({ min: 0, max: 60 })

  function recordsOf(numbers: readonly number[]): CsvRecord[] {
    return numbers.map(number => {
      const record = new CsvRecord(Buffer.from('x'), 0, 1, number)
      record.number = number
      return record
    })
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
      fc.property(dealings, lengths, small, (dealing, sizes, left) => {
        const deal = dealByRow(dealing, number => ({ file: 3, row: number }))
        const seen: number[] = []
        let number = 0
        for (const size of sizes) {
          const numbers = Array.from({ length: size }, () => ++number).filter(each => each % 11 !== left)
          if (numbers.length === 0) continue
          for (const { worker, records } of deal(recordsOf(numbers))) {
            for (const record of records) {
              expect(workerOf(dealing, { file: 3, row: record.number })).to.equal(worker)
              seen.push(record.number)
            }
          }
        }
        const expected = Array.from({ length: number }, (_, index) => index + 1)
        expect(seen).to.deep.equal(expected.filter(each => each % 11 !== left))
      }),
    )
  })

  it('deals out arrays in turn', () => {
    const deal = dealInTurn(3)
    const workers = [1, 2, 3, 4].map(number => deal(recordsOf([number]))[0]!.worker)
    expect(workers).to.deep.equal([0, 1, 2, 0])
  })
})
