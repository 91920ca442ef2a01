import { isUtf8 } from 'node:buffer'
import type { SchemaElement } from 'hyparquet'
import { parseFloat16 } from 'hyparquet/src/convert.js'
import type { Meaning } from '../../../columnar/block.ts'
import type { StoredBytes } from '../../../columnar/stored-values.ts'
import { LongNumber, parseExactJson, RawJson } from '../../../values/exact-json.ts'
import { dateText, type SecondDigits, timestampText, timeText } from '../../../values/time/temporal-text.ts'
import { decimalText, readUnscaled } from '../../../values/unscaled-decimal.ts'
import { hexText } from '../../hex-text.ts'
import { SourceError } from '../../source-error.ts'
import { intervalText } from './interval-text.ts'

/** The type of a column without children, and how its stored values become values of a row. */
export interface LeafType {
  /** A type of PostgreSQL that holds every value. */
  readonly sqlType: string
  /** What the stored values are, where COPY's bytes can be made of them directly. */
  readonly meaning: Meaning
  /** Returns the row's value. Throws for a stored value that is not of the type. */
  readonly convert: (stored: never) => unknown
  /**
   * The same inside lists and structs, where only JSON's kinds of values are possible. Default: `convert`.
   */
  readonly nested?: (stored: never) => unknown
  /** Throws if `convert` would throw for one of these values, so that a damaged page is found as a whole. */
  readonly check?: (values: StoredBytes) => void
  /** Values have nanoseconds; PostgreSQL keeps microseconds. */
  readonly nanoseconds?: boolean
}

/**
 * Returns the type of a leaf by its newer annotation, otherwise by its older one, otherwise by its stored
 * type.
 * @see https://github.com/apache/parquet-format/blob/master/LogicalTypes.md
 */
export function leafType(element: SchemaElement): LeafType {
  const { type, converted_type: old, logical_type: logical } = element
  switch (logical?.type) {
    case 'TIMESTAMP':
      return timestamp(DIGITS[logical.unit], logical.isAdjustedToUTC)
    case 'TIME':
      return time(DIGITS[logical.unit])
    case 'INTEGER':
      return integer(type, logical.bitWidth, logical.isSigned)
    case 'DECIMAL':
      return decimal(element, logical.precision, logical.scale)
    case 'UUID':
      return { sqlType: 'uuid', meaning: 'uuid', convert: uuidText }
    case 'FLOAT16':
      return {
        ...FLOAT,
        meaning: 'other',
        convert: bytes => float(parseFloat16(bytes) as number),
        nested: bytes => finite(parseFloat16(bytes) as number),
      }
    case 'STRING':
    case 'ENUM':
      return TEXT
    case 'JSON':
      return JSON_TEXT
    case 'DATE':
      return DATE
    default:
      return (old && BY_CONVERTED[old]?.(element)) ?? stored(element)
  }
}

const DIGITS = { MILLIS: 3, MICROS: 6, NANOS: 9 } as const
const TEXT: LeafType = { sqlType: 'text', meaning: 'text', convert: text }
const DATE: LeafType = { sqlType: 'date', meaning: 'date', convert: dateText }
const FLOAT: LeafType = { sqlType: 'real', meaning: 'itself', convert: float, nested: finite }
const JSON_TEXT: LeafType = {
  sqlType: 'jsonb',
  meaning: 'json',
  convert: (bytes: Uint8Array) => new RawJson(text(bytes)),
  nested: (bytes: Uint8Array) => parsedJson(text(bytes)),
}

/** The older annotations. Others (BSON) have no counterpart in PostgreSQL. */
const BY_CONVERTED: Readonly<Record<string, (element: SchemaElement) => LeafType>> = {
  UTF8: () => TEXT,
  ENUM: () => TEXT,
  JSON: () => JSON_TEXT,
  DATE: () => DATE,
  DECIMAL: element => decimal(element, element.precision ?? 0, element.scale ?? 0),
  TIME_MILLIS: () => time(3),
  TIME_MICROS: () => time(6),
  TIMESTAMP_MILLIS: () => timestamp(3, true),
  TIMESTAMP_MICROS: () => timestamp(6, true),
  INTERVAL: () => ({ sqlType: 'interval', meaning: 'other', convert: intervalText }),
  ...Object.fromEntries(
    [8, 16, 32, 64].flatMap(bits => [
      [`INT_${bits}`, (element: SchemaElement) => integer(element.type, bits, true)],
      [`UINT_${bits}`, (element: SchemaElement) => integer(element.type, bits, false)],
    ]),
  ),
}

