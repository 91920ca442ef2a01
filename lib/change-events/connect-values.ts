import { types } from 'node:util'
import { LongNumber } from '../values/exact-json.ts'
import { dateText, type SecondDigits, timestampText, timeText } from '../values/time/temporal-text.ts'
import { decimalText, readUnscaled } from '../values/unscaled-decimal.ts'
import { bitsText, geometryText, hstoreText, mapEntries } from './connect-structs.ts'
import { ConnectValueError } from './connect-value-error.ts'

/** A schema, as Kafka Connect's JSON converter writes it with each payload. */
export interface ConnectSchema {
  readonly type?: string
  /** The logical type, if it has one. */
  readonly name?: string
  readonly parameters?: Readonly<Record<string, string>>
  readonly fields?: readonly (ConnectSchema & { readonly field: string })[]
  readonly items?: ConnectSchema
}

type Decode = (value: unknown, schema: ConnectSchema) => unknown

/** The numbers that the PostgreSQL connector sends for `infinity` and `-infinity`, in any unit. */
const INFINITIES = new Map([
  [9223372036825200000n, 'infinity'],
  [-9223372036832400000n, '-infinity'],
])

const TIMESTAMP = { separator: ' ', zone: '', decimals: 'shortest' } as const

const days: Decode = value => dateText(integer(value))
const timeOf =
  (digits: SecondDigits): Decode =>
  value =>
    timeText(integer(value), digits, 'shortest')
const timestampOf =
  (digits: SecondDigits): Decode =>
  value =>
    infinity(value) ?? timestampText(integer(value), digits, TIMESTAMP)

const geometry: Decode = value => {
  const { wkb, srid } = struct(value)
  return geometryText(bytes(wkb), srid === null || srid === undefined ? undefined : integer(srid))
}
const vector: Decode = value => {
  if (!Array.isArray(value)) throw new ConnectValueError('has no array where its schema says a vector')
  return `[${value.map(numberText).join(',')}]`
}

/**
 * The logical types whose values have to be decoded. PostgreSQL reads logical types that are text
 * (ZonedTimestamp, Interval, Json, Uuid, Enum and others) as they are. Other types of Debezium's are
 * rejected.
 * @see https://debezium.io/documentation/reference/stable/connectors/postgresql.html#postgresql-data-types
 * @see https://kafka.apache.org/38/javadoc/org/apache/kafka/connect/data/package-summary.html
 */
const LOGICAL_TYPES: Readonly<Record<string, Decode>> = {
  'io.debezium.time.Date': days,
  'org.apache.kafka.connect.data.Date': days,
  'io.debezium.time.Time': timeOf(3),
  'org.apache.kafka.connect.data.Time': timeOf(3),
  'io.debezium.time.MicroTime': timeOf(6),
  'io.debezium.time.NanoTime': timeOf(9),
  'io.debezium.time.Timestamp': timestampOf(3),
  'org.apache.kafka.connect.data.Timestamp': timestampOf(3),
  'io.debezium.time.MicroTimestamp': timestampOf(6),
  'io.debezium.time.NanoTimestamp': timestampOf(9),
  'io.debezium.time.MicroDuration': value => `${integer(value)} microseconds`,
  'io.debezium.time.NanoDuration': timeOf(9),
  'io.debezium.time.Year': value => Number(integer(value)),
  'org.apache.kafka.connect.data.Decimal': (value, { parameters }) =>
    // the converter's decimal.format NUMERIC sends a number
    typeof value === 'number' || typeof value === 'bigint' || value instanceof LongNumber
      ? plain(unrounded(value))
      : decimal(bytes(value), integer(parameters?.scale)),
  'io.debezium.data.VariableScaleDecimal': value => {
    const { scale, value: unscaled } = value as Record<string, unknown>
    return decimal(bytes(unscaled), integer(scale))
  },
  'io.debezium.data.Bits': (value, { parameters }) => {
    const length = parameters?.length
    if (length === undefined) {
      throw new ConnectValueError(
        'is of type io.debezium.data.Bits, and its schema does not have the number of bits',
      )
    }
    return bitsText(bytes(value), Number(integer(length)), parameters?.['__debezium.source.column.type'])
  },
  'io.debezium.data.geometry.Point': value => {
    const { x, y } = struct(value)
    return `(${numberText(x)},${numberText(y)})`
  },
  'io.debezium.data.geometry.Geometry': geometry,
  'io.debezium.data.geometry.Geography': geometry,
  'io.debezium.data.DoubleVector': vector,
  'io.debezium.data.FloatVector': vector,
  'io.debezium.data.SparseVector': value => {
    const { dimensions, vector: elements } = struct(value)
    const texts = mapEntries(elements).map(([at, element]) => `${integer(at)}:${numberText(element)}`)
    return `{${texts.join(',')}}/${integer(dimensions)}`
  },
}

