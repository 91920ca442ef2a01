import { expect } from 'chai'
import fc from 'fast-check'
import { type DialectOptions, resolveDialect } from '../../../../lib/sources/csv/dialect.ts'
import { CsvSplitter } from '../../../../lib/sources/csv/split/csv-splitter.ts'
import { loadWasmSplitter } from '../../../../lib/sources/csv/split/load-wasm-splitter.ts'
import { SplitError } from '../../../../lib/sources/csv/split/split-error.ts'
import type { TakeRecord } from '../../../../lib/sources/csv/split/split-options.ts'
import type { WasmSplitter } from '../../../../lib/sources/csv/split/wasm-splitter.ts'
import { thorough } from '../../../support/thorough.ts'

interface Case {
  readonly text: string
  readonly cuts: readonly number[]
  readonly dialect: DialectOptions
  readonly keepsMalformed: boolean
  readonly lenient: boolean
}

/** What the splitter makes of a file that comes in pieces: its records, and the error that has ended it. */
function split({ text, cuts, dialect, keepsMalformed, lenient }: Case, wasm: WasmSplitter | undefined) {
  const found: unknown[] = []
  let strays = 0
  const take: TakeRecord = (chunk, start, end, line, fault) =>
    found.push([chunk.toString('utf8', start, end), line, fault, strays])
  const splitter = new CsvSplitter(resolveDialect(dialect, ','), take, {
    keepsMalformed,
    onStrayQuote: lenient ? () => strays++ : undefined,
    linesBefore: 2,
    wasm,
  })
  const bytes = Buffer.from(text)
  const places = [0, ...cuts.map(cut => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length]
  try {
    for (let i = 1; i < places.length; i++) splitter.add(bytes.subarray(places[i - 1], places[i]))
    splitter.end()
  } catch (error) {
    if (!(error instanceof SplitError)) throw error
    found.push([error.line, error.message])
  }
  return found
}

/** Counts the records that a splitter in WebAssembly finds. */
function counting(wasm: WasmSplitter): { wasm: WasmSplitter; count: () => number } {
  let count = 0
  const original = wasm.split.bind(wasm)
  wasm.split = (...args) => {
    const found = original(...args)
    count += wasm.found.count
    return found
  }
  return { wasm, count: () => count }
}

const cases: fc.Arbitrary<Case> = fc.record({
  text: fc.string({
    unit: fc.constantFrom(
      'a',
      'bc',
      ',',
      ',',
      '\n',
      '\n',
      '\r\n',
      '\r',
      '"',
      '"x"',
      '""',
      '"y\n"',
      '#',
      'é',
      '\u00ff',
      'long text of more than 16 bytes',
    ),
    maxLength: 90,
  }),
  cuts: fc.array(fc.nat(200), { maxLength: 4 }),
  dialect: fc.constantFrom<DialectOptions>(
    {},
    {},
    {},
    { quote: undefined },
    { quote: "'" },
    { comment: '#' },
    { escape: '\\' },
  ),
  keepsMalformed: fc.boolean(),
  lenient: fc.boolean(),
})

describe('the splitter in WebAssembly', () => {
  it('finds the records that the splitter in JavaScript finds, with their lines and faults', () => {
    const { wasm, count } = counting(loadWasmSplitter()!)
    let records = 0
    fc.assert(
      fc.property(cases, one => {
        const expected = split(one, undefined)
        expect(split(one, wasm)).to.deep.equal(expected)
        records += expected.length
      }),
      { numRuns: Math.max(1250, thorough(5000)) },
    )
    expect(count()).to.be.above(records / 8)
  })

  it('takes chunks and records that are longer than its memory, and more records than its table has', () => {
    const long = `"${'x'.repeat(400_000)}",${'y'.repeat(300_000)}`
    const text = `${'1,2\n'.repeat(100_000)}${long}\n${'"3\n",4\r\n'.repeat(50_000)}`
    const { wasm, count } = counting(loadWasmSplitter()!)
    const one = { text, cuts: [], dialect: {}, keepsMalformed: false, lenient: false }
    const found = split(one, wasm)
    expect(found).to.have.length(150_001)
    expect(found).to.deep.equal(split(one, undefined))
    expect(count()).to.be.above(149_000)
  })
})
