interface Case {
  /** The column's type in the mirror. */
  readonly type: string
  readonly schema: object
  /** JSON, as the converter writes it. */
  readonly json: string
  readonly stored: string
}

export const of = (type: string, name?: string, more: object = {}) => ({
  type,
  ...(name ? { name } : {}),
  ...more,
})
const debezium = (type: string, name: string, more: object = {}) => of(type, `io.debezium.${name}`, more)
const bits = (length: string) => debezium('bytes', 'data.Bits', { parameters: { length } })
const decimal = (scale: string) =>
  of('bytes', 'org.apache.kafka.connect.data.Decimal', { parameters: { scale } })

/**
 * The types that Debezium's PostgreSQL and MySQL connectors document, in each of their modes.
 * https://debezium.io/documentation/reference/stable/connectors/postgresql.html#postgresql-data-types
 */
export const CASES: readonly Case[] = [
  { type: 'boolean', schema: of('boolean'), json: 'true', stored: 'true' },
  { type: 'bit(5)', schema: bits('5'), json: '"FQ=="', stored: '10101' },
  { type: 'bit(12)', schema: bits('12'), json: '"AQg="', stored: '100000000001' },
  { type: 'bit(12)', schema: bits('12'), json: '"AQ=="', stored: '000000000001' },
  { type: 'bit(3)', schema: bits('3'), json: '""', stored: '000' },
  { type: 'smallint', schema: of('int16'), json: '-7', stored: '-7' },
  { type: 'bigint', schema: of('int64'), json: '9223372036854775807', stored: '9223372036854775807' },
  { type: 'real', schema: of('float32'), json: '1.5', stored: '1.5' },
  { type: 'double precision', schema: of('float64'), json: '0.1', stored: '0.1' },
  { type: 'double precision', schema: of('float64'), json: '"NaN"', stored: 'NaN' },
  { type: 'text', schema: of('string'), json: '"a\\nb"', stored: 'a\nb' },
  {
    type: 'timestamptz',
    schema: debezium('string', 'time.ZonedTimestamp'),
    json: '"2018-06-20T15:13:16.945104Z"',
    stored: '2018-06-20 15:13:16.945104+00',
  },
  {
    type: 'timestamptz',
    schema: debezium('string', 'time.ZonedTimestamp'),
    json: '"infinity"',
    stored: 'infinity',
  },
  {
    type: 'timetz',
    schema: debezium('string', 'time.ZonedTime'),
    json: '"10:04:25.5Z"',
    stored: '10:04:25.5+00',
  },
  {
    type: 'interval',
    schema: debezium('int64', 'time.MicroDuration'),
    json: '-93784000001',
    stored: '-26:03:04.000001',
  },
  {
    type: 'interval',
    schema: debezium('int64', 'time.NanoDuration'),
    json: '5000000000',
    stored: '00:00:05',
  },
  {
    type: 'interval',
    schema: debezium('int64', 'time.NanoDuration'),
    json: '-1500000000',
    stored: '-00:00:01.5',
  },
  {
    type: 'interval',
    schema: debezium('string', 'time.Interval'),
    json: '"P1Y2M3DT4H5M6.78S"',
    stored: '1 year 2 mons 3 days 04:05:06.78',
  },
  { type: 'bytea', schema: of('bytes'), json: '"3q2+7w=="', stored: '\\xdeadbeef' },
  { type: 'jsonb', schema: debezium('string', 'data.Json'), json: '"{\\"a\\": 1}"', stored: '{"a": 1}' },
  { type: 'json', schema: debezium('string', 'data.Json'), json: '"\\"text\\""', stored: '"text"' },
  {
    type: 'uuid',
    schema: debezium('string', 'data.Uuid'),
    json: '"a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"',
    stored: 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11',
  },
  { type: 'tsvector', schema: debezium('string', 'data.TsVector'), json: '"\'a\':1"', stored: "'a':1" },
  { type: 'int4range', schema: of('string'), json: '"[1,5)"', stored: '[1,5)' },
  { type: 'inet', schema: of('string'), json: '"10.0.0.1/8"', stored: '10.0.0.1/8' },
  { type: 'macaddr', schema: of('string'), json: '"08:00:2b:01:02:03"', stored: '08:00:2b:01:02:03' },
  { type: 'oid', schema: of('int64'), json: '4294967295', stored: '4294967295' },
  {
    type: 'point',
    schema: debezium('struct', 'data.geometry.Point'),
    json: '{"x":1.5,"y":-2,"wkb":"AQ==","srid":null}',
    stored: '(1.5,-2)',
  },
  {
    type: 'text',
    schema: debezium('struct', 'data.geometry.Geometry'),
    json: '{"wkb":"AQEAAAAAAAAAAADwPwAAAAAAAABA","srid":4326}',
    stored: '0101000020e6100000000000000000f03f0000000000000040',
  },
  {
    type: 'text',
    schema: debezium('struct', 'data.geometry.Geography'),
    json: '{"wkb":"AQEAACDmEAAAAAAAAAAA8D8AAAAAAAAAQA==","srid":4326}',
    stored: '0101000020e6100000000000000000f03f0000000000000040',
  },
  {
    type: 'text',
    schema: debezium('struct', 'data.geometry.Geometry'),
    json: '{"wkb":"AAAAAAE/8AAAAAAAAEAAAAAAAAAA","srid":null}',
    stored: '00000000013ff00000000000004000000000000000',
  },
  { type: 'date', schema: debezium('int32', 'time.Date'), json: '20000', stored: '2024-10-04' },
  { type: 'date', schema: debezium('string', 'time.IsoDate'), json: '"2024-10-04Z"', stored: '2024-10-04' },
  {
    type: 'time',
    schema: debezium('int64', 'time.NanoTime'),
    json: '45296000001000',
    stored: '12:34:56.000001',
  },
  { type: 'time', schema: debezium('string', 'time.IsoTime'), json: '"12:34:56.5Z"', stored: '12:34:56.5' },
  {
    type: 'timestamp',
    schema: debezium('int64', 'time.NanoTimestamp'),
    json: '1529507596945104000',
    stored: '2018-06-20 15:13:16.945104',
  },
  {
    type: 'timestamp',
    schema: debezium('string', 'time.IsoTimestamp'),
    json: '"2018-06-20T15:13:16.945104Z"',
    stored: '2018-06-20 15:13:16.945104',
  },
  { type: 'integer', schema: debezium('int32', 'time.Year'), json: '1999', stored: '1999' },
  { type: 'numeric(20,2)', schema: decimal('2'), json: '"AN3q"', stored: '568.10' },
  { type: 'numeric(20,2)', schema: of('string'), json: '"568.10"', stored: '568.10' },
  {
    type: 'numeric',
    schema: debezium('struct', 'data.VariableScaleDecimal'),
    json: '{"scale":3,"value":"AeJA"}',
    stored: '123.456',
  },
  { type: 'text', schema: debezium('string', 'data.EnumSet'), json: '"a,b"', stored: 'a,b' },
  {
    type: 'integer[]',
    schema: of('array', undefined, { items: of('int32') }),
    json: '[1,null,-3]',
    stored: '{1,NULL,-3}',
  },
  {
    type: 'uuid[]',
    schema: of('array', undefined, { items: debezium('string', 'data.Uuid') }),
    json: '["a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"]',
    stored: '{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11}',
  },
  {
    type: 'date[]',
    schema: of('array', undefined, { items: debezium('int32', 'time.Date') }),
    json: '[0]',
    stored: '{1970-01-01}',
  },
  {
    type: 'bytea[]',
    schema: of('array', undefined, { items: of('bytes') }),
    json: '["3q2+7w==",null]',
    stored: '{"\\\\xdeadbeef",NULL}',
  },
  {
    type: 'hstore',
    schema: of('map', undefined, { keys: of('string'), values: of('string') }),
    json: '{"a":"x=>y","q\\"\\\\":null,"":"NULL"}',
    stored: '""=>"NULL", "a"=>"x=>y", "q\\"\\\\"=>NULL',
  },
  {
    type: 'text',
    schema: debezium('array', 'data.DoubleVector', { items: of('float64') }),
    json: '[1,2.5,1e-7]',
    stored: '[1,2.5,1e-7]',
  },
  {
    type: 'text',
    schema: debezium('array', 'data.FloatVector', { items: of('float32') }),
    json: '[101]',
    stored: '[101]',
  },
  {
    type: 'text',
    schema: debezium('struct', 'data.SparseVector'),
    json: '{"dimensions":3000,"vector":[[1,201],[9,209.5]]}',
    stored: '{1:201,9:209.5}/3000',
  },
]