/** The names of Kafka Connect's and Debezium's own types. */
const OWN_TYPE = /^(io\.debezium\.(data|time)|org\.apache\.kafka\.connect\.data)\./

/**
 * Decodes a value of JSON by its schema, into one that PostgreSQL reads. The result is exact, or there is an
 * error. Without a schema the value stays as it is, except that a number too long for JavaScript becomes its
 * digits.
 * @throws ConnectValueError
 */
export function decodeConnectValue(value: unknown, schema: ConnectSchema | undefined): unknown {
  if (value === null || value === undefined || !schema) return plain(value)
  const decode = schema.name === undefined ? undefined : LOGICAL_TYPES[schema.name]
  if (decode) return decode(value, schema)
  if (schema.type !== 'string' && schema.name !== undefined && OWN_TYPE.test(schema.name)) {
    if (typeof value !== 'string')
      throw new ConnectValueError(`is of type ${schema.name}, which is not supported`)
  }
  if (schema.type === 'bytes') return bytes(value)
  if (schema.type === 'array' && Array.isArray(value)) {
    return value.map(element => decodeConnectValue(element, schema.items))
  }
  if (schema.type === 'map') return hstoreText(mapEntries(value).map(hstoreEntry))
  return plain(schema.type === 'int64' ? unrounded(value) : value)
}

/**
 * Returns a value of a type whose digits all count.
 * @throws ConnectValueError for a JavaScript number that cannot have them
 */
function unrounded(value: unknown): unknown {
  if (typeof value !== 'number' || !Number.isInteger(value) || Number.isSafeInteger(value)) return value
  throw new ConnectValueError('was rounded by JSON.parse: pass the text of the message instead')
}

function hstoreEntry([key, value]: [unknown, unknown]): [string, string | null] {
  if (typeof key === 'string' && (typeof value === 'string' || value === null)) return [key, value]
  throw new ConnectValueError('is a map with values other than texts, which hstore cannot hold')
}

function plain(value: unknown): unknown {
  if (value instanceof LongNumber) return value.text
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return value
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, plain(inner)]))
}

function infinity(value: unknown): string | undefined {
  for (const [count, text] of INFINITIES) {
    // a JavaScript number is rounded, and no other time is near
    if (typeof value === 'number' ? value === Number(count) : integer(value) === count) return text
  }
  return undefined
}

function struct(value: unknown): Record<string, unknown> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value))
    return value as Record<string, unknown>
  throw new ConnectValueError('has no structure where its schema says so')
}

function numberText(value: unknown): string {
  if (typeof value === 'number' || typeof value === 'bigint') return String(value)
  const text = value instanceof LongNumber ? value.text : value
  if (typeof text === 'string' && text !== '' && !Number.isNaN(Number(text))) return text
  throw new ConnectValueError('has no number where its schema says so')
}

/** Digits and sign of an int64. */
const MAX_INTEGER_LENGTH = 20

function integer(value: unknown): bigint {
  if (typeof value === 'bigint') return value
  if (typeof value === 'number' && Number.isSafeInteger(value)) return BigInt(value)
  const text = value instanceof LongNumber ? value.text : unrounded(value)
  if (typeof text === 'string' && text.length <= MAX_INTEGER_LENGTH && /^-?\d+$/.test(text))
    return BigInt(text)
  throw new ConnectValueError('has no integer where its schema says so')
}

function bytes(value: unknown): Buffer {
  if (types.isUint8Array(value)) return Buffer.from(value.buffer, value.byteOffset, value.byteLength)
  if (typeof value === 'string' && value.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(value)) {
    return Buffer.from(value, 'base64')
  }
  throw new ConnectValueError('has no base64 where its schema says bytes')
}

function decimal(unscaled: Buffer, scale: bigint): string {
  if (unscaled.length === 0) throw new ConnectValueError('has no digits where its schema says a decimal')
  try {
    return decimalText(readUnscaled(unscaled), Number(scale))
  } catch {
    throw new ConnectValueError('has more digits, or another scale, than any numeric')
  }
}
