import fc from 'fast-check'
import type { SchemaElement } from 'hyparquet'
import { Dictionary, lengthOf, type StoredValues } from '../../../../lib/columnar/stored-values.ts'
import { joinBytes, splitFixed } from '../../../../lib/sources/parquet/pages/plain-values.ts'
import { allocateNew } from '../../../../lib/values/chunk-memory.ts'
import { awkwardText } from '../../../support/values/texts.ts'

/** A column of a file: what its schema says, and values for it. */
export interface StoredColumn {
  readonly element: SchemaElement
  readonly values: fc.Arbitrary<StoredValues>
}

/** Many enough that a row which is refused has others before and after it. */
const SIZE = { maxLength: 80, size: 'max' } as const
const texts = fc.oneof(
  awkwardText,
  fc.string({ maxLength: 200 }),
  fc.constantFrom('12', '2026-02-03', 'true'),
)

const int32 = (value: fc.Arbitrary<number> = fc.integer()) =>
  fc.array(value, SIZE).map((values): StoredValues => ({ kind: 'int32', values: Int32Array.from(values) }))
const int64 = (value: fc.Arbitrary<bigint>) =>
  fc.array(value, SIZE).map((values): StoredValues => ({ kind: 'int64', values: BigInt64Array.from(values) }))
const bytes = (value: fc.Arbitrary<Uint8Array>) =>
  fc.array(value, SIZE).map((values): StoredValues => joinBytes(values))
const fixed = (length: number) =>
  fc
    .array(fc.uint8Array({ minLength: length, maxLength: length }), SIZE)
    .map((values): StoredValues => splitFixed(Buffer.concat(values), values.length, length, allocateNew))

const anyInt64 = fc.oneof(
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  fc.integer().map(BigInt),
  fc.bigInt({ min: -(2n ** 54n), max: 2n ** 54n }),
)
const days = fc.oneof(
  fc.integer(),
  fc.integer({ min: -800_000, max: 3_000_000 }),
  fc.integer({ min: 0, max: 30_000 }),
)
const units = (perSecond: bigint) =>
  fc.oneof(
    anyInt64,
    fc.integer({ min: -2_000_000_000, max: 8_000_000_000 }).map(seconds => BigInt(seconds) * perSecond),
    fc
      .tuple(fc.integer({ min: 0, max: 2_000_000_000 }), fc.integer({ min: 0, max: 999_999 }))
      .map(([seconds, part]) => BigInt(seconds) * perSecond + BigInt(part)),
  )
const int96 = fc
  .array(
    fc.tuple(
      fc.oneof(fc.integer({ min: 0, max: 86_399 }).map(BigInt), anyInt64),
      fc.constantFrom(1n, 1000n, 1_000_000_000n),
      fc.integer({ min: 2_400_000, max: 2_500_000 }),
    ),
    SIZE,
  )
  .map((values): StoredValues => {
    const words = values.flatMap(([count, unit, day]) => {
      const nanos = BigInt.asUintN(64, count * unit)
      return [Number(BigInt.asIntN(32, nanos)), Number(BigInt.asIntN(32, nanos >> 32n)), day]
    })
    return { kind: 'int96', words: Int32Array.from(words) }
  })

const element = (more: Partial<SchemaElement>): SchemaElement => ({
  name: 'v',
  repetition_type: 'OPTIONAL',
  ...more,
})
const column = (values: fc.Arbitrary<StoredValues>, more: Partial<SchemaElement>): StoredColumn => ({
  element: element(more),
  values,
})
const timestamp = (unit: 'MILLIS' | 'MICROS' | 'NANOS', isAdjustedToUTC: boolean, perSecond: bigint) =>
  column(int64(units(perSecond)), {
    type: 'INT64',
    logical_type: { type: 'TIMESTAMP', unit, isAdjustedToUTC },
  })
const decimal = (values: fc.Arbitrary<StoredValues>, type: SchemaElement['type'] & string, scale: number) =>
  column(values, { type, converted_type: 'DECIMAL', precision: 30, scale })

/** Integers of up to 50 bytes, many of which end in zeros. */
const unscaled = fc
  .tuple(fc.bigInt({ min: -(2n ** 200n), max: 2n ** 200n }), fc.nat(190), fc.nat(60))
  .map(([integer, less, zeros]) => {
    const shown = (integer >> BigInt(less)) * 10n ** BigInt(zeros)
    return Buffer.from(BigInt.asUintN(400, shown).toString(16).padStart(100, '0'), 'hex')
  })

