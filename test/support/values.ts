import fc from 'fast-check'

/** Values for columns by type: what belongs there, what nearly does, and what never should have come. */

const pad = (value: number, digits: number): string => String(value).padStart(digits, '0')
const digits = (min: number, max: number): fc.Arbitrary<string> =>
  fc.string({ unit: fc.constantFrom(...'0123456789'), minLength: min, maxLength: max })

/** Characters that formats trip over. */
export const awkwardText: fc.Arbitrary<string> = fc.oneof(
  fc.constantFrom(
    '',
    '\\N',
    '\\\\N',
    '\\.',
    '\\',
    "''",
    '\t',
    '\r',
    '\n',
    '\r\n',
    '\u0000',
    'a\u0000b',
    '\ud800',
    'x\udfff',
    '\u2028',
    '\u{1f600}',
    'NULL',
    'null',
    '{}',
    '[]',
    '{"a":1}',
    '"',
    "'",
    '\\x41',
    '\\x4',
    '\\101',
    '\b\f\v',
    '\ufeff',
    ' ',
    ' a ',
    '123',
    'é'.repeat(40),
    'x'.repeat(41),
    '\\'.repeat(50),
    'a,b',
    '{1,2}',
    '\\x',
    '\\X41',
    'true',
    '\u007f',
    'ß',
    Array.from({ length: 255 }, (_, i) => String.fromCharCode(i + 1)).join(''),
    `${'a'.repeat(62)}é`,
    'n'.repeat(63),
    'n'.repeat(64),
  ),
  fc.string(),
  fc.string({ unit: 'binary', maxLength: 60 }),
  fc.string({ unit: 'grapheme', maxLength: 60 }),
  fc.string({ unit: fc.constantFrom('\\', '\t', '\n', '\r', 'a', 'é', '"', ',', '{', '}'), maxLength: 60 }),
)

const integerText = fc.oneof(
  fc.bigInt({ min: -(2n ** 66n), max: 2n ** 66n }).map(String),
  fc.integer().map(String),
  fc.tuple(fc.constantFrom('', '-', '+', ' ', '--'), digits(0, 22)).map(parts => parts.join('')),
  fc.constantFrom(
    '007',
    '-0',
    '0x1F',
    '1_000',
    '1e3',
    '1.0',
    '1.5',
    ' 12 ',
    '12 ',
    '9223372036854775807',
    '9223372036854775808',
    '-9223372036854775808',
    '-9223372036854775809',
    '2147483648',
    '-2147483649',
    '32768',
    '-32769',
    '٣',
  ),
)

const edgeInteger = fc.constantFrom(
  0,
  -0,
  1,
  -1,
  32767,
  32768,
  -32768,
  -32769,
  2 ** 31 - 1,
  2 ** 31,
  -(2 ** 31),
  -(2 ** 31) - 1,
  2 ** 32,
  -(2 ** 32),
  2 ** 32 - 1,
  2 ** 53,
  2 ** 53 - 1,
  1 - 2 ** 53,
  2 ** 53 + 2,
  2 ** 60,
  2 ** 63,
  -(2 ** 63),
  1e21,
  1.5,
  -0.5,
  4294967295,
  -4294967297,
)

const bigints = fc.oneof(
  fc.bigInt({ min: -(2n ** 65n), max: 2n ** 65n }),
  fc.constantFrom(
    0n,
    -1n,
    2n ** 31n,
    2n ** 31n - 1n,
    -(2n ** 31n),
    2n ** 63n - 1n,
    2n ** 63n,
    -(2n ** 63n),
    -(2n ** 63n) - 1n,
    32767n,
    32768n,
    10n ** 400n,
  ),
)

export const integers: fc.Arbitrary<unknown> = fc.oneof(
  fc.integer(),
  fc.integer({ min: -40000, max: 40000 }),
  fc.maxSafeInteger(),
  edgeInteger,
  bigints,
  integerText,
)

