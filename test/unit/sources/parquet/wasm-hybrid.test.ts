import { expect } from 'chai'
import fc from 'fast-check'
import { bitWidth, readHybrid } from '../../../../lib/sources/parquet/pages/hybrid.ts'
import { positionsOf } from '../../../../lib/sources/parquet/pages/read-levels.ts'
import { type HybridSection, loadWasmHybrid } from '../../../../lib/sources/parquet/pages/wasm/wasm-hybrid.ts'
import { allocateNew } from '../../../../lib/values/chunk-memory.ts'
import { thorough } from '../../../support/thorough.ts'

const varint = (value: number): number[] =>
  value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...varint(value >>> 7)]

/** Runs of one value and packed bits, as they are in a page. */
const runsOf = (width: number): fc.Arbitrary<Buffer> => {
  const byteCount = (width + 7) >> 3
  const run = fc
    .tuple(fc.nat(300), fc.uint8Array({ minLength: byteCount, maxLength: byteCount }))
    .map(([length, value]) => [...varint(length << 1), ...value])
  const packed = fc
    .nat(20)
    .chain(groups =>
      fc
        .uint8Array({ minLength: groups * width, maxLength: groups * width })
        .map(bits => [...varint((groups << 1) | 1), ...bits]),
    )
  return fc.array(fc.oneof(run, packed), { maxLength: 8 }).map(runs => Buffer.from(runs.flat()))
}

const sections = fc
  .integer({ min: 1, max: 32 })
  .chain(width => fc.tuple(fc.constant(width), fc.oneof(runsOf(width), fc.uint8Array({ maxLength: 40 }))))
  .chain(([width, content]) =>
    fc.record({
      bytes: fc.constant(Buffer.from(content)),
      from: fc.constant(0),
      end: fc.oneof({ weight: 3, arbitrary: fc.constant(content.length) }, fc.nat(content.length)),
      width: fc.constant(width),
      count: fc.oneof(fc.nat(20), fc.nat(1000)),
      most: fc.oneof(
        { weight: 3, arbitrary: fc.constant(2 ** Math.min(31, width) - 1) },
        fc.nat(),
        fc.nat(2 ** 16),
        fc.nat(2 ** 8),
      ),
    }),
  )

/** Returns what is read, or the message of the error. */
function outcomeOf<Read>(read: () => Read): Read | string {
  try {
    return read()
  } catch (error) {
    return (error as Error).message
  }
}

const hybrid = loadWasmHybrid()!

describe('the integers of a page, read by WebAssembly', () => {
  it('are those that JavaScript reads, with the same errors', () => {
    let readCount = 0
    fc.assert(
      fc.property(sections, section => {
        const { bytes, from, end, width, count, most } = section
        const expected = outcomeOf(() => [...readHybrid(bytes, from, end, width, count, most)])
        expect(outcomeOf(() => [...hybrid.readIndexes(section, allocateNew)!])).to.deep.equal(expected)
        if (typeof expected !== 'string') readCount++
      }),
      { numRuns: thorough(8000) },
    )
    expect(readCount).to.be.above(90)
  })

  it('are the places of values among NULLs', () => {
    let readCount = 0
    fc.assert(
      fc.property(sections, section => {
        const { bytes, from, end, count } = section
        const most = section.most % 256
        const width = bitWidth(most)
        const found = outcomeOf(() => hybrid.readPositions({ ...section, most, width }, allocateNew))
        if (most === 0) return void expect(found).to.equal(undefined)
        const levels = outcomeOf(() => readHybrid(bytes, from, end, width, count, most))
        if (typeof levels === 'string') return void expect(found).to.equal(levels)
        const positions = positionsOf(levels, most, allocateNew)
        expect(found).to.deep.equal({ positions, present: positions.filter(index => index >= 0).length })
        readCount++
      }),
      { numRuns: thorough(8000) },
    )
    expect(readCount).to.be.above(40)
  })

  it('take one, two or four bytes, by the length of the dictionary', () => {
    const packed = Buffer.from([3, 255, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0])
    const read = (most: number) =>
      hybrid.readIndexes({ bytes: packed, from: 0, end: 17, width: 16, count: 2, most }, allocateNew)!
    expect(read(255)).to.be.an.instanceOf(Uint8Array)
    for (const most of [256, 65_535]) expect(read(most)).to.be.an.instanceOf(Uint16Array)
    expect(read(65_536)).to.be.an.instanceOf(Int32Array)
    for (const most of [255, 256, 65_536]) expect([...read(most)]).to.deep.equal([255, 1])
  })

  it('are left to JavaScript where they are too many or too long for the memory', () => {
    const mib = 1024 * 1024
    const runOf = (count: number) => ({
      bytes: Buffer.from([...varint(count << 1), 1]),
      from: 0,
      width: 1,
      most: 1,
    })
    const few = runOf(mib)
    const many = runOf(mib + 1)
    const readPositions = (section: HybridSection) => hybrid.readPositions(section, allocateNew)
    expect(readPositions({ ...few, end: few.bytes.length, count: mib })?.present).to.equal(mib)
    expect(readPositions({ ...many, end: many.bytes.length, count: mib + 1 })).to.equal(undefined)
    const section = { from: 0, width: 8, count: mib - 8, most: 255 }
    const groups = varint(((mib - 8) / 8) * 2 + 1)
    const bytes = Buffer.concat([Buffer.from(groups), Buffer.alloc(mib, 7)])
    const readIndexes = (end: number) => hybrid.readIndexes({ ...section, bytes, end }, allocateNew)
    expect(readIndexes(mib)?.at(-9)).to.equal(7)
    expect(readIndexes(mib + 1)).to.equal(undefined)
  })
})
