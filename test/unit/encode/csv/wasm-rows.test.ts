import { expect } from 'chai'
import fc from 'fast-check'
import { loadWasmEncoder } from '../../../../lib/cli/rows/load-wasm-encoder.ts'
import { type CsvFormat, CsvRecord } from '../../../../lib/csv/record.ts'
import { RecordTable } from '../../../../lib/csv/record-table.ts'
import { BUILT_IN } from '../../../../lib/encode/codecs/codec-for.ts'
import { makeCsvBinaryRowEncoder } from '../../../../lib/encode/csv/csv-binary-rows.ts'
import { WasmEncoder, type WasmExports } from '../../../../lib/encode/csv/wasm/wasm-encoder.ts'
import type { RowEncoder } from '../../../../lib/encode/row-encoder.ts'
import { WASM_KIND } from '../../../../lib/encode/wasm/wasm-kind.ts'
import { ByteBuffer } from '../../../../lib/encode/wire/byte-buffer.ts'
import { SlabPool } from '../../../../lib/encode/wire/slabs.ts'
import type { Column } from '../../../../lib/types.ts'
import { loadWasm } from '../../../../lib/wasm/load-wasm.ts'
import { RowSet } from '../../../../lib/write/rows/row-set.ts'
import { thorough } from '../../../support/thorough.ts'
import { FILE_TEXTS } from '../../../support/values/file-texts.ts'

const TYPES = [...BUILT_IN].filter(([, codec]) => codec.wasm).map(([type]) => type)
const LIMIT = 64 * 1024
const MODULE = new URL('../../../../lib/encode/csv/wasm/csv-rows.wasm', import.meta.url)

/** One of this file's own: that of the process may have given its memory away. */
const own = new WasmEncoder(loadWasm(MODULE) as WasmExports)

/** A file: the types of its columns, and the text of each of its records. */
interface File {
  readonly types: readonly string[]
  readonly format: CsvFormat
  readonly records: readonly string[]
}

function columnsOf(types: readonly string[]): Column[] {
  return types.map((type, index) => ({
    name: `c${index}`,
    type: { oid: 0, name: type, sqlName: type, builtIn: true, kind: 'base' },
  })) as unknown as Column[]
}

function encoderOf(
  { types, format }: File,
  { wasm, staging }: { wasm: boolean; staging: boolean },
): RowEncoder {
  const columns = columnsOf(types.filter(type => type !== 'skipped'))
  let next = 0
  const fields = types.map(type => (type === 'skipped' ? undefined : `c${next++}`))
  const csv = { format, fields, ...(wasm ? { wasm: own } : {}) }
  return makeCsvBinaryRowEncoder(csv, {
    columns,
    format: 'binary',
    ...(staging ? { staging: { shape: 7 } } : {}),
  })
}

/** Puts the records into one chunk, each between other bytes. */
function rowsOf(records: readonly string[]): RowSet {
  const chunk = Buffer.from(`${records.join('\n')}\n`)
  let start = 0
  return new RowSet(
    records.map((record, index) => {
      const end = start + Buffer.byteLength(record)
      const row = new CsvRecord(chunk, start, end, index + 1)
      start = end + 1
      return row
    }),
  )
}

/** The same records as the table of their places. */
function tableOf(rows: RowSet): RowSet {
  const records = rows.slice(0, rows.length) as CsvRecord[]
  const places = Uint32Array.from(records.flatMap(({ start, end, line }) => [start, end, line - 1]))
  const bytes = records[0]?.chunk ?? Buffer.alloc(0)
  return new RowSet(new RecordTable({ runs: [{ bytes, next: records.length }], places, firstLine: 1 }))
}

/** The outcome of the rows: the bytes of each, or why it has none. And how many the module has encoded. */
function encodeAll(
  encoder: RowEncoder,
  rows: RowSet,
  slabs = new SlabPool(64),
): { outcomes: string[]; byWasm: number } {
  const out = new ByteBuffer(slabs.lease())
  const outcomes: string[] = []
  let bytes = ''
  let byWasm = 0
  for (let index = 0; index < rows.length; ) {
    out.length = 0
    const next = encoder.rows?.(out, rows, index, 100, LIMIT) ?? index
    bytes += out.bytes.toString('hex', 0, out.length)
    byWasm += next - index
    index = next
    if (index === rows.length) break
    out.length = 0
    try {
      const needsText = encoder.row(out, rows.at(index), 100 + rows.itemAt(index))
      if (needsText !== undefined) outcomes.push(`${index} needs text: ${needsText}`)
    } catch (error) {
      outcomes.push(`${index} ${(error as Error).message}`)
    }
    bytes += out.bytes.toString('hex', 0, out.length)
    index++
  }
  return { outcomes: [...outcomes, bytes], byWasm }
}

const quoted = (text: string, quote: string) => `${quote}${text.replaceAll(quote, quote + quote)}${quote}`

/** The text of a field: as it is if that is possible, or in quotes. */
function fieldOf(text: string, { delimiter, quote }: CsvFormat, wantsQuotes: boolean): string {
  if (quote === undefined) return text.replaceAll(delimiter, '').replaceAll(/[\r\n]/g, '')
  const needsQuotes = text.includes(delimiter) || text.includes(quote) || /[\r\n]/.test(text)
  return needsQuotes || wantsQuotes ? quoted(text, quote) : text
}