const edgeDouble = fc.constantFrom(
  0,
  -0,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  Number.NEGATIVE_INFINITY,
  1e-320,
  5e-324,
  Number.MAX_VALUE,
  Number.MIN_VALUE,
  3.4028234663852886e38,
  3.4028235677973366e38,
  3.4028235677973362e38,
  1e39,
  1e-45,
  7e-46,
  7.006492321624085e-46,
  1.1754943508222875e-38,
  1.17549429e-38,
  0.1,
  1 / 3,
  1 + 2 ** -24,
  1 + 3 * 2 ** -24,
  1 + 2 ** -24 + 2 ** -52,
  1 + 2 ** -24 - 2 ** -53,
  16777217,
  16777219,
  1e15,
  1e16,
  1e21,
  1e22,
  1.005,
  123456.789,
  99999999999.9999,
  1e-7,
  1.5e-10,
  12345678901234.56,
  0.00001,
  0.1 + 0.2,
  999999999999999.9,
)

const decimalText = fc
  .tuple(
    fc.constantFrom('', '-', '+', ' '),
    digits(0, 25),
    fc.constantFrom('', '.'),
    digits(0, 25),
    fc.oneof(
      fc.constant(''),
      fc.tuple(fc.constantFrom('e', 'E'), fc.constantFrom('', '-', '+'), digits(0, 3)).map(p => p.join('')),
    ),
  )
  .map(parts => parts.join(''))

const midpointText = fc
  .tuple(
    fc.float({ noNaN: true, noDefaultInfinity: true, min: Math.fround(1e-30), max: Math.fround(1e30) }),
    fc.constantFrom('', '1', '0001'),
  )
  .map(([float, tail]) => {
    const bits = new DataView(new ArrayBuffer(4))
    bits.setFloat32(0, float)
    bits.setInt32(0, bits.getInt32(0) + 1)
    const middle = (float + bits.getFloat32(0)) / 2
    return `${middle.toFixed(60)}${tail}`
  })

export const doubles: fc.Arbitrary<unknown> = fc.oneof(
  fc.double(),
  fc.float(),
  edgeDouble,
  fc.integer(),
  bigints,
  decimalText,
  integerText,
  midpointText,
  fc.double().map(String),
  fc.integer({ min: -1e9, max: 1e9 }).map(n => n / 100),
  fc.constantFrom(
    'NaN',
    'nan',
    'Infinity',
    '-Infinity',
    'inf',
    '+Infinity',
    '1e400',
    '1e-400',
    '-1e-400',
    '0e-400',
    '0e9999',
    '0.0e5',
    '1e-320',
    '1e39',
    '1e-46',
    '-0',
    '-0.0',
    '.5',
    '5.',
    '0x10',
    ' 1 ',
    '1e',
    '10.0e400',
    '1.7976931348623159e308',
    '1.7976931348623157e308',
    '  ',
    'x',
  ),
)

export const numerics: fc.Arbitrary<unknown> = fc.oneof(
  doubles,
  decimalText,
  integers,
  fc
    .tuple(fc.integer({ min: -1e9, max: 1e9 }), fc.integer({ min: 0, max: 6 }))
    .map(([n, places]) => n / 10 ** places),
  fc.tuple(digits(1, 1200), digits(1, 1200)).map(([a, b]) => `${a}.${b}`),
  fc.tuple(digits(1, 30), fc.integer({ min: -17000, max: 17000 })).map(([a, e]) => `${a}e${e}`),
  fc.constantFrom(
    '0',
    '0.00',
    '-0.00',
    '0e5',
    '0e-5',
    '0.0e2',
    '00001.5000',
    '1e131071',
    '1e131072',
    '9e131071',
    '1e-16383',
    '1e-16384',
    '0e-16384',
    '1.50e1',
    '1.50e-1',
    '1.50e3',
    '10000',
    '9999',
    '0.0001',
    '0.00001',
    '100000000',
    `1${'0'.repeat(40)}`,
    `0.${'0'.repeat(40)}1`,
    `${'9'.repeat(1000)}.${'9'.repeat(1000)}`,
    `0.${'0'.repeat(16382)}1`,
    `0.${'0'.repeat(16383)}1`,
    '1e+5',
    '1E5',
    '1e5.5',
    '1.',
    '.1',
    '-',
    '',
    '-.',
    '1..2',
    '1.2.3',
    'nan',
    'infinity',
    '+inf',
    '1e1000000',
    '12345678901234567890',
    '99.995',
    '99.994',
    '-99.995',
    '999.99',
    '1000',
    '1e-1000000',
    '0e1000000',
    '1 ',
    'NaN',
    '1_0',
    '0x1f',
  ),
)