/** Columns of every meaning, and of every kind of values. */
export const STORED_COLUMNS: readonly StoredColumn[] = [
  column(int32(), { type: 'INT32' }),
  column(int32(), { type: 'INT32', converted_type: 'UINT_32' }),
  column(int32(fc.integer({ min: -200, max: 200 })), { type: 'INT32', converted_type: 'INT_16' }),
  column(int64(anyInt64), { type: 'INT64' }),
  column(int64(anyInt64), { type: 'INT64', converted_type: 'UINT_64' }),
  column(
    fc
      .array(fc.double(), SIZE)
      .map((values): StoredValues => ({ kind: 'float64', values: Float64Array.from(values) })),
    { type: 'DOUBLE' },
  ),
  column(
    fc
      .array(fc.float(), SIZE)
      .map((values): StoredValues => ({ kind: 'float32', values: Float32Array.from(values) })),
    { type: 'FLOAT' },
  ),
  column(
    fc
      .array(fc.nat(1), SIZE)
      .map((values): StoredValues => ({ kind: 'boolean', values: Int32Array.from(values) })),
    { type: 'BOOLEAN' },
  ),
  column(bytes(texts.map(text => Buffer.from(text))), { type: 'BYTE_ARRAY', converted_type: 'UTF8' }),
  column(
    bytes(fc.constantFrom('[]', '["a",1]', '{"a":[1]}', '"x"', ' 1.50').map(json => Buffer.from(json))),
    {
      type: 'BYTE_ARRAY',
      converted_type: 'JSON',
    },
  ),
  column(bytes(fc.json().map(json => Buffer.from(json))), { type: 'BYTE_ARRAY', converted_type: 'JSON' }),
  column(bytes(fc.uint8Array({ maxLength: 120 })), { type: 'BYTE_ARRAY' }),
  column(fixed(16), { type: 'FIXED_LEN_BYTE_ARRAY', type_length: 16, logical_type: { type: 'UUID' } }),
  column(fixed(2), { type: 'FIXED_LEN_BYTE_ARRAY', type_length: 2, logical_type: { type: 'FLOAT16' } }),
  column(fixed(12), { type: 'FIXED_LEN_BYTE_ARRAY', type_length: 12, converted_type: 'INTERVAL' }),
  column(int32(days), { type: 'INT32', converted_type: 'DATE' }),
  column(int32(fc.integer({ min: 0, max: 86_399_999 })), { type: 'INT32', converted_type: 'TIME_MILLIS' }),
  column(int96, { type: 'INT96' }),
  ...[true, false].flatMap(utc => [
    timestamp('MILLIS', utc, 1000n),
    timestamp('MICROS', utc, 1_000_000n),
    timestamp('NANOS', utc, 1_000_000_000n),
  ]),
  ...[0, 2, 3, 4, 9, 18, 40].flatMap(scale => [
    decimal(int32(), 'INT32', scale),
    decimal(int64(anyInt64), 'INT64', scale),
    decimal(bytes(fc.oneof(fc.uint8Array({ maxLength: 14 }), unscaled)), 'BYTE_ARRAY', scale),
    decimal(fixed(16), 'FIXED_LEN_BYTE_ARRAY', scale),
  ]),
]

/** Any of these may have the indexes of a dictionary. */
export const INDEX_TYPES = [Uint8Array, Uint16Array, Int32Array]

/** The same values behind indexes of a dictionary, or as they are. */
export function maybeDictionary(values: StoredValues): fc.Arbitrary<StoredValues> {
  const length = lengthOf(values)
  if (length === 0) return fc.constant(values)
  const behind = fc.tuple(fc.array(fc.nat(length - 1), { ...SIZE }), fc.constantFrom(...INDEX_TYPES)).map(
    ([indexes, ofBytes]): StoredValues => ({
      kind: 'dictionary',
      indexes: ofBytes.from(indexes),
      dictionary: new Dictionary(values),
    }),
  )
  return fc.oneof(fc.constant(values), behind)
}

/** For each row the index of its value, or -1; undefined where no row is NULL. */
export function positionsFor(values: StoredValues): fc.Arbitrary<Int32Array | undefined> {
  const length = lengthOf(values)
  const shuffled = fc
    .array(fc.boolean(), { minLength: length, maxLength: length })
    .map(nulls => Int32Array.from(nulls.flatMap((isNull, index) => (isNull ? [-1, index] : [index]))))
  return fc.oneof(fc.constant(undefined), shuffled)
}