/** Values that cannot be right, and what their error says. */
export const REFUSED: readonly [schema: object, json: string, said: RegExp][] = [
  [bits('2147483647'), '"AQ=="', /bit varying/],
  [
    debezium('bytes', 'data.Bits', {
      parameters: { length: '9', '__debezium.source.column.type': 'VARBIT' },
    }),
    '"AQ=="',
    /bit varying/,
  ],
  [bits('3'), '"CA=="', /more bits than its schema/],
  [debezium('bytes', 'data.Bits'), '"AQ=="', /does not have the number of bits/],
  [
    debezium('struct', 'time.StructuredDuration'),
    '{"seconds":5}',
    /StructuredDuration, which is not supported/,
  ],
  [debezium('int64', 'time.PicoTime'), '5', /PicoTime, which is not supported/],
  [debezium('struct', 'data.geometry.Circle'), '{"x":1}', /Circle, which is not supported/],
  [debezium('struct', 'data.geometry.Point'), '"(1,2)"', /no structure/],
  [debezium('struct', 'data.geometry.Point'), '{"x":null,"y":1}', /no number/],
  [debezium('struct', 'data.geometry.Geometry'), '{"wkb":"AQ=="}', /no WKB/],
  [debezium('int64', 'time.NanoDuration'), '"PT5S"', /no integer/],
  [of('map', undefined, { keys: of('string'), values: of('int32') }), '{"a":1}', /hstore cannot hold/],
  [debezium('array', 'data.DoubleVector'), '["a"]', /no number/],
]
