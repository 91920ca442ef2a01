import { expect } from 'chai'
import fc from 'fast-check'
import { rowShaper } from '../../../../lib/cli/rows/shape-row.ts'
import { BUILT_IN } from '../../../../lib/encode/codecs/codec-for.ts'
import { JsonEncoder, type JsonEncoderExports } from '../../../../lib/encode/json/wasm/json-encoder.ts'
import { type JsonColumns, makeRowEncoder, type RowEncoder } from '../../../../lib/encode/row-encoder.ts'
import { ByteBuffer } from '../../../../lib/encode/wire/byte-buffer.ts'
import { SlabPool } from '../../../../lib/encode/wire/slabs.ts'
import type { LineTable } from '../../../../lib/json/line-table.ts'
import { LineTableBuilder } from '../../../../lib/json/line-table-builder.ts'
import { loadLineScanner } from '../../../../lib/sources/json/lines/line-scanner.ts'
import { parsedLine } from '../../../../lib/sources/json/ndjson.ts'
import type { Column, Table } from '../../../../lib/types.ts'
import { loadWasm } from '../../../../lib/wasm/load-wasm.ts'
import { RowSet } from '../../../../lib/write/rows/row-set.ts'
import { thorough } from '../../../support/thorough.ts'
import { FILE_TEXTS } from '../../../support/values/file-texts.ts'

/** Types that the module knows, one that it does not know, and an enum, whose values are only strings. */
const TYPES = [...BUILT_IN].filter(([, codec]) => codec.wasm).map(([type]) => type)
const ALL = [...TYPES, 'bytea', 'mood']
const LIMIT = 64 * 1024
const MODULE = new URL('../../../../lib/encode/json/wasm/json-rows.wasm', import.meta.url)

/** One of this file's own: that of the process may have given its memory away. */
const own = new JsonEncoder(loadWasm(MODULE) as JsonEncoderExports)

/** A file: the types of its columns, and its lines. */
interface File {
  readonly types: readonly string[]
  readonly lines: readonly string[]
}

function columnsOf(types: readonly string[]): Column[] {
  return types.map((type, index) => ({
    name: `c${index}`,
    type: {
      oid: 0,
      name: type,
      sqlName: type,
      builtIn: type !== 'mood',
      kind: type === 'mood' ? 'enum' : 'base',
    },
  })) as unknown as Column[]
}

function encoderOf({ types }: File, { wasm, staging }: { wasm: boolean; staging: boolean }): RowEncoder {
  const columns = columnsOf(types)
  const shape = rowShaper({ columns } as unknown as Table, 'json')
  const json: JsonColumns = {
    columnOf: key => (key.startsWith('c') ? key : undefined),
    rowOf: record => shape(parsedLine(record)),
    wasm: wasm ? own : undefined,
  }
  return makeRowEncoder({ columns, format: 'binary', json, ...(staging ? { staging: { shape: 7 } } : {}) })
}

const scanner = loadLineScanner()!
scanner.addKeys({ c0: 1, c1: 1, c2: 1, c3: 1, other: 1 })

/** Finds the lines as a file's reader does. */
function tableOf({ lines }: File): LineTable | undefined {
  const bytes = Buffer.from(`${lines.join('\n')}\n`)
  const table = new LineTableBuilder()
  for (let at = 0; at < bytes.length; ) {
    const block = scanner.scan(bytes, at)
    if (block) table.addLines({ block, from: 0, to: scanner.count })
    at = block ? scanner.next : bytes.indexOf('\n', at) + 1
  }
  return table.take()
}

/** The lines as objects, which are rows of every second item. */
function rowsOf(file: File): RowSet {
  const rows = new RowSet()
  for (const record of tableOf(file) ?? []) rows.add(record, rows.length * 2)
  return rows
}

/**
 * The outcome of the rows: the bytes of all, and why some have none. And how many the module has encoded.
 */
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
    byWasm += next - index
    try {
      const needsText = next > index ? undefined : encoder.row(out, rows.at(index), 100 + rows.itemAt(index))
      if (needsText !== undefined) outcomes.push(`${index} needs text: ${needsText}`)
    } catch (error) {
      outcomes.push(`${index} ${(error as Error).message}`)
    }
    bytes += out.bytes.toString('hex', 0, out.length)
    index = Math.max(next, index + 1)
  }
  return { outcomes: [...outcomes, bytes], byWasm }
}

const number = fc.oneof(
  fc.integer().map(String),
  fc.maxSafeInteger().map(String),
  fc.double({ noDefaultInfinity: true, noNaN: true }).map(String),
  fc.tuple(fc.integer({ min: -99_999, max: 99_999 }), fc.nat(9_999)).map(([a, b]) => `${a}.${b}`),
  fc.bigInt({ min: -(2n ** 70n), max: 2n ** 70n }).map(String),
  fc.constantFrom(
    '0',
    '-0',
    '-0.0',
    '0.10',
    '1.50',
    '5.0',
    '1e3',
    '1E-3',
    '0.0000001',
    '0.00000015',
    '1',
    '40000',
  ),
  fc.constantFrom(
    '9007199254740992',
    '-9007199254740994',
    '9223372036854775807',
    '-9223372036854775808',
    '1234567890123456.5',
    '0.1234567890123456789',
  ),
)
const nested = fc.constantFrom(
  '{}',
  '[]',
  '{"a" : [1.50, null]}',
  '[1, 2,3]',
  '["\\u00e9", {"b":"\\n"}]',
  '[[1],[2]]',
)
const string = fc.oneof(
  fc.string({ unit: 'binary' }).map(text => JSON.stringify(text)),
  fc.string({ unit: 'grapheme' }).map(text => JSON.stringify(text).replaceAll(/[^ -~]/gu, escaped)),
  fc.constantFrom(
    '""',
    '"a\\"b\\\\c\\/d\\b\\f\\n\\r\\t"',
    '"\\u0000"',
    '"5"',
    '"1e3"',
    '"true"',
    '" 5"',
    '"null"',
  ),
)

