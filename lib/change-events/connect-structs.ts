import { ConnectValueError } from './connect-value-error.ts'

/** Values of Kafka Connect that PostgreSQL takes as text of a form of its own. */

/** `bit varying` without a length has this one. */
const NO_LENGTH = 2_147_483_647

/**
 * Bits as PostgreSQL writes them: the first byte holds the last eight.
 * @param length how many bits there are, of the schema
 */
export function bitsText(bytes: Uint8Array, length: number, sourceType: string | undefined): string {
  if (length === NO_LENGTH || /varbit|varying/i.test(sourceType ?? '')) {
    throw new ConnectValueError(
      'is of type bit varying, of which io.debezium.data.Bits does not hold the length',
    )
  }
  const bits = Array.from(bytes, byte => byte.toString(2).padStart(8, '0'))
    .reverse()
    .join('')
  const extra = Math.max(bits.length - length, 0)
  if (bits.slice(0, extra).includes('1')) throw new ConnectValueError('has more bits than its schema says')
  return bits.slice(extra).padStart(length, '0')
}

/** Set in the type of EWKB that holds the id of its reference system. */
const HAS_SRID = 0x2000_0000

/** A geometry as the EWKB that PostGIS reads. */
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

/** A map of texts as hstore reads it. */
export function hstoreText(entries: readonly (readonly [string, string | null])[]): string {
  return entries
    .map(([key, value]) => `${quoted(key)}=>${value === null ? 'NULL' : quoted(value)}`)
    .join(', ')
}

function quoted(text: string): string {
  return `"${text.replace(/["\\]/g, '\\$&')}"`
}

/** The entries of a map: the converter writes an object where keys are texts, else an array of pairs. */
export function mapEntries(value: unknown): [unknown, unknown][] {
  if (Array.isArray(value) && value.every(pair => Array.isArray(pair) && pair.length === 2)) return value
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return Object.entries(value)
  throw new ConnectValueError('has no map where its schema says so')
}
