import { expect } from 'chai'
import { codecFor } from '../../../lib/encode/codecs/codec-for.ts'
import { ByteBuffer } from '../../../lib/encode/wire/byte-buffer.ts'
import { SlabPool } from '../../../lib/encode/wire/slabs.ts'
import type { PgType } from '../../../lib/types.ts'

const builtIn = (name: string): PgType => ({ oid: 0, name, sqlName: name, builtIn: true, kind: 'base' })

const of = (extension: string, name: string): PgType => ({ ...builtIn(name), builtIn: false, extension })

/** The field's bytes in hex without their length, which is checked, or false. */
function field(type: PgType, value: unknown): string | false {
  const out = new ByteBuffer(new SlabPool(4).lease())
  if (!codecFor(type).binary!(out, value)) return false
  const bytes = out.take()
  expect(bytes.readInt32BE(0)).to.equal(bytes.length - 4)
  return bytes.toString('hex', 4)
}

const NOT_A_DATE = new Date(Number.NaN)

/** Type, value, bytes; false: the server's parser must decide. */
const CASES: readonly (readonly [string, unknown, string | false])[] = [
  ['bool', true, '01'],
  ['bool', 0, '00'],
  ['bool', -0, '00'],
  ['bool', 'off', '00'],
  ['bool', 'TRUE', false],
  ['bool', 2, false],
  ['int2', 32767, '7fff'],
  ['int2', 32768, false],
  ['int2', '-32768', '8000'],
  ['int4', -0, '00000000'],
  ['int4', -1n, 'ffffffff'],
  ['int4', 1.5, false],
  ['int4', '1.0', false],
  ['int4', '-0', '00000000'],
  ['int4', ' 1', false],
  ['int4', '', false],
  ['int4', '-', false],
  ['int4', true, false],
  ['int4', Number.NaN, false],
  ['int8', 2 ** 53 - 1, '001fffffffffffff'],
  ['int8', 2 ** 53, '0020000000000000'],
  ['int8', 2 ** 60, '1000000000000018'], // String(2 ** 60) ends in 7000, which pg sends
  ['int8', 2 ** 63, false],
  ['int8', 1e21, false],
  ['int8', -1, 'ffffffffffffffff'],
  ['int8', -4294967297, 'fffffffeffffffff'],
  ['int8', '-9223372036854775808', '8000000000000000'],
  ['int8', '9223372036854775807', '7fffffffffffffff'],
  ['int8', '9223372036854775808', false],
  ['int8', 2n ** 63n, false],
  ['int8', '9007199254740993', '0020000000000001'],
  ['float8', -0, '0000000000000000'],
  ['float8', '-0', '8000000000000000'],
  ['float8', 0.1, '3fb999999999999a'],
  ['float8', '0.1', '3fb999999999999a'],
  ['float8', Number.NaN, '7ff8000000000000'],
  ['float8', '-Infinity', 'fff0000000000000'],
  ['float8', '1e400', false],
  ['float8', '1e-400', false],
  ['float8', '0e-400', '0000000000000000'],
  ['float8', 5e-324, '0000000000000001'],
  ['float8', 'inf', false],
  ['float8', '0x10', false],
  ['float4', 0.1, '3dcccccd'],
  ['float4', 1 + 2 ** -24, false],
  ['float4', 1 + 2 ** -24 + 2 ** -52, '3f800001'],
  ['float4', 16777217, false],
  ['float4', 1e39, false],
  ['float4', 3.4028235677973366e38, false],
  ['float4', 1e-50, false],
  ['float4', Number.POSITIVE_INFINITY, '7f800000'],
  ['text', 'a\tb', '610962'],
  ['text', '\ud800', 'efbfbd'],
  ['text', { a: 1 }, '7b2261223a317d'],
  ['text', { toPostgres: () => null }, false],
  ['name', 'n'.repeat(63), '6e'.repeat(63)],
  ['name', 'n'.repeat(64), false],
  ['name', 'é'.repeat(32), false],
  ['bytea', '\\xDEad', 'dead'],
  ['bytea', '\\x', ''],
  ['bytea', '\\xabc', false],
  ['bytea', '\\x zz', false],
  ['bytea', 'plain', '706c61696e'],
  ['bytea', 'back\\slash', false],
  ['bytea', 'é', false],
  ['uuid', 'A0EEBC99-9c0b-4ef8-bb6d-6bb9bd380a11', 'a0eebc999c0b4ef8bb6d6bb9bd380a11'],
  ['uuid', 'a0eebc999c0b4ef8bb6d6bb9bd380a11', false],
  ['uuid', '{0eebc99-9c0b-4ef8-bb6d-6bb9bd380a1}', false],
  ['uuid', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a1\u0161', false],
  ['date', '2000-01-01', '00000000'],
  ['date', '1999-12-31T23:59:59Z', 'ffffffff'],
  ['date', '2000-02-29', '0000003b'],
  ['date', '1900-02-29', false],
  ['date', '0000-01-01', false],
  ['date', '0001-12-31 BC', 'fff4dbf8'],
  ['date', '4714-11-23 BC', false],
  ['date', 'infinity', '7fffffff'],
  ['date', NOT_A_DATE, false],
  ['time', '23:59:59.999999', '000000141dd75fff'],
  ['time', '24:00:00', false],
  ['time', '23:59:60', false],
  ['time', '10:00+01', false],
  ['timetz', '00:00+01:30', '0000000000000000ffffeae8'],
  ['timetz', '00:00', false],
  ['timestamp', '2000-01-01 00:00:00.000001', '0000000000000001'],
  ['timestamp', '2000-01-01T00:00:00+05', '0000000000000000'],
  ['timestamp', '2000-01-01 00:00:00.0000001', false],
  ['timestamp', NOT_A_DATE, false],
  ['timestamptz', new Date('2000-01-01T00:00:00.001Z'), '00000000000003e8'],
  ['timestamptz', new Date('1999-12-31T23:59:59.999Z'), 'fffffffffffffc18'],
  ['timestamptz', new Date(8.64e15), (BigInt(8.64e15 - 946684800000) * 1000n).toString(16)],
  ['timestamptz', new Date(-8.64e15), false],
  ['timestamptz', NOT_A_DATE, false],
  ['timestamptz', '2000-01-01T01:00:00+01', '0000000000000000'],
  ['timestamptz', '2000-01-01T00:00:00', false],
  ['timestamptz', '2000-01-01', false],
  ['timestamptz', '2000-01-01T00:00:00-15:59:59', '0000000d692afdc0'],
  ['timestamptz', '2000-01-01T00:00:00+16', false],
  ['timestamptz', '4714-11-24 00:00:00+01 BC', false],
  ['timestamptz', '-infinity', '8000000000000000'],
  ['interval', '1 year 2 mons -3 days', `${'00'.repeat(8)}fffffffd0000000e`],
  ['interval', '-1 days 01:00:00', false],
  ['interval', '-1 days -01:00:00', 'ffffffff296c5c00ffffffff00000000'],
  ['interval', '5', false],
  ['interval', '1 day 1 day', false],
  ['interval', '1.5 days', false],
  ['interval', '6.789 seconds', '00000000006797880000000000000000'],
  ['json', [1, 2], '5b312c325d'],
  ['jsonb', { a: 1 }, '017b2261223a317d'],
  ['jsonb', '', '01'],
  ['inet', '1.2.3.4', '0220000401020304'],
  ['inet', '01.2.3.4', false],
  ['inet', '1.2.3.256', false],
  ['inet', '1.2.3.4/33', false],
  ['inet', '::1/64', `03400010${'00'.repeat(15)}01`],
  ['inet', '::ffff:1.2.3.4', false],
  ['cidr', '10.0.0.0/8', '020801040a000000'],
  ['cidr', '10.0.0.1/8', false],
  ['cidr', '::/0', `03000110${'00'.repeat(16)}`],
  ['macaddr', '08:00:2B:01:02:03', '08002b010203'],
  ['macaddr', '08-00-2b-01-02-03', '08002b010203'],
  ['macaddr', '08:00-2b:01:02:03', false],
  ['macaddr', '08002b010203', false],
  ['macaddr8', '08:00:2b:01:02:03:04:05', '08002b0102030405'],
  ['macaddr8', '08:00:2b:01:02:03', false],
  ['bit', '101', '00000003a0'],
  ['varbit', '', '00000000'],
  ['varbit', '101010101', '00000009aa80'],
  ['bit', 101, '00000003a0'],
  ['bit', 'x1f', false],
  ['bit', '2', false],
  ['char', 'a', '61'],
  ['char', '', '00'],
  ['char', 5, '35'],
  ['char', 'ab', false],
  ['char', 'é', false],
  ['char', '\0', false],
  ['oid', 4294967295, 'ffffffff'],
  ['oid', '4294967296', false],
  ['oid', -1, false],
  ['regclass', '1259', '000004eb'],
  ['regclass', 'pg_class', false],
  ['pg_lsn', '16/B374D848', '00000016b374d848'],
  ['pg_lsn', '16', false],
  ['xml', '<a>é</a>', '3c613ec3a93c2f613e'],
  ['xml', '<?xml version="1.0"?><a/>', false],
  ['xml', '<a>\0</a>', false],
  ['jsonpath', '$', '0124'],
]

const MONEY: readonly (readonly [unknown, string | false])[] = [
  ['12.5', '00000000000004e2'],
  [-0.01, 'ffffffffffffffff'],
  ['9999999999999.99', '00038d7ea4c67fff'],
  ['1.005', false],
  ['$1', false],
  ['1,000', false],
  ['99999999999999', false],
]

const RANGES: readonly (readonly [unknown, string | false])[] = [
  ['empty', '01'],
  ['(,)', '18'],
  ['[1,2)', '02 00000004 00000001 00000004 00000002'],
  ['("1",2]', '04 00000004 00000001 00000004 00000002'],
  ['[1,]', '12 00000004 00000001'],
  ['[1.5,2)', false],
  [' [1,2)', false],
  ['[1,2) ', false],
  ['[1,2', false],
  ['[1,2,3)', false],
  ['["",2)', false],
  ['emptyx', false],
]

const MULTIRANGES: readonly (readonly [unknown, string | false])[] = [
  ['{}', '00000000'],
  ['{empty}', '00000001 00000001 01'],
  ['{(,1), [2,)}', '00000002 00000009 08 00000004 00000001 00000009 12 00000004 00000002'],
  ['{(,1)', false],
  ['{(,1),}', false],
  ['[1,2)', false],
]

const COMPOSITES: readonly (readonly [unknown, string | false])[] = [
  ['(1,a)', '00000002 00000017 00000004 00000001 00000019 00000001 61'],
  ['(,)', '00000002 00000017 ffffffff 00000019 ffffffff'],
  ['(1,"")', '00000002 00000017 00000004 00000001 00000019 00000000'],
  ['(1," ,""\\" ")', '00000002 00000017 00000004 00000001 00000019 00000005 202c222220'],
  ['(1)', false],
  ['(1,a,b)', false],
  ['(x,a)', false],
  ['(1,a', false],
  [' (1,a)', false],
]

const HSTORES: readonly (readonly [unknown, string | false])[] = [
  ['', '00000000'],
  ['"a"=>"1"', '00000001 00000001 61 00000001 31'],
  ['a => NULL, "n"=>"NULL"', '00000002 00000001 61 ffffffff 00000001 6e 00000004 4e554c4c'],
  ['"\\"\\\\"=>1', '00000001 00000002 225c 00000001 31'],
  ['a=>1,a=>2', false],
  ['a=>1,', false],
  ['a', false],
  [{ a: '1' }, false],
]

/** Count of digits, weight, sign, scale, digits. */
const NUMERICS: readonly (readonly [unknown, string | false])[] = [
  ['0', '0000 ffff 0000 0000'],
  [-0, '0000 ffff 0000 0000'],
  ['0.00', '0000 ffff 0000 0002'],
  ['-0', '0000 ffff 0000 0000'],
  ['-1', '0001 0000 4000 0000 0001'],
  ['12345.678', '0003 0001 0000 0003 0001 0929 1a7c'],
  [12345.678, '0003 0001 0000 0003 0001 0929 1a7c'],
  ['0.0001', '0001 ffff 0000 0004 0001'],
  ['0.00001', '0001 fffe 0000 0005 03e8'],
  ['100000000000000', '0004 0003 0000 0000 0064 0000 0000 0000'],
  ['1000000000000000', '0001 0003 0000 0000 03e8'],
  ['1e20', '0001 0005 0000 0000 0001'],
  [1e21, '0001 0005 0000 0000 000a'],
  [1.5e-7, '0001 fffe 0000 0008 000f'],
  ['1.50e1', '0001 0000 0000 0001 000f'],
  [10n ** 20n, '0001 0005 0000 0000 0001'],
  ['NaN', '0000 0000 c000 0000'],
  [Number.NEGATIVE_INFINITY, '0000 0000 f000 0000'],
  ['1e131072', false],
  ['1e-16384', false],
  ['.5', false],
  ['5.', false],
  ['+5', false],
  ['1_0', false],
  ['', false],
  ['-', false],
  ['1e', false],
  [true, false],
]

const VECTORS: readonly (readonly [unknown, string | false])[] = [
  [[1, -2.5], '0002 0000 3f800000 c0200000'],
  [[-0], '0001 0000 00000000'],
  [['0.1', 1n], '0002 0000 3dcccccd 3f800000'],
  ['[1, -0]', '0002 0000 3f800000 80000000'],
  [Float32Array.of(0.1), '0001 0000 3dcccccd'],
  [Float64Array.of(0.1), '0001 0000 3dcccccd'],
  [Uint8Array.of(1), false],
  [[1 + 2 ** -24], false],
  [[Number.NaN], false],
  [[1e39], false],
  [[1, null], false],
  [[], false],
  ['[1,]', false],
  ['[1', false],
  [new Array(16_001).fill(1), false],
]

const HALF_VECTORS: readonly (readonly [unknown, string | false])[] = [
  [[1, -2.5, 65_504], '0003 0000 3c00 c100 7bff'],
  [[65_519, 2 ** -24, 2 ** -25, 3 * 2 ** -25], '0004 0000 7bff 0001 0000 0002'],
  [[1 + 2 ** -11, 1 + 3 * 2 ** -11], '0002 0000 3c00 3c02'],
  [[65_520], false],
]

const SPARSE_VECTORS: readonly (readonly [unknown, string | false])[] = [
  [[0, 1.5, 0], '00000003 00000001 00000000 00000001 3fc00000'],
  ['{2:1.5}/3', '00000003 00000001 00000000 00000001 3fc00000'],
  ['{1:0,2:1}/3', '00000003 00000001 00000000 00000001 3f800000'],
  ['{}/2', '00000002 00000000 00000000'],
  ['{2:1,1:1}/3', false],
  ['{4:1}/3', false],
  ['{0:1}/3', false],
  ['{1:1e-50}/3', false],
  ['{1:1}', false],
]

const GEOMETRIES: readonly (readonly [unknown, string | false])[] = [
  [{ type: 'Point', coordinates: [1, -0] }, '00 00000001 3ff0000000000000 0000000000000000'],
  ['00000000013ff00000000000000000000000000000', '00 00000001 3ff0000000000000 0000000000000000'],
  [{ type: 'MultiPoint', coordinates: [[0, 0, 0]] }, `00 80000004 00000001 00 80000001 ${'0'.repeat(48)}`],
  [{ type: 'Point', coordinates: [1, 2], id: 1 }, false],
  [{ type: 'Point', coordinates: [1, 2, 3, 4] }, false],
  [{ type: 'LineString', coordinates: [[1, 2]] }, false],
  [{ type: 'MultiPoint', coordinates: Object.assign(new Array(2), { 0: [1, 2] }) }, false],
  ['POINT(1 2)', false],
  ['00000000013ff0000000000000000000000000000', false],
  ['0000000003000000010000000400', false],
]

describe('binary codecs', () => {
  for (const [name, value, expected] of CASES) {
    it(`${name} ${describeValue(value)} is ${expected === false ? 'left to the server' : expected.slice(0, 40)}`, () => {
      expect(field(builtIn(name), value)).to.equal(expected)
    })
  }

  for (const [value, expected] of NUMERICS) {
    it(`numeric ${describeValue(value)} is ${expected === false ? 'left to the server' : expected}`, () => {
      expect(field(builtIn('numeric'), value)).to.equal(
        expected === false ? false : expected.replaceAll(' ', ''),
      )
    })
  }

  const integer: PgType = { ...builtIn('int4'), oid: 23 }
  const range: PgType = { ...builtIn('int4range'), kind: 'range', subtype: integer }
  const built: readonly (readonly [PgType, readonly (readonly [unknown, string | false])[]])[] = [
    [{ ...builtIn('money'), monetaryLocale: 'en_US.utf8' }, MONEY],
    [range, RANGES],
    [{ ...builtIn('int4multirange'), kind: 'multirange', subtype: range }, MULTIRANGES],
    [
      { ...builtIn('pair'), kind: 'composite', attributes: [integer, { ...builtIn('text'), oid: 25 }] },
      COMPOSITES,
    ],
    [of('hstore', 'hstore'), HSTORES],
    [of('vector', 'vector'), VECTORS],
    [of('vector', 'halfvec'), HALF_VECTORS],
    [of('vector', 'sparsevec'), SPARSE_VECTORS],
    [of('postgis', 'geometry'), GEOMETRIES],
  ]
  for (const [type, cases] of built) {
    for (const [value, expected] of cases) {
      it(`${type.name} ${describeValue(value)} is ${expected === false ? 'left to the server' : expected}`, () => {
        expect(field(type, value)).to.equal(expected === false ? false : expected.replaceAll(' ', ''))
      })
    }
  }

  it('have no money where the locale may have no cents', () => {
    for (const monetaryLocale of ['de_DE.UTF-8', 'ja_JP.utf8', 'English_United States.1252', '']) {
      expect(codecFor({ ...builtIn('money'), monetaryLocale }).binary, monetaryLocale).to.equal(undefined)
    }
  })

  it('put arrays of any rectangular shape, with NULLs', () => {
    const type: PgType = { ...builtIn('_int2'), kind: 'array', element: { ...builtIn('int2'), oid: 21 } }
    const header = (dimensions: number, hasNull: number): string =>
      `0000000${dimensions}0000000${hasNull}00000015`
    expect(field(type, [])).to.equal(header(0, 0))
    expect(field(type, [1, null])).to.equal(`${header(1, 1)}0000000200000001000000020001ffffffff`)
    expect(field(type, [[1], ['2']])).to.equal(
      `${header(2, 0)}00000002000000010000000100000001000000020001000000020002`,
    )
    const odd = [
      [[]],
      [[1], [2, 3]],
      [1, [2]],
      [[1], 2],
      [1.5],
      '{1}',
      { 0: 1 },
      [[[[[[[1]]]]]]],
      [Buffer.of(0, 1)],
    ]
    const texts: PgType = { ...type, element: { ...builtIn('text'), oid: 25 } }
    expect(field(texts, ['a', ['b']])).to.equal(false)
    for (const value of odd) expect(field(type, value), describeValue(value)).to.equal(false)
  })

  it('are found only by the name of a type in pg_catalog, or of an extension', () => {
    const impostor: PgType = { ...builtIn('int4'), builtIn: false }
    const domain = (base: PgType): PgType => ({ ...impostor, kind: 'domain', base })
    expect(codecFor(impostor).binary).to.equal(undefined)
    for (const name of ['citext', 'hstore', 'ltree']) {
      expect(codecFor({ ...impostor, name }).binary, name).to.equal(undefined)
      expect(codecFor({ ...impostor, name, extension: name }).binary, name).to.be.a('function')
    }
    expect(codecFor({ ...builtIn('int4'), isTextOnly: true }).binary).to.equal(undefined)
    expect(codecFor({ ...impostor, kind: 'enum' }).binary).to.be.a('function')
    expect(codecFor(domain(domain(builtIn('int8'))))).to.equal(codecFor(builtIn('int8')))
  })
})

function bigintText(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? `${value}n` : value
}

function describeValue(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.slice(0, 40))
  if (value instanceof Date) return `Date ${value.getTime()}`
  if (Object.is(value, -0)) return '-0'
  return typeof value === 'object' ? JSON.stringify(value, bigintText).slice(0, 60) : String(value)
}
