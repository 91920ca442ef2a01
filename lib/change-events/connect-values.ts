import { types } from 'node:util'
import { LongNumber } from '../exact-json.ts'
import { decimalText, readUnscaled } from '../unscaled-decimal.ts'
import { dateText, type TimeUnit, timestampText, timeText } from './civil-time.ts'

/** A schema as Kafka Connect's JSON converter writes it beside each payload. */
export interface ConnectSchema {
  readonly type?: string
  /** The logical type, where it has one. */
  readonly name?: string
  readonly parameters?: Readonly<Record<string, string>>
  readonly fields?: readonly (ConnectSchema & { readonly field: string })[]
  readonly items?: ConnectSchema
}

/** Why a value could not be decoded; ends the sentence `Field "x" …` without telling the value. */
export class ConnectValueError extends Error {
  override readonly name = 'ConnectValueError'
}

type Decode = (value: unknown, schema: ConnectSchema) => unknown

/** What the PostgreSQL connector sends for `infinity` and `-infinity`, whatever the unit. */
const INFINITIES = new Map([
  [9223372036825200000n, 'infinity'],
  [-9223372036832400000n, '-infinity'],
])

const days: Decode = value => dateText(integer(value))
const timeOf =
  (unit: TimeUnit): Decode =>
  value =>
    timeText(integer(value), unit)
const timestampOf =
  (unit: TimeUnit): Decode =>
  value =>
    infinity(value) ?? timestampText(integer(value), unit)

/**
 * Logical types whose values say nothing without them. All others (ZonedTimestamp, Interval, Json, Uuid, Enum and so
 * on) are text that PostgreSQL reads as it is.
 * @see https://debezium.io/documentation/reference/stable/connectors/postgresql.html#postgresql-data-types
 * @see https://kafka.apache.org/38/javadoc/org/apache/kafka/connect/data/package-summary.html
 */
const LOGICAL_TYPES: Readonly<Record<string, Decode>> = {
  'io.debezium.time.Date': days,
  'org.apache.kafka.connect.data.Date': days,
  'io.debezium.time.Time': timeOf('ms'),
  'org.apache.kafka.connect.data.Time': timeOf('ms'),
  'io.debezium.time.MicroTime': timeOf('us'),
  'io.debezium.time.NanoTime': timeOf('ns'),
  'io.debezium.time.Timestamp': timestampOf('ms'),
  'org.apache.kafka.connect.data.Timestamp': timestampOf('ms'),
  'io.debezium.time.MicroTimestamp': timestampOf('us'),
  'io.debezium.time.NanoTimestamp': timestampOf('ns'),
  'io.debezium.time.MicroDuration': value => `${integer(value)} microseconds`,
  'org.apache.kafka.connect.data.Decimal': (value, { parameters }) =>
    // the converter's decimal.format NUMERIC sends a number
    typeof value === 'number' || value instanceof LongNumber
      ? plain(value)
      : decimal(bytes(value), integer(parameters?.scale)),
  'io.debezium.data.VariableScaleDecimal': value => {
    const { scale, value: unscaled } = value as Record<string, unknown>
    return decimal(bytes(unscaled), integer(scale))
  },
  'io.debezium.data.Bits': () => {
    throw new ConnectValueError(
      'is of type io.debezium.data.Bits, which does not tell how many bits there are',
    )
  },
}

/**
 * Makes a value of JSON into one that PostgreSQL takes, by its schema: exact, or an error. Without a schema it stays as
 * it is, save that a number too long for JavaScript becomes its digits.
 * @throws ConnectValueError
 */
export function decodeConnectValue(value: unknown, schema: ConnectSchema | undefined): unknown {
  if (value === null || value === undefined || !schema) return plain(value)
  const decode = schema.name === undefined ? undefined : LOGICAL_TYPES[schema.name]
  if (decode) return decode(value, schema)
  if (schema.type === 'bytes') return bytes(value)
  if (schema.type === 'array' && Array.isArray(value)) {
    return value.map(element => decodeConnectValue(element, schema.items))
  }
  return plain(value)
}

function plain(value: unknown): unknown {
  if (value instanceof LongNumber) return value.text
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return value
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, plain(inner)]))
}

function infinity(value: unknown): string | undefined {
  for (const [count, text] of INFINITIES) {
    // a JavaScript number is not that exact, and no other time is near
    if (typeof value === 'number' ? value === Number(count) : integer(value) === count) return text
  }
  return undefined
}

function integer(value: unknown): bigint {
  if (typeof value === 'bigint') return value
  if (typeof value === 'number' && Number.isSafeInteger(value)) return BigInt(value)
  const text = value instanceof LongNumber ? value.text : value
  if (typeof text === 'string' && /^-?\d+$/.test(text)) return BigInt(text)
  if (typeof value === 'number' && Number.isInteger(value)) {
    throw new ConnectValueError('was rounded by JSON.parse: pass the text of the message instead')
  }
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
  return decimalText(readUnscaled(unscaled), Number(scale))
}