function stored({ type }: SchemaElement): LeafType {
  switch (type) {
    case 'BOOLEAN':
      return { sqlType: 'boolean', meaning: 'itself', convert: same }
    case 'INT32':
    case 'INT64':
      return integer(type, type === 'INT32' ? 32 : 64, true)
    case 'INT96': // nanoseconds; some writers mean UTC, others local time, and the file does not say which
      return timestamp(9, false)
    case 'FLOAT':
      return FLOAT
    case 'DOUBLE':
      return { sqlType: 'double precision', meaning: 'itself', convert: float, nested: finite }
    default:
      return { sqlType: 'bytea', meaning: 'bytes', convert: bufferOf, nested: hexText }
  }
}

function integer(type: SchemaElement['type'], bits: number, signed: boolean): LeafType {
  const sqlType = signed
    ? bits <= 16
      ? 'smallint'
      : bits <= 32
        ? 'integer'
        : 'bigint'
    : bits <= 8
      ? 'smallint'
      : bits <= 16
        ? 'integer'
        : bits <= 32
          ? 'bigint'
          : 'numeric(20,0)'
  const meaning = signed ? 'itself' : 'other'
  if (type === 'INT32') return { sqlType, meaning, convert: signed ? same : (value: number) => value >>> 0 }
  const convert = signed ? exactInteger : (value: bigint) => exactInteger(BigInt.asUintN(64, value))
  return { sqlType, meaning, convert }
}

/** Returns the type of a decimal, which is stored in 32 bits, in 64 bits, or as big-endian bytes. */
function decimal({ type }: SchemaElement, precision: number, scale: number): LeafType {
  const unscaled =
    type === 'INT32' || type === 'INT64' ? (value: number | bigint) => BigInt(value) : readUnscaled
  const convert = (value: never) => new LongNumber(decimalText(unscaled(value), scale))
  return {
    sqlType: precision > 0 ? `numeric(${precision},${scale})` : 'numeric',
    meaning: { decimals: scale },
    convert,
    check: values => void convert(longestOf(values) as never),
  }
}

/** Only a value that is too long has no decimal. */
function longestOf({ bytes, starts, ends }: StoredBytes): Uint8Array {
  let longest = 0
  for (let i = 1; i < starts.length; i++) {
    if (ends[i]! - starts[i]! > ends[longest]! - starts[longest]!) longest = i
  }
  return bytes.subarray(starts[longest] ?? 0, ends[longest] ?? 0)
}

/** Returns the type of a timestamp. INT96 is in nanoseconds. */
function timestamp(digits: SecondDigits, utc: boolean): LeafType {
  const style = { separator: 'T', zone: utc ? 'Z' : '', decimals: 'six' } as const
  return {
    sqlType: utc ? 'timestamptz' : 'timestamp',
    meaning: { digits, utc },
    convert: (value: bigint) => timestampText(value, digits, style),
    nanoseconds: digits === 9,
  }
}

/** Returns the type of a time of day, which has no time zone: Arrow's writers mark every time as UTC. */
function time(digits: SecondDigits): LeafType {
  return {
    sqlType: 'time',
    meaning: 'other',
    convert: (value: number | bigint) => timeText(BigInt(value), digits, 'six'),
    nanoseconds: digits === 9,
  }
}

function same(value: unknown): unknown {
  return value
}

function exactInteger(value: bigint): number | LongNumber {
  const number = Number(value)
  return Number.isSafeInteger(number) ? number : new LongNumber(String(value))
}

/** Keeps the sign of -0, which the text of a JavaScript number does not have. */
function float(value: number): number | LongNumber {
  return Object.is(value, -0) ? new LongNumber('-0') : value
}

/** Returns NaN and infinities, which JSON does not have, as texts. */
function finite(value: number): number | string | LongNumber {
  return Number.isFinite(value) ? float(value) : String(value)
}

function text(bytes: Uint8Array): string {
  const buffer = bufferOf(bytes)
  const string = buffer.toString('utf8')
  // invalid bytes become U+FFFD, which may also be a character of the text
  if (string.includes('\ufffd') && !isUtf8(buffer)) throw new SourceError('a text is not valid UTF-8')
  return string
}

function parsedJson(json: string): unknown {
  try {
    return parseExactJson(json)
  } catch (error) {
    throw new SourceError('a value is not valid JSON', { cause: error })
  }
}

function uuidText(bytes: Uint8Array): string {
  return bufferOf(bytes)
    .toString('hex')
    .replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')
}

function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