export const booleans: fc.Arbitrary<unknown> = fc.oneof(
  fc.boolean(),
  fc.constantFrom(
    'true',
    'false',
    't',
    'f',
    'yes',
    'no',
    'y',
    'n',
    'on',
    'off',
    '1',
    '0',
    'TRUE',
    'tr',
    'o',
    'of',
    ' true ',
    '10',
    '',
    'x',
    1,
    0,
    2,
    -0,
    0.5,
    1n,
    0n,
    2n,
  ),
)

const dateParts = fc.tuple(
  fc.oneof(
    fc.integer({ min: 0, max: 9999 }),
    fc.integer({ min: 1890, max: 2040 }),
    fc.constantFrom(4713, 4714, 4715, 1, 4, 100, 400, 2000),
  ),
  fc.integer({ min: 0, max: 13 }),
  fc.integer({ min: 0, max: 32 }),
)
const dateText = fc.oneof(
  dateParts.map(([y, m, d]) => `${pad(y, 4)}-${pad(m, 2)}-${pad(d, 2)}`),
  fc
    .tuple(
      fc.integer({ min: 1, max: 9999 }),
      fc.integer({ min: 1, max: 12 }),
      fc.integer({ min: 1, max: 31 }),
    )
    .map(([y, m, d]) => `${pad(y, 4)}-${pad(m, 2)}-${pad(d, 2)}`),
)
const timeText = fc
  .tuple(
    fc.oneof(
      { weight: 5, arbitrary: fc.integer({ min: 0, max: 23 }) },
      { weight: 1, arbitrary: fc.integer({ min: 24, max: 25 }) },
    ),
    fc.oneof(
      { weight: 9, arbitrary: fc.integer({ min: 0, max: 59 }) },
      { weight: 1, arbitrary: fc.constant(60) },
    ),
    fc.oneof(
      fc.constant(''),
      fc.integer({ min: 0, max: 59 }).map(s => `:${pad(s, 2)}`),
      fc.constant(':60'),
      fc.tuple(fc.integer({ min: 0, max: 59 }), digits(0, 8)).map(([s, f]) => `:${pad(s, 2)}.${f}`),
    ),
  )
  .map(([h, m, s]) => `${pad(h, 2)}:${pad(m, 2)}${s}`)
const offsetText = fc.oneof(
  fc.constantFrom(
    '',
    'Z',
    'z',
    '+00',
    '-00',
    '+05:30',
    '-03:30',
    '+15:59',
    '+16',
    '+15:59:59',
    '-15:59:59',
    '+0530',
    ' UTC',
    ' America/New_York',
    '+1',
    '-08:00:01',
    '+01:60',
  ),
  fc
    .tuple(fc.constantFrom('+', '-'), fc.integer({ min: 0, max: 17 }), fc.integer({ min: 0, max: 61 }))
    .map(([s, h, m]) => `${s}${pad(h, 2)}:${pad(m, 2)}`),
)

/** The whole range of Date, its ends, the years where offsets have seconds, and the hours that clocks skip. */
export const dates: fc.Arbitrary<Date> = fc.oneof(
  fc.date({ noInvalidDate: false }),
  fc.date({ min: new Date('1850-01-01'), max: new Date('2060-01-01'), noInvalidDate: true }),
  fc.date({ min: new Date('-005000-01-01'), max: new Date('0200-01-01'), noInvalidDate: true }),
  fc
    .constantFrom(
      8.64e15,
      -8.64e15,
      0,
      -1,
      946684800000,
      -210866803200000,
      -210866803200001,
      -210866716800000,
      -62135596800000,
      -62167219200000,
      -62167219200001,
      94694400000,
      94694399999,
      1710054000000,
      1710053999999,
      1730610000000,
      1730613600000,
      -2717640000000,
      253402300800000,
      9223372036854,
    )
    .map(ms => new Date(ms)),
)

