import { type Duplex, Readable } from 'node:stream'
import { expect } from 'chai'
import fc from 'fast-check'
import type { CsvRecord } from '../../../../lib/csv/record.ts'
import { PLACE_NUMBERS, type RecordTable } from '../../../../lib/csv/record-table.ts'
import { readCsv } from '../../../../lib/sources/csv/csv.ts'
import { resolveDialect } from '../../../../lib/sources/csv/dialect.ts'
import { useFolder } from '../../../support/folder.ts'
import { readInChunks } from '../../../support/read-in-chunks.ts'
import { thorough } from '../../../support/thorough.ts'

/** Reads the texts where they are: no record becomes an object. */
function textsOf(table: RecordTable): string[] {
  return Array.from({ length: table.length }, (_, index) => {
    const [start, end] = table.places.subarray(index * PLACE_NUMBERS)
    return table.runOf(index).bytes.toString('utf8', start, end)
  })
}

const ROWS = { batchRows: 10, fill: true, keepsMalformed: true }

/** The least memory for a chunk. */
const LEAST_BYTES = 1024

function recordReader(batchRows: number): Duplex {
  return readCsv('f.csv', resolveDialect({ header: false }, ','), { ...ROWS, batchRows }, () => {})
}

describe('a file whose chunks are read into the same memory again', () => {
  const write = useFolder()

  it('gives the same records, however late their tables are released', async () => {
    const field = fc.constantFrom('', 'x', '"a ""quoted"" text"', '"two\r\nlines"', 'ü€😀', 'long'.repeat(9))
    const odd = fc.constantFrom('"open', 'a"b', `a"${'b'.repeat(300)}`, '\0', '\xff')
    const line = fc.oneof(
      { weight: 60, arbitrary: fc.array(field, { minLength: 2, maxLength: 3 }).map(all => all.join(',')) },
      { weight: 1, arbitrary: odd },
    )
    await fc.assert(
      fc.asyncProperty(
        fc.array(line, { minLength: 1, maxLength: 120, size: 'max' }),
        fc.record({
          chunkBytes: fc.integer({ min: 4, max: 200 }),
          batchRows: fc.integer({ min: 1, max: 5 }),
        }),
        fc.infiniteStream(fc.nat(9)),
        async (lines, { chunkBytes, batchRows }, dice) => {
          const text = lines.join('\n')
          const bytes = Buffer.from(text, text.includes('\xff') ? 'latin1' : 'utf8')
          const file = await write('f.csv', bytes)
          const whole: RecordTable[] = await Readable.from([bytes]).pipe(recordReader(100)).toArray()

          const found: string[] = []
          const kept: { record: CsvRecord; text: string }[] = []
          const waiting: RecordTable[] = []
          const settle = (table: RecordTable): void => {
            const texts = textsOf(table)
            found.push(...texts)
            if (dice.next().value === 0)
              kept.push(...table.all().map((record, index) => ({ record, text: texts[index]! })))
            table.release()
          }
          await readInChunks(file, chunkBytes, recordReader(batchRows), (table: RecordTable) => {
            waiting.push(table)
            while (waiting.length > dice.next().value!) settle(waiting.shift()!)
          })
          for (const table of waiting) settle(table)
          expect(found).to.deep.equal(whole.flatMap(textsOf))
          expect(kept.map(({ record }) => record.toJSON())).to.deep.equal(kept.map(({ text }) => text))
        },
      ),
      { numRuns: Math.max(100, thorough(500)) },
    )
  }).timeout(120_000) // all cases take 7 s on a machine that does nothing else

  it('takes no more memory than the tables that are not released', async () => {
    const file = await write('f.csv', '1,abcdefgh\n'.repeat(1000))
    const memory = new Set<ArrayBufferLike>()
    await readInChunks(file, 64, recordReader(10), (table: RecordTable) => {
      for (const { bytes } of table.runs)
        if (bytes.buffer.byteLength === LEAST_BYTES) memory.add(bytes.buffer)
      table.release()
    })
    expect(memory.size).to.be.within(1, 20)
  })

  it('keeps what a table is a part of, and what another table has', async () => {
    const file = await write('f.csv', 'ab,c\n'.repeat(400))
    const parts: RecordTable[] = []
    await readInChunks(file, 50, recordReader(10), (table: RecordTable) => {
      parts.push(table.slice(0, 5), table.slice(5))
      table.release()
      for (const part of parts.splice(0, parts.length - 7)) {
        expect(textsOf(part)).to.deep.equal(Array(5).fill('ab,c'))
        part.release()
      }
    })
    for (const part of parts) expect(textsOf(part)).to.deep.equal(Array(5).fill('ab,c'))
  })

  it('keeps the lines of a header until the last one has come', async () => {
    const file = await write('f.csv', `${'first line,a\n'.repeat(9)}last line,b\n1,2\n`)
    let header: readonly string[] = []
    const options = { ...ROWS, headerLines: 10 }
    const reader = readCsv('f.csv', resolveDialect({}, ','), options, found => (header = found.header))
    await readInChunks(file, 14, reader, () => {})
    expect(header).to.deep.equal([`${'first line '.repeat(9)}last line`, `${'a '.repeat(9)}b`])
  })

  it('has no bytes once it is released', async () => {
    const file = await write('f.csv', 'ab,c\n'.repeat(40))
    await readInChunks(file, 50, recordReader(10), (table: RecordTable) => {
      table.release()
      expect(() => table.at(0)).to.throw(TypeError)
    })
  })
})
