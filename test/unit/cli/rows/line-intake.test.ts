import { Readable } from 'node:stream'
import { expect } from 'chai'
import { type LineBatch, LineIntake } from '../../../../lib/cli/rows/line-intake.ts'
import { LineTable } from '../../../../lib/json/line-table.ts'
import { JsonRecord } from '../../../../lib/json/record.ts'
import { loadLineScanner } from '../../../../lib/sources/json/lines/line-scanner.ts'
import { readNdjson } from '../../../../lib/sources/json/ndjson.ts'

describe('LineIntake', () => {
  const plain = (count: number) => '{"a":1}\n'.repeat(count)

  /** Passes on tables of four lines, of which those with the key `odd` are parsed. */
  function intakeOf(text: string, skip = 0) {
    const reader = readNdjson('f.ndjson', { scanner: loadLineScanner(), batchRows: 4 })
    const counts: number[] = []
    const intake = new LineIntake(Readable.from([Buffer.from(text)]).pipe(reader), {
      skip,
      numbered: true,
      arePlain: ({ block, from, to }) => {
        const odd = block.keys.indexOf('odd')
        for (let line = from; line < to; line++) if (odd >= 0 && block.has(line, odd)) return false
        return true
      },
      onBatch: count => counts.push(count),
    })
    return { intake, counts }
  }
  const numbersOf = (batches: LineBatch[]) =>
    batches.map(batch => Array.from(batch, item => (item as JsonRecord).number))
  const areTables = (batches: LineBatch[]) => batches.map(batch => batch instanceof LineTable)

  it('numbers lines over all tables, skips those that are written, and reports each batch', async () => {
    const { intake, counts } = intakeOf(plain(14), 5)
    const batches = await intake.toArray()
    expect(numbersOf(batches)).to.deep.equal([
      [6, 7, 8],
      [9, 10, 11, 12],
      [13, 14],
    ])
    expect(areTables(batches)).to.deep.equal([true, true, true])
    expect(counts).to.deep.equal([3, 4, 2])
    expect(intake.rowsRead).to.equal(14)
  })

  it('passes on lines one by one where one of them is parsed', async () => {
    const { intake } = intakeOf(`${plain(3)}{"odd":1}\n${plain(5)}{"odd":2}\n${plain(2)}`)
    const batches = await intake.toArray()
    expect(areTables(batches)).to.deep.equal([false, true, false])
    expect(numbersOf(batches)).to.deep.equal([
      [1, 2, 3, 4],
      [5, 6, 7, 8],
      [9, 10, 11, 12],
    ])
    const last = [...batches[2]!]
    expect(last.map(item => item instanceof JsonRecord)).to.deep.equal([true, false, true, true])
    expect(last[1]).to.deep.equal({ row: { odd: 2 }, number: 10 })
  })
})
