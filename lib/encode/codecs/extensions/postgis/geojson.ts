import type { ByteBuffer } from '../../../wire/byte-buffer.ts'
import { GEOJSON_TYPES, LINE, POINT, POLYGON, WITH_Z } from './ewkb.ts'

/**
 * Appends a geometry of GeoJSON as EWKB without an SRID. Returns false for an object that is not one, and for
 * those that PostGIS may read differently: empty ones, positions of different lengths or more than
 * three numbers, rings that are not closed, members other than `bbox` beside those of the type.
 * @see https://www.rfc-editor.org/rfc/rfc7946
 */
export function putGeoJson(out: ByteBuffer, value: object): boolean {
  const size = positionSize(value)
  return (size === 2 || size === 3) && putGeometry(out, value, size)
}

/** Returns how many numbers the first position has. */
function positionSize(value: object): number | undefined {
  const { coordinates, geometries } = value as { coordinates?: unknown; geometries?: unknown }
  let level: unknown = coordinates
  if (Array.isArray(geometries)) {
    const [first] = geometries
    return typeof first === 'object' && first !== null ? positionSize(first) : undefined
  }
  while (Array.isArray(level) && Array.isArray(level[0])) level = level[0]
  return Array.isArray(level) ? level.length : undefined
}

function putGeometry(out: ByteBuffer, value: unknown, size: number): boolean {
  if (!isGeometry(value)) return false
  const { type, coordinates, geometries } = value
  const code = GEOJSON_TYPES.get(type)
  if (code === undefined) return false
  if (code <= POLYGON) return putSimple(out, code, coordinates, size)
  const parts = geometries ?? coordinates
  if (!Array.isArray(parts) || parts.length === 0) return false
  putHead(out, code, size)
  out.putInt32(parts.length)
  return putEach(parts, part =>
    geometries ? putGeometry(out, part, size) : putSimple(out, code - 3, part, size),
  )
}

interface Geometry {
  readonly type: unknown
  readonly coordinates?: unknown
  readonly geometries?: unknown
}

/** Returns true for an object that JSON would show as it is, with the members of its type only. */
function isGeometry(value: unknown): value is Geometry {
  if (typeof value !== 'object' || value === null) return false
  if (![Object.prototype, null].includes(Object.getPrototypeOf(value))) return false
  const content = (value as Geometry).type === 'GeometryCollection' ? 'geometries' : 'coordinates'
  const keys = Object.keys(value).filter(key => key !== 'bbox')
  return keys.length === 2 && keys.includes('type') && keys.includes(content)
}

/** Appends a point, a line or a polygon. */
function putSimple(out: ByteBuffer, code: number, coordinates: unknown, size: number): boolean {
  if (!Array.isArray(coordinates)) return false
  putHead(out, code, size)
  if (code === POINT) return putPosition(out, coordinates, size)
  if (code === LINE) return putPositions(out, coordinates, size, 2)
  out.putInt32(coordinates.length)
  return coordinates.length > 0 && putEach(coordinates, ring => putRing(out, ring, size))
}

function putHead(out: ByteBuffer, code: number, size: number): void {
  out.reserve(1)
  out.bytes[out.length++] = 0 // network byte order
  out.putInt32(size === 3 ? code | WITH_Z : code)
}

function putRing(out: ByteBuffer, ring: unknown, size: number): boolean {
  if (!Array.isArray(ring) || !putPositions(out, ring, size, 4)) return false
  const last = ring.at(-1) as number[]
  return (ring[0] as number[]).every((number, i) => number === last[i])
}

function putPositions(out: ByteBuffer, positions: readonly unknown[], size: number, min: number): boolean {
  out.putInt32(positions.length)
  return positions.length >= min && putEach(positions, position => putPosition(out, position, size))
}

/** As `every`, which would skip the holes of an array. */
function putEach(items: readonly unknown[], put: (item: unknown) => boolean): boolean {
  for (let i = 0; i < items.length; i++) if (!put(items[i])) return false
  return true
}

function putPosition(out: ByteBuffer, position: unknown, size: number): boolean {
  if (!Array.isArray(position) || position.length !== size) return false
  out.reserve(size * 8)
  for (let i = 0; i < size; i++) {
    const number: unknown = position[i]
    if (typeof number !== 'number' || !Number.isFinite(number)) return false
    // a JSON number is read as an integer of 64 bits where it has no point
    if (Math.abs(number) > Number.MAX_SAFE_INTEGER) return false
    out.view.setFloat64(out.length, number + 0)
    out.length += 8
  }
  return true
}
