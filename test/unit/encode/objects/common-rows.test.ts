import { expect } from 'chai'
import fc from 'fast-check'
import sinon from 'sinon'
import { makeRowEncoder, type RowEncoder } from '../../../../lib/encode/row-encoder.ts'
import { ValueError } from '../../../../lib/encode/value-error.ts'
import { ByteBuffer } from '../../../../lib/encode/wire/byte-buffer.ts'
import { SlabPool } from '../../../../lib/encode/wire/slabs.ts'
import { column } from '../../../support/column.ts'
import { thorough } from '../../../support/thorough.ts'

const TYPES = ['bool', 'int2', 'int4', 'int8', 'float8', 'numeric', 'text', 'timestamptz', 'jsonb', 'json']
const COLUMNS = [...TYPES, 'uuid', 'date'].map(name => column(name)).concat(column('constructor', 'text'))

const FIRST_ORDINAL = 100

/** The bytes of rows, or the reason why one of them has none. */
interface Encoded {
  readonly bytes: string
  readonly refused: string[]
  /** How many rows were written by `rows`. */
  readonly common: number
}

function encode(encoder: RowEncoder, rows: readonly object[], slabBytes: number): Encoded {
  const out = new ByteBuffer(new SlabPool(slabBytes).lease())
  const list = { length: rows.length, at: (index: number) => rows[index]!, itemAt: (index: number) => index }
  const refused: string[] = []
  let common = 0
  for (let index = 0; index < rows.length; ) {
    const next = encoder.rows?.(out, list, index, FIRST_ORDINAL, 1e9) ?? index
    common += next - index
    index = next
    if (index === rows.length) break
    try {
      const column = encoder.row(out, rows[index]!, FIRST_ORDINAL + index)
      if (column !== undefined) refused.push(`${index} needs text for ${column}`)
    } catch (error) {
      expect(error).to.be.instanceOf(ValueError)
      refused.push(`${index} ${(error as Error).message}`)
    }
    index++
  }
  return { bytes: out.take().toString('hex'), refused, common }
}

const boom = () => {
  throw new Error('boom')
}

const VALUES: readonly unknown[] = [
  ...[
    null,
    undefined,
    true,
    false,
    0,
    -0,
    1,
    -1,
    0x7fff,
    0x8000,
    -0x8000,
    2 ** 31,
    -(2 ** 31),
    2 ** 53,
    1e21,
  ],
  ...[
    1.5,
    -12.34,
    0.0001,
    1e-7,
    12345.6789,
    99_999_999.9999,
    123_456_789.25,
    Number.NaN,
    Infinity,
    7n,
    2n ** 70n,
  ],
  ...[
    '',
    '0',
    '-0',
    '-0.00',
    '7',
    '-12.5',
    '0.00',
    '10000',
    '12345678.0001',
    '123456789',
    '1.23456',
    '1.',
    '.5',
    '-',
  ],
  ...[
    'amber',
    'é',
    '\ud800',
    '😀'.repeat(30),
    'x'.repeat(39),
    'x'.repeat(41),
    'x'.repeat(600),
    'x'.repeat(5000),
    'é'.repeat(5000),
    'true',
    'yes',
  ],
  ...['2024-02-29T12:34:56.789Z', '2024-02-29', 'infinity', '936da01f-9abd-4d9d-80c7-02af85c822a8'],
  ...[new Date(0), new Date(1.7e12), new Date(-1e14), new Date(-3e14), new Date(Number.NaN)],
  ...[
    Object.create(Date.prototype),
    new Proxy(new Date(0), {}),
    Object.assign(new Date(0), { getTime: () => 5 }),
  ],
  ...[
    {},
    { a: 1, b: [true, null, { c: 'd' }] },
    [1, 'x'],
    { n: -1.5, s: '"', u: undefined },
    { k: 'y'.repeat(300) },
    Array(900).fill({ k: 'long' }),
  ],
  ...[Buffer.from('bytes'), { toPostgres: () => null }, { toPostgres: () => '7' }, { toPostgres: boom }],
  ...[{ toJSON: () => 'x' }, { toJSON: boom }, { at: new Date(0) }, { method() {} }, Symbol('s')],
]

const row = fc
  .array(fc.constantFrom(...VALUES), { minLength: COLUMNS.length, maxLength: COLUMNS.length })
  .map(values => Object.fromEntries(COLUMNS.map(({ name }, i) => [name, values[i]])))

/** A row that binary COPY takes, with a value or two that may be another's. */
const nearlyCommon = fc
  .tuple(row, fc.subarray([...COLUMNS], { maxLength: 2 }), fc.integer({ min: 0, max: 9 }))
  .map(([other, odd, number]) => ({
    bool: number > 4,
    int2: number,
    int4: -number,
    int8: number * 1e12,
    float8: number / 7,
    numeric: `${number}.50`,
    text: `text ${number}`,
    timestamptz: new Date(number * 1e11),
    jsonb: { number, tag: 'x', list: [number] },
    json: [{ number }],
    uuid: null,
    ...Object.fromEntries(odd.map(({ name }) => [name, other[name]])),
  }))

