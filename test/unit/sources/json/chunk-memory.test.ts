import { Readable } from 'node:stream'
import { expect } from 'chai'
import fc from 'fast-check'
import type { LineTable } from '../../../../lib/json/line-table.ts'
import { JsonBlock, JsonRecord } from '../../../../lib/json/record.ts'
import { loadLineScanner } from '../../../../lib/sources/json/lines/line-scanner.ts'
import { readNdjson } from '../../../../lib/sources/json/ndjson.ts'
import { toJsonText } from '../../../../lib/values/exact-json.ts'
import { useFolder } from '../../../support/folder.ts'
import { readInChunks } from '../../../support/read-in-chunks.ts'
import { thorough } from '../../../support/thorough.ts'

/** Reads the texts where they are: no line becomes an object. Those of parsed rows are JSON again. */
function textsOf(table: LineTable): string[] {
  return Array.from({ length: table.length }, (_, index) => {
    const lines = table.blockFrom(index)
    if (!lines) return JSON.stringify(table.runOf(index).lines)
    const { block, from } = lines
    return block.bytes.toString('utf8', block.startOf(from), block.endOf(from))
  })
}

/** Reads the place of each value, which has to be that value. */
function valuesOf(table: LineTable): unknown[] {
  return Array.from({ length: table.length }, (_, index) => {
    const lines = table.blockFrom(index)
    if (!lines) return JSON.parse(toJsonText(table.runOf(index).lines))
    const { bytes, keys, width, stride, places } = lines.block
    const row: Record<string, unknown> = {}
    for (let key = 0; key < width; key++) {
      const [start, end] = places.subarray(lines.from * stride + 2 + 2 * key)
      if (start !== 0) row[keys[key]!] = JSON.parse(bytes.toString('utf8', start, end))
    }
    return row
  })
}

/** The least memory for a chunk. */
const LEAST_BYTES = 1024

function lineReader(batchRows: number) {
  return readNdjson('f.ndjson', { batchRows, keepsMalformed: true, scanner: loadLineScanner() })
}

describe('a file of NDJSON whose chunks are read into the same memory again', () => {
  const write = useFolder()

  it('gives the same lines, however late their tables are released', async () => {
    const value = fc.constantFrom('1', '"x"', '"ü€😀"', '[1,{"b":2}]', `"${'long'.repeat(9)}"`, 'null')
    const member = fc.tuple(fc.constantFrom('a', 'b', 'c'), value).map(([key, text]) => `"${key}":${text}`)
    const odd = fc.constantFrom('', '  ', '{"a":tru}', '{"\\u0061":1}', '"\xff"')
    const line = fc.oneof(
      { weight: 60, arbitrary: fc.array(member, { maxLength: 3 }).map(all => `{${all.join(',')}}`) },
      { weight: 1, arbitrary: odd },
    )
    let inBlocks = 0
    let all = 0
    await fc.assert(
      fc.asyncProperty(
        fc.array(line, { minLength: 1, maxLength: 120, size: 'max' }),
        fc.record({
          chunkBytes: fc.integer({ min: 4, max: 400 }),
          batchRows: fc.integer({ min: 1, max: 5 }),
        }),
        fc.infiniteStream(fc.nat(9)),
        async (lines, { chunkBytes, batchRows }, dice) => {
          const text = lines.join('\n')
          const bytes = Buffer.from(text, text.includes('\xff') ? 'latin1' : 'utf8')
          const file = await write('f.ndjson', bytes)
          const whole: LineTable[] = await Readable.from([bytes]).pipe(lineReader(100)).toArray()

          const found: unknown[] = []
          const kept: { line: object; text: string }[] = []
          const waiting: LineTable[] = []
          const settle = (table: LineTable): void => {
            const texts = textsOf(table)
            found.push(...valuesOf(table))
            all += table.length
            inBlocks += texts.filter((_, index) => table.blockFrom(index)).length
            if (dice.next().value === 0)
              kept.push(...table.all().map((line, index) => ({ line, text: texts[index]! })))
            table.release()
          }
          await readInChunks(file, chunkBytes, lineReader(batchRows), (table: LineTable) => {
            waiting.push(table)
            while (waiting.length > dice.next().value!) settle(waiting.shift()!)
          })
          for (const table of waiting) settle(table)
          expect(found).to.deep.equal(whole.flatMap(valuesOf))
          const texts = kept.map(({ line }) =>
            line instanceof JsonRecord ? line.text : JSON.stringify(line),
          )
          expect(texts).to.deep.equal(kept.map(({ text }) => text))
        },
      ),
      { numRuns: Math.max(100, thorough(500)) },
    )
    expect(inBlocks).to.be.above(all / 3)
  })

  it('takes no more memory than the tables that are not released', async () => {
    const file = await write('f.ndjson', '{"a":"abcdefgh"}\n'.repeat(1000))
    const memory = new Set<ArrayBufferLike>()
    await readInChunks(file, 64, lineReader(10), (table: LineTable) => {
      for (const { lines } of table.runs) {
        if (lines instanceof JsonBlock && lines.bytes.buffer.byteLength === LEAST_BYTES)
          memory.add(lines.bytes.buffer)
      }
      table.release()
    })
    expect(memory.size).to.be.within(1, 20)
  })

  it('writes the places of values into the same memory again, and not over those of other tables', async () => {
    const rows = Array.from({ length: 30_000 }, (_, id) =>
      id % 7 === 0 ? { id } : { id, name: `name ${id}` },
    )
    const file = await write('f.ndjson', rows.map(row => JSON.stringify(row)).join('\n'))
    const memory = new Set<ArrayBufferLike>()
    const found: unknown[] = []
    const waiting: LineTable[] = []
    const settle = (table: LineTable): void => {
      found.push(...valuesOf(table))
      table.release()
    }
    await readInChunks(file, 64 * 1024, lineReader(700), (table: LineTable) => {
      for (const { lines } of table.runs) if (lines instanceof JsonBlock) memory.add(lines.places.buffer)
      waiting.push(table)
      if (waiting.length > 5) settle(waiting.shift()!)
    })
    for (const table of waiting) settle(table)
    expect(found).to.deep.equal(rows)
    const blocks = [...memory].filter(({ byteLength }) => byteLength >= 32 * 1024)
    expect(blocks.length).to.be.within(2, 8)
  })

  it('keeps what a table is a part of, and what another table has', async () => {
    const file = await write('f.ndjson', '{"a":1}\n'.repeat(400))
    const parts: LineTable[] = []
    await readInChunks(file, 50, lineReader(10), (table: LineTable) => {
      parts.push(table.slice(0, 5), table.slice(5))
      table.release()
      for (const part of parts.splice(0, parts.length - 7)) {
        expect(valuesOf(part)).to.deep.equal(Array(5).fill({ a: 1 }))
        part.release()
      }
    })
    for (const part of parts) expect(valuesOf(part)).to.deep.equal(Array(5).fill({ a: 1 }))
  })
})