/** Writes a character as Python does, with `\u`. */
function escaped(character: string): string {
  return [...Array(character.length).keys()]
    .map(index => `\\u${character.charCodeAt(index).toString(16).padStart(4, '0')}`)
    .join('')
}

function jsonOf(type: string): fc.Arbitrary<string> {
  const own = (FILE_TEXTS[type] ?? FILE_TEXTS.text!).map(text => JSON.stringify(text))
  return fc.oneof(
    { weight: 6, arbitrary: own },
    { weight: 6, arbitrary: number },
    { weight: 2, arbitrary: fc.constantFrom('true', 'false', 'null') },
    { weight: 1, arbitrary: nested },
    { weight: 2, arbitrary: string },
  )
}

/** A line with some of the keys, in any order; some are there twice. */
function lineOf(types: readonly string[]): fc.Arbitrary<string> {
  const members = types.map((type, index) => jsonOf(type).map(value => `"c${index}": ${value}`))
  const other = fc.constant('"other":[1]')
  return fc
    .tuple(fc.tuple(...members, ...members.slice(0, 1), other), fc.infiniteStream(fc.nat(99)))
    .map(([all, dice]) => {
      const order = dice.next().value
      const kept = all.filter(() => dice.next().value < 85)
      return `{${(order < 80 ? kept : kept.reverse()).join(order % 2 ? ', ' : ',')}}`
    })
}

const files: fc.Arbitrary<File> = fc
  .array(fc.constantFrom(...ALL), { minLength: 1, maxLength: 4 })
  .chain(types => fc.record({ types: fc.constant(types), lines: fc.array(lineOf(types), { maxLength: 8 }) }))

describe('the encoder of NDJSON in WebAssembly', () => {
  let slabs: Buffer[]

  before(() => {
    slabs = own.takeSlabs(4096)
  })

  it('writes the same bytes as JavaScript, and refuses what it does not read', () => {
    const slab = slabs[0]!.subarray(0, 256) // too short for some files
    let records = 0
    let byWasm = 0
    fc.assert(
      fc.property(files, fc.boolean(), (file, staging) => {
        const rows = rowsOf(file)
        const expected = encodeAll(encoderOf(file, { wasm: false, staging }), rows)
        const actual = encodeAll(encoderOf(file, { wasm: true, staging }), rows)
        expect(actual.outcomes).to.deep.equal(expected.outcomes)
        expect(expected.byWasm).to.equal(0)
        const table = tableOf(file)
        if (table) {
          const tableRows = new RowSet(table)
          const objects = encodeAll(
            encoderOf(file, { wasm: false, staging }),
            new RowSet(table.all().slice()),
          )
          const fromTable = encodeAll(encoderOf(file, { wasm: true, staging }), tableRows)
          expect(fromTable).to.deep.equal({ ...objects, byWasm: actual.byWasm })
          expect(tableRows.table).to.equal(table)
          const inPlace = new SlabPool(slab.length, [slab])
          const { outcomes } = encodeAll(encoderOf(file, { wasm: true, staging }), tableRows, inPlace)
          expect(outcomes).to.deep.equal(objects.outcomes)
        }
        records += rows.length
        byWasm += actual.byWasm
      }),
      { numRuns: Math.max(750, thorough(3000)) },
    )
    expect(byWasm).to.be.above(records / 8)
  })

  it('gives its memory to one caller, and writes nothing past the end of a slab', () => {
    expect(slabs.length).to.be.above(1)
    expect(own.takeSlabs(4096)).to.deep.equal([])
    const lines = Array.from({ length: 20 }, (_, index) => `{"c0":${index},"c2":"${'x'.repeat(index * 3)}"}`)
    const file = { types: ['int4', 'int8', 'text'], lines }
    const expected = encodeAll(encoderOf(file, { wasm: false, staging: false }), rowsOf(file))
    const slab = slabs[0]!
    for (let length = 1; length < 600; length++) {
      slab.fill(0xa5)
      const pool = new SlabPool(length, [slab.subarray(0, length)])
      const { outcomes } = encodeAll(encoderOf(file, { wasm: true, staging: false }), rowsOf(file), pool)
      expect(outcomes).to.deep.equal(expected.outcomes)
      expect(slab.subarray(length).every(byte => byte === 0xa5)).to.equal(true)
    }
  })

  for (const type of TYPES) {
    it(`reads nearly all common values of a ${type}`, () => {
      let byWasm = 0
      let exact = 0
      fc.assert(
        fc.property(jsonOf(type), value => {
          const file = { types: [type], lines: [`{"c0":${value}}`] }
          const rows = rowsOf(file)
          const expected = encodeAll(encoderOf(file, { wasm: false, staging: false }), rows)
          const actual = encodeAll(encoderOf(file, { wasm: true, staging: false }), rows)
          expect(actual.outcomes).to.deep.equal(expected.outcomes)
          if (expected.outcomes.length === 1) exact++
          byWasm += actual.byWasm
        }),
        { numRuns: 1000 },
      )
      expect(byWasm).to.be.above(exact / 7)
    })
  }
})
