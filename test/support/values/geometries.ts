import fc from 'fast-check'

/** Values for the types of PostGIS: GeoJSON, EWKB, well-known text, and what is nearly that. */

const ordinate = fc.oneof(
  { weight: 4, arbitrary: fc.double({ min: -90, max: 90, noNaN: true }) },
  { weight: 3, arbitrary: fc.integer({ min: -90, max: 90 }) },
  {
    weight: 1,
    arbitrary: fc.constantFrom(0, -0, 1e-7, 179.9, 1e20, 1e300, 2 ** 53 + 2, Number.NaN, Infinity),
  },
)
const odd = fc.constantFrom<unknown>(null, '1', [], [1], [1, 2, 3, 4], undefined, true)

type Position = unknown
interface Shapes {
  point: fc.Arbitrary<unknown>
  line: fc.Arbitrary<unknown>
  polygon: fc.Arbitrary<unknown>
}

function shapes(position: fc.Arbitrary<Position>): Shapes {
  const line = fc.array(position, { minLength: 2, maxLength: 4 })
  const ring = fc
    .array(position, { minLength: 3, maxLength: 5 })
    .map(positions => [...positions, positions[0]])
  return { point: position, line, polygon: fc.array(ring, { minLength: 1, maxLength: 2 }) }
}

function geometriesOf(position: fc.Arbitrary<Position>): fc.Arbitrary<object> {
  const { point, line, polygon } = shapes(position)
  const some = <T>(item: fc.Arbitrary<T>) => fc.array(item, { minLength: 1, maxLength: 3 })
  const of = (type: string, coordinates: fc.Arbitrary<unknown>) =>
    coordinates.map(value => ({ type, coordinates: value }))
  const single = fc.oneof(of('Point', point), of('LineString', line), of('Polygon', polygon))
  return fc.oneof(
    { weight: 3, arbitrary: single },
    of('MultiPoint', some(point)),
    of('MultiLineString', some(line)),
    of('MultiPolygon', some(polygon)),
    some(single).map(geometries => ({ type: 'GeometryCollection', geometries })),
  )
}

const flat = fc.array(ordinate, { minLength: 2, maxLength: 2 })
const high = fc.array(ordinate, { minLength: 3, maxLength: 3 })

/** Mostly good; others have positions of mixed lengths, or things that are not positions. */
export const geoJsons: fc.Arbitrary<object> = fc.oneof(
  { weight: 4, arbitrary: geometriesOf(flat) },
  { weight: 2, arbitrary: geometriesOf(high) },
  geometriesOf(fc.oneof(flat, high)),
  geometriesOf(fc.oneof({ weight: 5, arbitrary: flat }, odd)),
  geometriesOf(flat).map(geometry => ({ ...geometry, bbox: [0, 0, 1, 1] })),
  geometriesOf(flat).map(geometry => ({ ...geometry, extra: 1 })),
  geometriesOf(flat).map(geometry => ({
    ...geometry,
    crs: { type: 'name', properties: { name: 'EPSG:3857' } },
  })),
  fc.constantFrom<object>(
    {
      type: 'Polygon',
      coordinates: [
        [
          [0, 0],
          [1, 0],
          [1, 1],
        ],
      ],
    },
    {
      type: 'Polygon',
      coordinates: [
        [
          [0, 0],
          [1, 0],
          [1, 1],
          [0, 1],
        ],
      ],
    },
    { type: 'Polygon', coordinates: [] },
    { type: 'Polygon', coordinates: [[]] },
    { type: 'LineString', coordinates: [[0, 0]] },
    { type: 'LineString', coordinates: new Array(2) },
    { type: 'MultiPoint', coordinates: [] },
    { type: 'MultiPoint', coordinates: Object.assign(new Array(3), { 0: [1, 2], 2: [3, 4] }) },
    { type: 'GeometryCollection', geometries: [] },
    { type: 'Point', coordinates: [] },
    { type: 'Point' },
    { type: 'point', coordinates: [1, 2] },
    { type: 'Feature', geometry: { type: 'Point', coordinates: [1, 2] } },
    { type: 'Circle', coordinates: [1, 2] },
    {},
    [1, 2],
  ),
)

/** The hex digits of EWKB, in either byte order, of good geometries and of spoiled ones. */
function ewkb(
  position: readonly number[],
  options: { little: boolean; flags: number; srid?: number },
): string {
  const { little, flags, srid } = options
  const size = 5 + (srid === undefined ? 0 : 4) + position.length * 8
  const view = new DataView(new ArrayBuffer(size))
  view.setUint8(0, little ? 1 : 0)
  view.setUint32(1, (1 | flags | (srid === undefined ? 0 : 0x20000000)) >>> 0, little)
  if (srid !== undefined) view.setUint32(5, srid, little)
  position.forEach((value, i) => {
    view.setFloat64(size - (position.length - i) * 8, value, little)
  })
  return Buffer.from(view.buffer).toString('hex')
}

