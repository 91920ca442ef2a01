import { expect } from 'chai'
import fc from 'fast-check'
import { type DecodedArray, parquetMetadataAsync } from 'hyparquet'
import { readPage } from 'hyparquet/src/column.js'
import { convert } from 'hyparquet/src/convert.js'
import type { ColumnChunk } from '../../../../lib/columnar/block.ts'
import type { Dictionary } from '../../../../lib/columnar/stored-values.ts'
import { columnsOf } from '../../../../lib/sources/parquet/columns.ts'
import { loadDecompressors } from '../../../../lib/sources/parquet/decompress.ts'
import { FileBytes } from '../../../../lib/sources/parquet/file-bytes.ts'
import { PageReader } from '../../../../lib/sources/parquet/page-reader.ts'
import { decodeDataPage, decodeDictionary } from '../../../../lib/sources/parquet/pages/decode-page.ts'
import { isOneRun, readHybrid } from '../../../../lib/sources/parquet/pages/hybrid.ts'
import { loadWasmHybrid } from '../../../../lib/sources/parquet/pages/wasm/wasm-hybrid.ts'
import type { PageDecoder, UnpackedPage } from '../../../../lib/sources/parquet/unpack-page.ts'
import { allocateNew } from '../../../../lib/values/chunk-memory.ts'
import { useFolder } from '../../../support/folder.ts'
import { type Element, parquetOf } from '../../../support/parquet.ts'

const hybrid = loadWasmHybrid()!

interface Case {
  readonly title: string
  readonly element: Element
  readonly make: (i: number) => unknown
  readonly encodings: readonly string[]
}

const text = (i: number): string =>
  `${['wind', 'sun', 'räin', ''][i % 4]}${i % 7 === 0 ? 'x'.repeat(300) : ''}`
const PLAIN = ['PLAIN', 'RLE_DICTIONARY']

const CASES: readonly Case[] = [
  {
    title: 'int32',
    element: { type: 'INT32' },
    make: i => (i * 7919) % 100_003,
    encodings: [...PLAIN, 'DELTA_BINARY_PACKED', 'BYTE_STREAM_SPLIT'],
  },
  {
    title: 'int64',
    element: { type: 'INT64' },
    make: i => BigInt(i) ** 5n - 10n ** 12n,
    encodings: [...PLAIN, 'DELTA_BINARY_PACKED', 'BYTE_STREAM_SPLIT'],
  },
  {
    title: 'float',
    element: { type: 'FLOAT' },
    make: i => Math.fround(i / 3),
    encodings: [...PLAIN, 'BYTE_STREAM_SPLIT'],
  },
  {
    title: 'double',
    element: { type: 'DOUBLE' },
    make: i => i / 3,
    encodings: [...PLAIN, 'BYTE_STREAM_SPLIT'],
  },
  { title: 'boolean', element: { type: 'BOOLEAN' }, make: i => i % 3 === 0, encodings: ['PLAIN', 'RLE'] },
  {
    title: 'text',
    element: { type: 'BYTE_ARRAY', converted_type: 'UTF8' },
    make: text,
    encodings: [...PLAIN, 'DELTA_LENGTH_BYTE_ARRAY', 'DELTA_BYTE_ARRAY'],
  },
  {
    title: 'fixed',
    element: { type: 'FIXED_LEN_BYTE_ARRAY', type_length: 5 },
    make: i => Buffer.from(`${10_000 + (i % 1000)}`),
    encodings: [...PLAIN, 'BYTE_STREAM_SPLIT'],
  },
]

const NULLS: readonly (readonly [title: string, isNull: (i: number) => boolean])[] = [
  ['no NULLs', () => false],
  ['some NULLs', i => i % 5 === 1 || (i > 400 && i < 520)],
  ['NULLs only', () => true],
]

/** The same page as version 1 of the format has it: the levels have their length before them. */
function asVersion1({ header, bytes }: UnpackedPage): UnpackedPage {
  const { data_page_header_v2: v2, ...rest } = header
  if (!v2) return { header, bytes }
  const length = Buffer.alloc(4)
  length.writeUInt32LE(v2.definition_levels_byte_length)
  const hasLevels = v2.definition_levels_byte_length > 0
  const all = Buffer.concat(hasLevels ? [length, bytes] : [bytes])
  return {
    header: {
      ...rest,
      type: 'DATA_PAGE',
      compressed_page_size: all.length,
      uncompressed_page_size: all.length,
      data_page_header: {
        num_values: v2.num_values,
        encoding: v2.encoding,
        definition_level_encoding: 'RLE',
        repetition_level_encoding: 'RLE',
      },
    },
    bytes: all,
  }
}