const specialDates = fc.constantFrom(
  'infinity',
  '-infinity',
  'Infinity',
  '+infinity',
  'epoch',
  'today',
  'January 8, 1999',
  '1999-Jan-08',
  '19990108',
  '990108',
  '1999.008',
  'J2451187',
  'January 8, 99 BC',
  '2000-02-29',
  '1900-02-29',
  '2004-02-29 BC',
  '0001-02-29 BC',
  '0005-02-29 BC',
  '0001-01-01 BC',
  '0001-12-31 BC',
  '0000-01-01',
  '4713-01-01 BC',
  '4714-11-24 BC',
  '4714-11-23 BC',
  '4714-12-31 BC',
  '5874897-12-31',
  '10000-01-01',
  '2000-1-1',
  '2000-01-01T',
  '2000-01-01 ',
  ' 2000-01-01',
  '2000-01-01 BC',
  '2000-01-01BC',
  '2000-01-01 AD',
  '2000-01-01 bc',
  '2000-01-01T00',
  '2000-01-01T00:00',
  '2000-01-01t00:00',
  '2000-01-01 00:00:00 BC',
  '2000-01-01 00:00:00Z BC',
  '2000-01-01 00:00:00+01 BC',
  '2000-01-01T24:00:00',
  '1997-02-10 17:32:01-07:00',
  '20000101T000000',
  '2000-01-01 12:00 PM',
  '4714-11-24 00:00:00+01 BC',
  '4714-11-24 00:00:00-01 BC',
  '4714-11-25 00:00:00+15:59 BC',
  '0099-01-01',
  '0001-01-01 00:00:00+15:59',
  '2000-01-01  00:00',
  '2000-01-01 00:00:00.1234567',
  '2000-01-01 23:59:59.999999',
  '2000-01-01T00:00:00.Z',
  '2000-01-01T00:00:00,5',
  '9999-12-31 23:59:59.999999-15:59',
  '12:00',
)

export const dateLikes: fc.Arbitrary<unknown> = fc.oneof(
  dates,
  dates,
  dateText,
  specialDates,
  fc.date({ noInvalidDate: true }).map(d => d.toISOString()),
  fc.date({ noInvalidDate: true }).map(d => d.getTime()),
  fc
    .tuple(dateText, fc.constantFrom(' ', 'T'), timeText, offsetText, fc.constantFrom('', '', '', ' BC'))
    .map(parts => parts.join('')),
  fc.tuple(dateText, fc.constantFrom('', ' BC', 'BC')).map(parts => parts.join('')),
)

export const times: fc.Arbitrary<unknown> = fc.oneof(
  timeText,
  fc.tuple(timeText, offsetText).map(parts => parts.join('')),
  dates,
  specialDates,
  fc.constantFrom(
    '04:05',
    '040506',
    '4:05:06 AM',
    '04:05 PM',
    '23:59:59.999999',
    '23:59:60',
    '24:00:00',
    '24:00:00.01',
    '00:00',
    'allballs',
    '04:05:06.1234567',
    '2003-04-12 04:05:06 America/New_York',
    '04:05:06.',
    '04:05:06-08:00',
    '04:05:06+15:59:59',
  ),
)

const intervalUnit = fc
  .tuple(
    fc.oneof(
      fc.integer({ min: -40, max: 40 }).map(String),
      fc.integer({ min: 0, max: 9999999 }).map(String),
      fc.double({ min: -50, max: 50, noNaN: true }).map(n => n.toFixed(7)),
      fc.constantFrom('+3', '-0', '-0.5', '1.5'),
    ),
    fc.constantFrom(
      'year',
      'years',
      'mon',
      'mons',
      'month',
      'months',
      'week',
      'day',
      'days',
      'hour',
      'hours',
      'minute',
      'minutes',
      'min',
      'second',
      'seconds',
      'ms',
      'century',
      '',
    ),
  )
  .map(([n, unit]) => `${n} ${unit}`.trim())

/** As postgres-interval, which `pg` reads intervals into. */
const intervalObject = fc
  .record(
    {
      years: fc.integer({ min: -50, max: 50 }),
      days: fc.integer({ min: -50, max: 50 }),
      seconds: fc.integer({ min: -59, max: 59 }),
    },
    { requiredKeys: [] },
  )
  .map(fields => ({
    ...fields,
    toPostgres: () =>
      Object.entries(fields)
        .map(([unit, count]) => `${count} ${unit}`)
        .join(' ') || '0',
  }))