const points = fc
  .tuple(
    fc.array(fc.double({ min: -90, max: 90, noNaN: true }), { minLength: 2, maxLength: 4 }),
    fc.boolean(),
    fc.constantFrom(undefined, 4326, 3857, 0),
    fc.boolean(),
  )
  .map(([position, little, srid, isM]) => {
    const flags = [0, 0, 0, isM ? 0x40000000 : 0x80000000, 0xc0000000][position.length]!
    return ewkb(position, { little, flags, ...(srid === undefined ? {} : { srid }) })
  })

const double = (value: number): string => {
  const bytes = Buffer.alloc(8)
  bytes.writeDoubleBE(value)
  return bytes.toString('hex')
}
const count = (value: number): string => value.toString(16).padStart(8, '0')
const ringOf = (positions: readonly (readonly number[])[]): string =>
  count(positions.length) + positions.flat().map(double).join('')

const SQUARE = [
  [0, 0],
  [1, 0],
  [1, 1],
  [0, 0],
]
const HEX_SHAPES = [
  `00${count(2)}${ringOf([
    [0, 0],
    [1, 1],
  ])}`,
  `00${count(2)}${ringOf([[0, 0]])}`,
  `00${count(2)}${ringOf([])}`,
  `00${count(3)}${count(1)}${ringOf(SQUARE)}`,
  `00${count(3)}${count(2)}${ringOf(SQUARE)}${ringOf(SQUARE)}`,
  `00${count(3)}${count(1)}${ringOf([
    [0, 0],
    [1, 0],
    [1, 1],
    [0, 1],
  ])}`,
  `00${count(3)}${count(1)}${ringOf([
    [0, 0],
    [1, 0],
    [0, 0],
  ])}`,
  `00${count(3)}${count(0)}`,
  `00${count(4)}${count(1)}00${count(1)}${double(1)}${double(2)}`,
  `00${count(4)}${count(1)}00${count(2)}${ringOf([
    [0, 0],
    [1, 1],
  ])}`,
  `00${count(5)}${count(1)}00${count(2)}${ringOf([
    [0, 0],
    [1, 1],
  ])}`,
  `00${count(6)}${count(1)}00${count(3)}${count(1)}${ringOf(SQUARE)}`,
  `00${count(7)}${count(2)}00${count(1)}${double(1)}${double(2)}00${count(2)}${ringOf([
    [0, 0],
    [1, 1],
  ])}`,
  `00${count(7)}${count(1)}00${count(0x80000001)}${double(1)}${double(2)}${double(3)}`,
  `00${count(1)}${double(Number.NaN)}${double(Number.NaN)}`,
  `00${count(1001)}${double(1)}${double(2)}${double(3)}`,
  `00${count(8)}${ringOf([
    [0, 0],
    [1, 1],
    [2, 0],
  ])}`,
  `00${count(15)}${count(0)}`,
]

const hexes = fc.oneof(
  { weight: 4, arbitrary: points },
  { weight: 2, arbitrary: fc.constantFrom(...HEX_SHAPES) },
  points.map(text => text.toUpperCase()),
  fc.tuple(points, fc.nat(50), fc.constantFrom('', '0', '00', 'f', 'g')).map(([text, at, more]) => {
    return text.slice(0, at) + more + text.slice(at + 1)
  }),
  points.map(text => `${text}00`),
  points.map(text => text.slice(0, -2)),
)

/** Strings and bytes. */
export const geometryTexts: fc.Arbitrary<unknown> = fc.oneof(
  { weight: 3, arbitrary: hexes },
  { weight: 3, arbitrary: hexes.map(text => Buffer.from(text, 'hex')) },
  geoJsons.map(geometry => JSON.stringify(geometry)),
  hexes.map(text => `SRID=4326;${text}`),
  fc.constantFrom(
    'POINT(1 2)',
    'SRID=4326;POINT Z (1 2 3)',
    'POINT EMPTY',
    'POLYGON((0 0,1 0,1 1))',
    '',
    '0',
  ),
  fc.constantFrom('00', 'x', 'POINT(1000 1000)', HEX_SHAPES[0]),
)

export const geometries: fc.Arbitrary<unknown> = fc.oneof(geometryTexts, geoJsons)