const zigZag = (value: bigint): bigint => (value < 0n ? -2n * value - 1n : 2n * value)

const varInt = (value: bigint): number[] =>
  value < 128n ? [Number(value)] : [Number(value & 127n) | 128, ...varInt(value >> 7n)]

describe('the pages of a flat column', () => {
  const write = useFolder()

  /** The pages of the only column of a file. */
  async function pagesOf(content: Buffer) {
    const path = await write('a.parquet', content)
    const file = await FileBytes.open(path)
    const metadata = await parquetMetadataAsync(file)
    const [leaf] = columnsOf({ schema: metadata.schema }, path)[0]!.leaves
    const chunk = metadata.row_groups[0]!.columns[0]!.meta_data!
    const decompressors = await loadDecompressors([chunk])
    const readAheadBytes = 1 << 16
    const allocate = allocateNew
    const options = { file, leaf: leaf!, chunk, decompressors, readAheadBytes, allocate, onRead() {} }
    const reader = new PageReader(options)
    const pages: UnpackedPage[] = []
    for (let page = await reader.next(); page; page = await reader.next()) pages.push(page)
    await file.close()
    return { decoder: reader.decoder, leaf: leaf!, pages }
  }

  const COUNT = 1000
  for (const { title, element, make, encodings } of CASES) {
    for (const encoding of encodings) {
      for (const [nulls, isNull] of NULLS) {
        for (const repetition_type of nulls === 'no NULLs'
          ? (['OPTIONAL', 'REQUIRED'] as const)
          : (['OPTIONAL'] as const)) {
          it(`${title}, ${encoding}, ${nulls}, ${repetition_type}: has the values that hyparquet reads`, async () => {
            const data = Array.from({ length: COUNT }, (_, i) => (isNull(i) ? null : make(i)))
            const column = { name: 'v', schema: [{ ...element, repetition_type }], data, encoding }
            const { decoder, leaf, pages } = await pagesOf(parquetOf([column], { pageSize: 2000 }))
            for (const version of [pages, pages.map(asVersion1)]) {
              let dictionary: Dictionary | undefined
              let theirs: DecodedArray | undefined
              let count = 0
              for (const page of version) {
                if (page.header.type === 'DICTIONARY_PAGE') {
                  dictionary = decodeDictionary(page, { decoder, leaf })
                  theirs = convert(readByHyparquet(page, decoder, undefined), decoder)
                  continue
                }
                const chunk = decodeDataPage(page, { decoder, leaf, dictionary })
                const byWasm = decodeDataPage(page, { decoder, leaf, dictionary, hybrid })
                const expected = Array.from(readByHyparquet(page, decoder, theirs), value =>
                  value === null ? null : leaf.type.convert(value as never),
                )
                expect(valuesOf(chunk, expected.length)).to.deep.equal(expected)
                expect(valuesOf(byWasm, expected.length)).to.deep.equal(expected)
                count += expected.length
              }
              expect(count).to.equal(COUNT)
            }
          })
        }
      }
    }
  }

  const READERS = [undefined, hybrid] as const
  for (const by of READERS) {
    it(`are damaged if a run ends after its page, or an index is not in the dictionary, ${by ? 'by WebAssembly' : 'by JavaScript'}`, async () => {
      const data = Array.from({ length: 100 }, (_, i) => `text ${i % 3}`)
      const schema = [{ type: 'BYTE_ARRAY', converted_type: 'UTF8' } as const]
      const { decoder, leaf, pages } = await pagesOf(parquetOf([{ name: 'v', schema, data }]))
      const [first, second] = pages
      const dictionary = decodeDictionary(first!, { decoder, leaf })
      const { header, bytes } = second!
      const decode = (bytes: Buffer) =>
        decodeDataPage({ header, bytes }, { decoder, leaf, dictionary, hybrid: by })
      expect(valuesOf(decode(Buffer.from(bytes)), 100)).to.deep.equal(data)
      for (let length = 0; length < bytes.length; length++) {
        const cut = Buffer.from(bytes.subarray(0, length))
        // the last group of packed bits may be shorter than eight values
        if (length < bytes.length - 1) expect(() => decode(cut), `${length}`).to.throw()
        else expect(valuesOf(decode(cut), 100)).to.deep.equal(data)
      }
      const beyond = Buffer.from(bytes)
      beyond.fill(0xff, beyond.length - 4)
      expect(() => decode(beyond)).to.throw(/A value is too high/)
      expect(() => decodeDataPage(second!, { decoder, leaf, hybrid: by })).to.throw(/dictionary is missing/)
    })
  }

  it('have deltas of 32 bits after a first value that is written as one of 64 bits', async () => {
    const count = 20
    const schema = [{ type: 'INT32', repetition_type: 'REQUIRED' } as const]
    const column = { name: 'v', schema, data: Array(count).fill(0), encoding: 'DELTA_BINARY_PACKED' }
    const { decoder, leaf, pages } = await pagesOf(parquetOf([column]))
    const { header } = pages[0]!
    fc.assert(
      fc.property(
        fc.bigInt({ min: -(2n ** 31n), max: 2n ** 32n - 1n }),
        fc.bigInt({ min: -(2n ** 32n), max: 2n ** 32n }),
        (first, delta) => {
          const numbers = [128n, 4n, BigInt(count), zigZag(first), zigZag(delta)]
          const bytes = Buffer.from([...numbers.flatMap(varInt), 0, 0, 0, 0])
          const expected = Array.from({ length: count }, (_, i) =>
            Number(BigInt.asIntN(32, first + delta * BigInt(i))),
          )
          expect(valuesOf(decodeDataPage({ header, bytes }, { decoder, leaf }), count)).to.deep.equal(
            expected,
          )
        },
      ),
    )
  })

  it('have levels that are one run of a value, or are not', () => {
    const isOne = (bytes: number[], count: number, width = 1) =>
      isOneRun(Buffer.from(bytes), 0, bytes.length, width, { value: 1, count })
    expect(isOne([200, 1, 1], 100)).to.equal(true)
    expect(isOne([200, 1, 1], 101), 'fewer').to.equal(false)
    expect(isOne([200, 1, 0], 100), 'another value').to.equal(false)
    expect(isOne([201, 1, 1], 100), 'packed bits').to.equal(false)
    expect(isOne([200, 1], 100), 'cut off').to.equal(false)
    expect(isOne([200], 100), 'cut off in its length').to.equal(false)
    expect(isOne([200, 1, 1, 1], 100, 9), 'wide').to.equal(false)
  })

  it('have runs of a value that is not too high', () => {
    const read = (bytes: number[], most: number) => [
      ...readHybrid(Buffer.from(bytes), 0, bytes.length, 32, 2, most),
    ]
    expect(read([4, 5, 0, 0, 0], 5)).to.deep.equal([5, 5])
    expect(() => read([4, 6, 0, 0, 0], 5)).to.throw('A value is too high')
    expect(() => read([4, 0, 0, 0, 128], 5), 'below 0 in 32 bits').to.throw('A value is too high')
    expect(() => readHybrid(Buffer.from([4]), 0, 1, 0, 2, -1), 'an empty dictionary').to.throw('too high')
  })

  it('have integers of any width', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 31 }),
        fc.array(fc.nat(), { maxLength: 200 }),
        (width, numbers) => {
          const values = numbers.map(number => number % 2 ** width)
          const groups = Math.ceil(values.length / 8)
          const bits = Array.from({ length: groups * 8 }, (_, i) => BigInt(values[i] ?? 0))
          const packed = bits.reduceRight((all, value) => (all << BigInt(width)) | value, 0n)
          const bytes = Buffer.alloc(1 + groups * width)
          bytes[0] = (groups << 1) | 1
          for (let i = 0; i < groups * width; i++) bytes[1 + i] = Number((packed >> BigInt(i * 8)) & 0xffn)
          const read = (most: number) => [...readHybrid(bytes, 0, bytes.length, width, values.length, most)]
          const greatest = Math.max(-1, ...values)
          expect(read(greatest)).to.deep.equal(values)
          if (values.length > 0) expect(() => read(greatest - 1)).to.throw('A value is too high')
        },
      ),
    )
  })
})

/** Reads a copy, so that neither reader sees what the other may have changed. */
function readByHyparquet(
  { header, bytes }: UnpackedPage,
  decoder: PageDecoder,
  dictionary: DecodedArray | undefined,
): DecodedArray {
  const view = new DataView(Uint8Array.from(bytes).buffer)
  return readPage({ view, offset: 0 }, header, decoder, dictionary, undefined, 0).data!
}

const valuesOf = (chunk: ColumnChunk, count: number): unknown[] =>
  Array.from({ length: count }, (_, row) => chunk.at(row))