const formats: fc.Arbitrary<CsvFormat> = fc
  .record({
    delimiter: fc.constantFrom(',', '\t', ';', '|', '-', '1'),
    quote: fc.constantFrom('"', "'", undefined),
    escape: fc.constant(undefined),
    nulls: fc.constantFrom([''], []),
  })
  .map(format => ({ ...format, escape: format.quote }))

const files: fc.Arbitrary<File> = fc
  .tuple(fc.array(fc.constantFrom(...TYPES, 'skipped'), { minLength: 1, maxLength: 6 }), formats)
  .filter(([types]) => types.some(type => type !== 'skipped'))
  .chain(([types, format]) => {
    const field = (type: string) =>
      fc
        .tuple(
          fc.oneof(
            { weight: 1, arbitrary: fc.constant('') },
            { weight: 9, arbitrary: FILE_TEXTS[type] ?? FILE_TEXTS.text! },
          ),
          fc.nat(4),
        )
        .map(([text, dice]) => fieldOf(text, format, dice === 0))
    const record = fc.tuple(fc.tuple(...types.map(field)), fc.nat(30)).map(([fields, dice]) => {
      const whole = dice === 0 ? fields.slice(1) : dice === 1 ? [...fields, 'more'] : fields
      return whole.join(format.delimiter)
    })
    return fc.record({
      types: fc.constant(types),
      format: fc.constant(format),
      records: fc.array(record, { maxLength: 12 }),
    })
  })

describe('the encoder in WebAssembly', () => {
  let slabs: Buffer[]

  before(() => {
    slabs = own.takeSlabs(4096)
  })

  it('is built, and knows the kinds that codecs name', () => {
    expect(loadWasmEncoder(), 'npm run build:wasm').to.not.equal(undefined)
    const kinds = [...BUILT_IN.values()].flatMap(({ wasm }) => (wasm ? [wasm] : []))
    expect([...new Set(kinds), 'skipped']).to.have.members(Object.keys(WASM_KIND))
  })

  it('writes the same bytes as JavaScript, and refuses what it does not read', () => {
    const slab = slabs[0]!.subarray(0, 256) // too short for some files
    let records = 0
    let byWasm = 0
    fc.assert(
      fc.property(files, fc.boolean(), (file, staging) => {
        const rows = rowsOf(file.records)
        const expected = encodeAll(encoderOf(file, { wasm: false, staging }), rows)
        const actual = encodeAll(encoderOf(file, { wasm: true, staging }), rows)
        expect(actual.outcomes).to.deep.equal(expected.outcomes)
        const table = tableOf(rows)
        expect(encodeAll(encoderOf(file, { wasm: true, staging }), table)).to.deep.equal(actual)
        expect(table.table?.length).to.equal(rows.length)
        const inPlace = new SlabPool(slab.length, [slab])
        const { outcomes } = encodeAll(encoderOf(file, { wasm: true, staging }), table, inPlace)
        expect(outcomes).to.deep.equal(expected.outcomes)
        expect(expected.byWasm).to.equal(0)
        records += rows.length
        byWasm += actual.byWasm
      }),
      { numRuns: Math.max(750, thorough(3000)) },
    )
    expect(byWasm).to.be.above(records / 6)
  })

  it('gives its memory to one caller, and writes nothing past the end of a slab', () => {
    expect(slabs.length).to.be.above(1)
    expect(own.takeSlabs(4096)).to.deep.equal([])
    const format = { delimiter: ',', quote: '"', escape: '"', nulls: [''] }
    const records = Array.from({ length: 20 }, (_, index) => `${index},,${'x'.repeat(index * 3)},1,true`)
    const file = { types: ['int4', 'int8', 'text', 'float8', 'bool'], format, records }
    const expected = encodeAll(encoderOf(file, { wasm: false, staging: false }), rowsOf(records))
    const slab = slabs[0]!
    for (let length = 1; length < 600; length++) {
      slab.fill(0xa5)
      const pool = new SlabPool(length, [slab.subarray(0, length)])
      const { outcomes } = encodeAll(encoderOf(file, { wasm: true, staging: false }), rowsOf(records), pool)
      expect(outcomes).to.deep.equal(expected.outcomes)
      expect(slab.subarray(length).every(byte => byte === 0xa5)).to.equal(true)
    }
  })

  for (const type of TYPES) {
    it(`reads nearly all common values of a ${type}`, () => {
      let byWasm = 0
      let exact = 0
      const format = { delimiter: ',', quote: '"', escape: '"', nulls: [''] }
      fc.assert(
        fc.property(FILE_TEXTS[type]!, fc.boolean(), (text, wantsQuotes) => {
          const file = { types: [type], format, records: [fieldOf(text, format, wantsQuotes)] }
          const rows = rowsOf(file.records)
          const expected = encodeAll(encoderOf(file, { wasm: false, staging: false }), rows)
          const actual = encodeAll(encoderOf(file, { wasm: true, staging: false }), rows)
          expect(actual.outcomes).to.deep.equal(expected.outcomes)
          if (expected.outcomes.length === 1) exact++
          byWasm += actual.byWasm
        }),
        { numRuns: 1000 },
      )
      expect(byWasm).to.be.above(exact / 10)
    })
  }
})
