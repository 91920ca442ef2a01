import { createHash } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'

/**
 * Debezium's default placeholder for a long value that an UPDATE left unchanged, and that PostgreSQL did not
 * log.
 */
export const DEFAULT_PLACEHOLDER = '__debezium_unavailable_value'

/**
 * The placeholders of a geometry and a geography, which do not depend on the setting: EWKB in hexadecimal
 * digits.
 */
const GEOMETRIES = [
  '0101000020e6100000000000fc83d797c1000000fc83d797c1',
  '0101000020e61000000c21e7fdff7f66401842cefbff7f5640',
]
const POINT = -99999999

/** Returns true if a value of a change event's JSON is the placeholder of an unchanged value. */
export type IsUnavailable = (value: unknown) => boolean

/**
 * Returns the test for a placeholder. Debezium writes the placeholder in the form of the column's type:
 *
 *     text, json, numeric …     the placeholder
 *     bytea                     its bytes as base64, URL-safe base64 or hexadecimal digits
 *     text[], bytea[] …         an array of one of these
 *     int[], bigint[], date[]   an array of its bytes, as numbers
 *     uuid, uuid[]              the name-based UUID of its bytes
 *     hstore                    a map from the placeholder to itself, or JSON of it
 *     geometry, geography, point   a certain point
 *
 * @param placeholder `unavailable.value.placeholder` of the connector: text, or `hex:` and the digits of its
 *   bytes
 * @see https://debezium.io/documentation/reference/stable/connectors/postgresql.html#postgresql-toasted-values
 */
export function unavailableTest(placeholder: string): IsUnavailable {
  const bytes = placeholder.startsWith('hex:')
    ? Buffer.from(placeholder.slice('hex:'.length), 'hex')
    : Buffer.from(placeholder)
  const text = bytes.toString()
  const base64 = bytes.toString('base64')
  const padded = base64.replaceAll('+', '-').replaceAll('/', '_')
  const map = { [text]: text }
  const texts = new Set([placeholder, text, base64, padded, padded.replaceAll('=', ''), nameUuid(bytes)])
  const hex = bytes.toString('hex')
  const isText = (value: string): boolean =>
    texts.has(value) || value.toLowerCase() === hex || (value.startsWith('{') && isJsonOf(value, map))

  return value => {
    if (typeof value === 'string')
      return value.length <= MAX_FORM * placeholder.length + UUID_LENGTH && isText(value)
    if (ArrayBuffer.isView(value))
      return bytes.equals(Buffer.from(value.buffer, value.byteOffset, value.byteLength))
    if (Array.isArray(value)) {
      if (value.length === 1 && typeof value[0] === 'string') return isText(value[0])
      if (value.length === 1 && isDeepStrictEqual(value[0], map)) return true
      return value.length === bytes.length && value.every((element, at) => element === asSigned(bytes[at]!))
    }
    return (
      typeof value === 'object' && value !== null && (isDeepStrictEqual({ ...value }, map) || isPoint(value))
    )
  }
}

/** No form of a placeholder is longer than the placeholder times this. */
const MAX_FORM = 8
const UUID_LENGTH = 36

/** Java's bytes have a sign. */
function asSigned(byte: number): number {
  return byte > 127 ? byte - 256 : byte
}

/** Java's `UUID.nameUUIDFromBytes`: version 3, without a namespace. */
function nameUuid(bytes: Buffer): string {
  const hash = createHash('md5').update(bytes).digest()
  hash[6] = (hash[6]! & 0x0f) | 0x30
  hash[8] = (hash[8]! & 0x3f) | 0x80
  return hash.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}

function isJsonOf(text: string, expected: object): boolean {
  try {
    return isDeepStrictEqual(JSON.parse(text), expected)
  } catch {
    return false
  }
}

function isPoint(value: object): boolean {
  const { wkb, x, y } = value as { wkb?: unknown; x?: unknown; y?: unknown }
  if (Number(x) === POINT && Number(y) === POINT) return true
  return typeof wkb === 'string' && GEOMETRIES.includes(Buffer.from(wkb, 'base64').toString('hex'))
}
