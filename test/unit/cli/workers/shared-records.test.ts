import { expect } from 'chai'
import fc from 'fast-check'
import { SharedSlot, sharedRecords, shareRecords } from '../../../../lib/cli/workers/shared-records.ts'
import { CsvRecord } from '../../../../lib/csv/record.ts'
import { tableOf } from '../../../../lib/csv/record-table-builder.ts'

describe('records in memory that threads share', () => {
  const texts = fc.array(fc.string({ maxLength: 30 }), { minLength: 1, maxLength: 20 })

  it('are those that were put there, whatever chunks and gaps they came with', () => {
    fc.assert(
      fc.property(fc.array(texts, { minLength: 1, maxLength: 4 }), fc.nat(600), (chunks, gap) => {
        let line = 4_294_967_290 // more lines than 32 bits count
        const records = chunks.flatMap(texts => {
          const parts = texts.map(text => Buffer.from(text))
          const chunk = Buffer.concat(parts.flatMap(part => [part, Buffer.alloc(gap)]))
          let at = 0
          return parts.map(part => {
            const start = at
            at += part.length + gap
            return new CsvRecord(chunk, start, start + part.length, line++)
          })
        })
        const slot = shareRecords(tableOf(records), bytes => SharedSlot.of(bytes))
        const copies = sharedRecords(new SharedSlot(slot.memory), {
          count: records.length,
          firstLine: records[0]!.line,
          firstNumber: 7,
          faults: new Map([[0, 'it is malformed']]),
        })
        expect(copies).to.have.lengthOf(records.length)
        for (const [index, copy] of copies.all().entries()) {
          const record = records[index]!
          expect(copy.bytes.equals(record.bytes)).to.equal(true)
          expect(copy.toJSON()).to.equal(record.toJSON())
          expect(copy.line).to.equal(record.line)
          expect(copy.number).to.equal(7 + index)
          expect(copy.fault).to.equal(index === 0 ? 'it is malformed' : undefined)
        }
      }),
    )
  })
})