export const intervals: fc.Arbitrary<unknown> = fc.oneof(
  fc.array(intervalUnit, { minLength: 1, maxLength: 4 }).map(parts => parts.join(' ')),
  fc
    .tuple(fc.array(intervalUnit, { maxLength: 3 }), fc.constantFrom('', '-', '+'), timeText)
    .map(([units, sign, time]) => [...units, sign + time].join(' ')),
  intervalObject,
  fc.constantFrom(
    'P1Y2M3DT4H5M6S',
    'PT0S',
    '1 year ago',
    '@ 1 minute',
    '1-2',
    '-1-2 +3 -4:05:06',
    '1:2',
    '5',
    '-5',
    '04:05:06',
    '-04:05:06',
    '1 day 2 days',
    '1 day  2 hours',
    '1 day ',
    ' 1 day',
    '1 YEAR',
    '100:00:00',
    '999999:59:59.999999',
    '-1 day 2 hours',
    '-1 day +2 hours',
    '1 day -2 hours',
    '-1 day -02:03:04',
    '-1 year 04:05:06',
    '0',
    '',
    'infinity',
    '-infinity',
    '1 mon 1 month',
    '6.789 seconds',
    '-6.789 seconds',
    '-0.5 seconds 3 days',
    '1 day 04:05',
    '178000000 years',
    '999999 years',
    '999999 hours -999999 minutes',
    '3 days 04:05:06.9999999',
  ),
)

const hex = (length: number): fc.Arbitrary<string> =>
  fc.string({ unit: fc.constantFrom(...'0123456789abcdefABCDEF'), minLength: length, maxLength: length })
export const uuids: fc.Arbitrary<unknown> = fc.oneof(
  fc.uuid(),
  fc.uuid().map(u => u.toUpperCase()),
  hex(32),
  fc.uuid().map(u => `{${u}}`),
  fc.tuple(hex(8), hex(4), hex(4), hex(4), hex(12)).map(parts => parts.join('-')),
  fc.tuple(hex(7), hex(5), hex(4), hex(4), hex(12)).map(parts => parts.join('-')),
  fc
    .tuple(fc.uuid(), fc.nat(35), fc.constantFrom('g', '-', ' ', 'é', '\u0130', '\u0000'))
    .map(([u, i, c]) => u.slice(0, i) + c + u.slice(i + 1)),
)

export const networks: fc.Arbitrary<unknown> = fc.oneof(
  fc.ipV4(),
  fc.ipV6(),
  fc.ipV4Extended(),
  fc
    .tuple(fc.oneof(fc.ipV4(), fc.ipV6()), fc.integer({ min: 0, max: 130 }))
    .map(([a, bits]) => `${a}/${bits}`),
  fc.constantFrom(
    '10.0.0.0/8',
    '10/8',
    '10',
    '192.168.1',
    '192.168.0.0/24',
    '192.168.0.1/24',
    '::/0',
    '::',
    '0.0.0.0/0',
    '::ffff:1.2.3.4',
    '::ffff:1.2.3.0/120',
    '2001:4f8:3:ba::/64',
    '2001:4f8:3:ba:2e0:81ff:fe22:d1f1/128',
    '::1/128',
    '1.2.3.4/33',
    '1.2.3.4/-1',
    '1.2.3.4/032',
    '01.2.3.4',
    '256.1.1.1',
    '1.2.3',
    'fe80::1%eth0',
    '::1 ',
    ' 1.2.3.4',
    '1::2::3',
    '10.1.2.3/32',
    '2001:DB8::',
    '1.2.3.4/',
    'g::',
    '240.0.0.0',
    '224.0.0.0',
  ),
)