describe('makeCommonRows', () => {
  afterEach(() => sinon.restore())

  for (const staging of [undefined, { shape: 3 }]) {
    it(`writes the same bytes as row by row, and refuses the same rows${staging ? ', for a staging table' : ''}`, () => {
      const encoder = makeRowEncoder({ columns: COLUMNS, format: 'binary', staging })
      const { rows: _, ...rowByRow } = encoder
      const seen = { common: 0, refused: 0 }
      fc.assert(
        fc.property(
          fc.array(nearlyCommon, { maxLength: 6 }),
          fc.constantFrom(64, 700, 4096),
          (rows, slab) => {
            // one that gives up after many uncommon rows does so for each run anew
            const actual = encode(makeRowEncoder({ columns: COLUMNS, format: 'binary', staging }), rows, slab)
            const expected = encode(rowByRow, rows, slab)
            expect(actual.bytes).to.equal(expected.bytes)
            expect(actual.refused).to.deep.equal(expected.refused)
            seen.common += actual.common
            seen.refused += actual.refused.length
          },
        ),
        { numRuns: thorough(3000) },
      )
      for (const [what, count] of Object.entries(seen)) expect(count, what).to.be.greaterThan(20)
    })
  }

  it('writes each value of each type as row by row', () => {
    for (const type of [...TYPES, 'uuid', 'date', 'float4', 'name', 'bytea']) {
      const columns = [column('value', type)]
      const encoder = makeRowEncoder({ columns, format: 'binary' })
      const { rows: _, ...rowByRow } = encoder
      const rows = VALUES.map(value => ({ value }))
      const expected = encode(rowByRow, rows, 64)
      for (const slabBytes of [64, 1000, 64 * 1024]) {
        const { bytes, refused } = encode(encoder, rows, slabBytes)
        expect(bytes, type).to.equal(expected.bytes)
        expect(refused, type).to.deep.equal(expected.refused)
      }
    }
  })

  it('writes whole rows where an uncommon value makes room after one that had none', () => {
    const columns = [column('a', 'text'), column('b', 'uuid'), column('c', 'numeric')]
    // the first row of an encoder gets no more room than such a buffer has
    for (let length = 4040; length < 4120; length++) {
      const encoder = makeRowEncoder({ columns, format: 'binary' })
      const { rows: _, ...rowByRow } = encoder
      const rows = [{ a: 'x'.repeat(length), b: '936da01f-9abd-4d9d-80c7-02af85c822a8', c: '1.23456789' }]
      expect(encode(encoder, rows, 4096).bytes, String(length)).to.equal(encode(rowByRow, rows, 64).bytes)
    }
  })

  it('makes no more room for the rows after a huge one', () => {
    const columns = [column('a', 'text'), column('b', 'bytea')]
    const { rows } = makeRowEncoder({ columns, format: 'binary' })
    const out = new ByteBuffer(new SlabPool(64 * 1024).lease())
    const values = [Buffer.alloc(1_000_000), Buffer.alloc(10)]
    const list = {
      length: 2,
      at: (index: number) => ({ b: values[index] }),
      itemAt: (index: number) => index,
    }
    expect(rows!(out, list, 0, FIRST_ORDINAL, 1000)).to.equal(1)
    out.take()
    expect(rows!(out, list, 1, FIRST_ORDINAL, 1000)).to.equal(2)
    expect(out.bytes.length).to.equal(64 * 1024)
  })

  it('leaves a row to the encoder of single rows whose getter throws', () => {
    const columns = ['a', 'b'].map(name => column(name, 'int4'))
    const bad = {
      a: 1,
      get b() {
        return boom()
      },
    }
    const encoder = makeRowEncoder({ columns, format: 'binary' })
    const { bytes, refused, common } = encode(encoder, [{ a: 1, b: 2 }, bad, { a: 3, b: 4 }], 64)
    expect(refused).to.have.length(1)
    expect(refused[0]).to.match(/^1 Column "b": encoding the value threw Error at [^ ]+; see error\.cause$/)
    expect(bytes).to.equal('0002000000040000000100000004000000020002000000040000000300000004' + '00000004')
    expect(common).to.equal(2)
  })

  it('is left out where a process must not make code from strings', () => {
    sinon.stub(globalThis, 'Function').throws(new EvalError('not allowed'))
    const encoder = makeRowEncoder({ columns: COLUMNS, format: 'binary' })
    expect(encoder.rows).to.equal(undefined)
    expect(encode(encoder, [{ int4: 1 }], 64).refused).to.deep.equal([])
  })
})
