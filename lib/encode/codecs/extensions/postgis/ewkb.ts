/**
 * The extended well-known binary format (EWKB) of PostGIS: the byte order, the type with flags, an SRID if
 * its flag is set, and the coordinates, or the parts.
 * @see https://github.com/postgis/postgis/blob/master/doc/ZMSgeoms.txt
 */
export const WITH_Z = 0x80000000
const WITH_M = 0x40000000
const WITH_SRID = 0x20000000
const FLAGS = WITH_Z | WITH_M | WITH_SRID

export const POINT = 1
export const LINE = 2
export const POLYGON = 3
const MULTIPOINT = 4
const MULTIPOLYGON = 6
const COLLECTION = 7

/** How deep collections may be nested. PostGIS decides about deeper ones. */
const MAX_DEPTH = 16

/**
 * Returns true for the bytes of one geometry that PostGIS is certain to read as the same value in binary form
 * and as hex digits. It checks the number of points and closed rings in the binary form only. Curves and
 * surfaces are left to the server.
 */
export function isPlainEwkb(bytes: Buffer): boolean {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  try {
    return endOfGeometry(view, 0, undefined, undefined, MAX_DEPTH) === bytes.length
  } catch (error) {
    if (error instanceof RangeError) return false // the bytes end too early
    throw error
  }
}

const NOT_PLAIN = -1

/**
 * Returns the index after a geometry, or NOT_PLAIN.
 * @param wanted the only type that a part of a multi-geometry may have
 * @param dimensions the flags of Z and M of the whole, which its parts share
 */
function endOfGeometry(
  view: DataView,
  at: number,
  wanted: number | undefined,
  dimensions: number | undefined,
  depth: number,
): number {
  const order = view.getUint8(at)
  if (order > 1 || depth === 0) return NOT_PLAIN
  const isLittle = order === 1
  const code = view.getUint32(at + 1, isLittle)
  const type = (code & ~FLAGS) >>> 0
  const flags = code & (WITH_Z | WITH_M)
  const hasSrid = (code & WITH_SRID) !== 0
  if (wanted !== undefined && type !== wanted) return NOT_PLAIN
  if (dimensions !== undefined && (flags !== dimensions || hasSrid)) return NOT_PLAIN
  const start = at + (hasSrid ? 9 : 5)
  const ordinates = 2 + (flags & WITH_Z ? 1 : 0) + (flags & WITH_M ? 1 : 0)
  if (type === POINT) return start + ordinates * 8 <= view.byteLength ? start + ordinates * 8 : NOT_PLAIN

  const count = view.getUint32(start, isLittle)
  if (count === 0) return NOT_PLAIN
  if (type === LINE) return endOfPoints(view, start, isLittle, ordinates, 2)
  if (type < POLYGON || type > COLLECTION) return NOT_PLAIN
  let end = start + 4
  for (let i = 0; i < count && end !== NOT_PLAIN; i++) {
    if (type === POLYGON) end = endOfRing(view, end, isLittle, ordinates)
    else {
      const part = type === COLLECTION ? undefined : type - MULTIPOINT + POINT
      end = endOfGeometry(view, end, part, flags, depth - 1)
    }
  }
  return end
}

function endOfPoints(view: DataView, at: number, isLittle: boolean, ordinates: number, min: number): number {
  const count = view.getUint32(at, isLittle)
  const end = at + 4 + count * ordinates * 8
  return count >= min && end <= view.byteLength ? end : NOT_PLAIN
}

function endOfRing(view: DataView, at: number, isLittle: boolean, ordinates: number): number {
  const end = endOfPoints(view, at, isLittle, ordinates, 4)
  for (let i = 0; end !== NOT_PLAIN && i < ordinates; i++) {
    const first = view.getFloat64(at + 4 + i * 8, isLittle)
    if (first !== view.getFloat64(end - (ordinates - i) * 8, isLittle)) return NOT_PLAIN
  }
  return end
}

/** The codes of the types of GeoJSON. */
export const GEOJSON_TYPES: ReadonlyMap<unknown, number> = new Map([
  ['Point', POINT],
  ['LineString', LINE],
  ['Polygon', POLYGON],
  ['MultiPoint', MULTIPOINT],
  ['MultiLineString', MULTIPOINT + LINE - POINT],
  ['MultiPolygon', MULTIPOLYGON],
  ['GeometryCollection', COLLECTION],
])