export const bytes: fc.Arbitrary<unknown> = fc.oneof(
  fc.uint8Array({ maxLength: 40 }).map(b => Buffer.from(b)),
  fc.uint8Array({ maxLength: 40 }),
  fc.uint8Array({ minLength: 8, maxLength: 8 }).map(b => new DataView(b.buffer, 2, 5)),
  fc.constant(new Uint16Array([1, 2, 65535])),
  awkwardText,
  fc.uint8Array({ maxLength: 40 }).map(b => `\\x${Buffer.from(b).toString('hex')}`),
  fc.constantFrom(
    '\\xDEADBEEF',
    '\\xdeadbee',
    '\\x de ad',
    '\\xzz',
    '\\000',
    '\\\\',
    'abc \\153\\154\\155 \\052\\251\\124',
  ),
)

const jsonValue = fc.jsonValue({ maxDepth: 2 })
export const jsons: fc.Arbitrary<unknown> = fc.oneof(
  jsonValue.filter(value => !Array.isArray(value)),
  jsonValue.map(value => JSON.stringify(value)),
  fc.object({ maxDepth: 2 }),
  awkwardText.map(s => ({ [s]: s })),
  awkwardText.map(s => JSON.stringify(s)),
  fc.constantFrom(
    '{"a":1, "a":2}',
    '"\\u0000"',
    '{"a": "\\u0000"}',
    '"\\ud800"',
    'nul',
    '{',
    '1e400',
    '-0',
    'null',
    ' [1 , 2] ',
    'NaN',
    { a: 1n },
    { a: undefined },
    { toJSON: () => undefined },
  ),
)

class Point {
  get x() {
    return 1
  }
  toString() {
    return 'a point'
  }
}

/** Values of every JavaScript kind, for every column. */
export const strangers: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom<unknown>(
    null,
    undefined,
    true,
    false,
    0,
    -0,
    1,
    Number.NaN,
    Number.POSITIVE_INFINITY,
    1n,
    '',
    'x',
    {},
    Symbol('s'),
    () => 1,
    new Point(),
    Object.create(null),
    new Map([[1, 2]]),
    Object(5),
    Object('boxed'),
    Object(true),
    Object(1n),
    /re/,
    new Date(Number.NaN),
    new Date(0),
    new ArrayBuffer(4),
    { toPostgres: () => '1' },
    { toPostgres: () => 1 },
    { toPostgres: () => null },
    { toPostgres: () => new Date(0) },
    { toPostgres: () => ({ toPostgres: () => 'true' }) },
    { toPostgres: () => Buffer.from([1]) },
    { toPostgres: (prepare: (value: unknown) => unknown) => prepare(5) },
    {
      toPostgres: () => {
        throw new Error('no')
      },
    },
    { toPostgres: 5 },
    { toJSON: () => 7 },
    { toJSON: () => undefined },
    Object.assign(Object.create(Date.prototype), {}),
    circular(),
    [],
    [1],
    [null],
    ['a', 'b'],
    [
      [1, 2],
      [3, 4],
    ],
    [[]],
    [[1], [2, 3]],
    [new Date(0)],
    [{}],
    [undefined],
    [[1], null],
  ),
  awkwardText,
)

function circular(): object {
  const loop: { toPostgres: () => unknown } = { toPostgres: () => loop }
  return loop
}

/** Arrays of up to three dimensions, most of them rectangular. */
export function arraysOf(element: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> {
  const item = fc.oneof(
    { weight: 12, arbitrary: element },
    { weight: 1, arbitrary: fc.constantFrom(null, undefined) },
  )
  const row = (length: number): fc.Arbitrary<unknown[]> =>
    fc.array(item, { minLength: length, maxLength: length })
  return fc.oneof(
    fc.array(item, { maxLength: 3 }),
    fc.array(item, { maxLength: 1 }),
    fc.array(row(2), { minLength: 1, maxLength: 2 }),
    fc.array(fc.array(item, { maxLength: 2 }), { maxLength: 2 }),
    fc.array(fc.array(row(1), { minLength: 1, maxLength: 1 }), { minLength: 1, maxLength: 2 }),
    fc.constantFrom<unknown>(
      '{}',
      '{1,2}',
      '{NULL}',
      '{"a","b"}',
      '[0:1]={1,2}',
      '{{1},{2}}',
      '',
      [[[[[[1]]]]]],
      [[[[[[[1]]]]]]],
      [[], []],
      ['a', ['b']],
      Array(2),
    ),
  )
}
