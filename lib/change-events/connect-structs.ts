import { ConnectValueError } from './connect-value-error.ts'

/** Values of Kafka Connect that become text in a form of PostgreSQL's. */

/** The length in the schema of a `bit varying` without a length. */
const NO_LENGTH = 2_147_483_647

/**
 * Returns bits as PostgreSQL's text. The first byte has the last eight bits.
 * @param length the number of bits, from the schema
 */
export function bitsText(bytes: Uint8Array, length: number, sourceType: string | undefined): string {
  if (length === NO_LENGTH || /varbit|varying/i.test(sourceType ?? '')) {
    throw new ConnectValueError('is of type bit varying, whose length io.debezium.data.Bits does not contain')
  }
  const bits = Array.from(bytes, byte => byte.toString(2).padStart(8, '0'))
    .reverse()
    .join('')
  const extra = Math.max(bits.length - length, 0)
  if (bits.slice(0, extra).includes('1')) throw new ConnectValueError('has more bits than its schema says')
  return bits.slice(extra).padStart(length, '0')
}

/** The bit in an EWKB type for a geometry that contains the id of its reference system. */
const HAS_SRID = 0x2000_0000

/** Returns a geometry as EWKB in hexadecimal digits, which PostGIS reads. */
export function geometryText(wkb: Buffer, srid: bigint | undefined): string {
  if (wkb.length < 5 || wkb[0]! > 1)
    throw new ConnectValueError('has no WKB where its schema says a geometry')
  const little = wkb[0] === 1
  const type = little ? wkb.readUInt32LE(1) : wkb.readUInt32BE(1)
  if (srid === undefined || (type & HAS_SRID) !== 0) return wkb.toString('hex')
  const head = Buffer.alloc(9)
  head[0] = wkb[0]!
  for (const [value, at] of [
    [(type | HAS_SRID) >>> 0, 1],
    [Number(BigInt.asUintN(32, srid)), 5],
  ] as const) {
    if (little) head.writeUInt32LE(value, at)
    else head.writeUInt32BE(value, at)
  }
  return Buffer.concat([head, wkb.subarray(5)]).toString('hex')
}

/** Returns a map of texts as hstore's text. */
export function hstoreText(entries: readonly (readonly [string, string | null])[]): string {
  return entries
    .map(([key, value]) => `${quoted(key)}=>${value === null ? 'NULL' : quoted(value)}`)
    .join(', ')
}

function quoted(text: string): string {
  return `"${text.replace(/["\\]/g, '\\$&')}"`
}

/**
 * Returns the entries of a map. The converter writes an object if the keys are texts, otherwise an array of
 * pairs.
 */
export function mapEntries(value: unknown): [unknown, unknown][] {
  if (Array.isArray(value) && value.every(pair => Array.isArray(pair) && pair.length === 2)) return value
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return Object.entries(value)
  throw new ConnectValueError('has no map where its schema says so')
}
