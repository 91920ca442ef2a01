import { Readable } from 'node:stream'
import { expect } from 'chai'
import { RecordIntake } from '../../../../lib/cli/rows/record-intake.ts'
import { CsvRecord } from '../../../../lib/csv/record.ts'
import type { RecordTable } from '../../../../lib/csv/record-table.ts'
import { tableOf } from '../../../../lib/csv/record-table-builder.ts'

describe('RecordIntake', () => {
  const tables = (...sizes: number[]) =>
    sizes.map(size => tableOf(Array.from({ length: size }, () => new CsvRecord(Buffer.from('x'), 0, 1, 1))))
  const numbersOf = (batches: RecordTable[]) => batches.map(batch => [...batch].map(({ number }) => number))

  it('numbers the records over all tables, skips those that are written, and reports each batch', async () => {
    const counts: number[] = []
    const options = { skip: 4, onBatch: (count: number) => counts.push(count) }
    const intake = new RecordIntake(Readable.from(tables(3, 3, 2)), options)
    expect(numbersOf(await intake.toArray())).to.deep.equal([
      [5, 6],
      [7, 8],
    ])
    expect(counts).to.deep.equal([2, 2])
    expect(intake.rowsRead).to.equal(8)
  })

  it('passes on those that are not written, wherever they are', async () => {
    const firsts: number[] = []
    const written = new Set([1, 4, 5, 6, 8])
    const intake = new RecordIntake(Readable.from(tables(5, 2, 3)), {
      skip: 0,
      isWritten: number => written.has(number),
      onBatch: (_, { firstNumber }) => firsts.push(firstNumber),
    })
    expect(numbersOf(await intake.toArray())).to.deep.equal([[2, 3], [7], [9, 10]])
    expect(firsts).to.deep.equal([2, 7, 9])
    expect(intake.rowsRead).to.equal(10)
  })

  it('passes on the parts of a table that are not written', async () => {
    const intake = new RecordIntake(Readable.from(tables(7)), {
      skip: 0,
      isWritten: number => number % 3 === 0,
      onBatch: () => {},
    })
    expect(numbersOf(await intake.toArray())).to.deep.equal([[1, 2], [4, 5], [7]])
  })

  it('checks the records that it passes on, and fails with the error of the check', async () => {
    const checked: number[] = []
    const check = ({ number }: CsvRecord) => {
      checked.push(number)
      if (number === 4) throw new Error('planted')
    }
    const intake = new RecordIntake(Readable.from(tables(2, 2, 2)), { skip: 1, check, onBatch: () => {} })
    const error = await intake.toArray().catch(error => error)
    expect(error.message).to.equal('planted')
    expect(checked).to.deep.equal([2, 3, 4])
  })

  it('reads no further ahead than a few tables', async () => {
    const intake = new RecordIntake(Readable.from(tables(...Array(100).fill(1000))), {
      skip: 0,
      onBatch: () => {},
    })
    intake.once('readable', () => {})
    for (let turn = 0; turn < 5; turn++) await new Promise(resolve => setImmediate(resolve))
    expect(intake.rowsRead).to.be.within(1000, 5000)
    intake.destroy()
  })
})
