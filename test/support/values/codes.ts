import fc from 'fast-check'
import { hex } from './identifiers.ts'
import { awkwardText } from './texts.ts'

/** Values of types with short codes: bits, addresses, numbers of objects, positions of the log. */

const bit = fc.constantFrom('0', '1')
export const bits: fc.Arbitrary<unknown> = fc.oneof(
  fc.string({ unit: bit, maxLength: 40 }),
  fc.string({ unit: bit, minLength: 3, maxLength: 3 }),
  fc.string({ unit: fc.constantFrom('0', '1', '2', ' '), maxLength: 9 }),
  hex(3).map(digits => `x${digits}`),
  fc.constantFrom<unknown>('', 'b101', 'B101', 'X1f', 'xg', 101, 1, 0, true, 10n, '1\u0000'),
)

const pairs = (count: number, separator: string): fc.Arbitrary<string> =>
  fc.array(hex(2), { minLength: count, maxLength: count }).map(list => list.join(separator))

export const macs: fc.Arbitrary<unknown> = fc.oneof(
  pairs(6, ':'),
  pairs(8, ':'),
  pairs(6, '-'),
  pairs(8, '-'),
  pairs(6, ''),
  pairs(8, ''),
  pairs(6, '.'),
  fc.tuple(pairs(3, ':'), pairs(3, '-')).map(parts => parts.join(':')),
  fc.tuple(hex(4), hex(4), hex(4)).map(parts => parts.join('.')),
  fc.tuple(hex(6), hex(6)).map(parts => parts.join(':')),
  fc.tuple(pairs(6, ':'), fc.constantFrom(' ', ':', '0', ':00')).map(parts => parts.join('')),
  fc.tuple(fc.constantFrom(' ', '0'), pairs(6, ':')).map(parts => parts.join('')),
  fc.constantFrom('8:0:2b:1:2:3', '08:00:2b:01:02:gg', '08:00:2b:01:02', ''),
)

/** Numbers of objects, whose existence the reg types do not check, and names. */
export const objects: fc.Arbitrary<unknown> = fc.oneof(
  fc.nat(),
  fc.integer({ min: -5, max: 5 }),
  fc.nat().map(String),
  fc.constantFrom<unknown>(
    0,
    -0,
    '-',
    '0',
    '-1',
    '007',
    '0x10',
    2 ** 31,
    2 ** 32 - 1,
    2 ** 32,
    '4294967295',
    '4294967296',
    '-2147483648',
    12n,
    1.5,
    ' 12',
    '12 ',
    'pg_class',
    'int4',
    'now',
    'english',
    'pg_catalog',
    'no such object',
    '',
    true,
  ),
)

export const positions: fc.Arbitrary<unknown> = fc.oneof(
  fc
    .tuple(fc.integer({ min: 1, max: 9 }).chain(hex), fc.integer({ min: 1, max: 9 }).chain(hex))
    .map(halves => halves.join('/')),
  fc.constantFrom(
    '0/0',
    'FFFFFFFF/FFFFFFFF',
    '16/B374D848',
    '/',
    '1/',
    '/1',
    '1',
    '1/2/3',
    ' 1/2',
    '1/2 ',
    'x/1',
  ),
)

export const amounts: fc.Arbitrary<unknown> = fc.oneof(
  fc.integer({ min: -1e9, max: 1e9 }).map(cents => cents / 100),
  fc.double({ min: -1e15, max: 1e15 }),
  fc.integer().map(String),
  fc.tuple(fc.integer(), fc.nat(9999)).map(([whole, rest]) => `${whole}.${rest}`),
  fc.bigInt({ min: -(2n ** 64n), max: 2n ** 64n }),
  fc.constantFrom<unknown>(
    '$1,234.56',
    '-$1.00',
    '(1.00)',
    '1,5',
    '1.',
    '.5',
    '-0.01',
    -0,
    0,
    '+1',
    '1.005',
    '1.995',
    '92233720368547758.07',
    '92233720368547758.08',
    '9999999999999.99',
    '',
    ' 1',
    Number.NaN,
    1e21,
  ),
)

export const singleBytes: fc.Arbitrary<unknown> = fc.oneof(
  fc.string({ unit: 'binary-ascii', maxLength: 2 }),
  fc.string({ unit: 'binary', maxLength: 1 }),
  fc.constantFrom<unknown>('', '\\', '\\101', '\\377', '\\4', 5, -5, 0, true, 'ab', 'é'),
)

const label = fc.oneof(
  fc.constantFrom('a', 'B_1', 'Top', 'наука', 'a-b', '', '*', 'a b'),
  fc.string({ maxLength: 3 }),
)
export const paths: fc.Arbitrary<unknown> = fc.oneof(
  fc.array(label, { maxLength: 4 }).map(labels => labels.join('.')),
  fc.constantFrom('Top.Science.Astronomy', '', '.', 'a..b', 'a.', '*.a{1,2}', 'a|b.!c', 'x'.repeat(1001)),
)

export const xmls: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom<unknown>(
    '<a/>',
    '<a>ünïcode €</a>',
    'text <b>and</b> elements',
    '<?xml version="1.0"?><a/>',
    '<?xml version="1.0" encoding="iso-8859-1"?><a>é</a>',
    '<?xml version="1.0" encoding="utf-16"?><a/>',
    ' <?xml version="1.0"?><a/>',
    '<!DOCTYPE a><a/>',
    '<a>',
    '<a>\u0000</a>',
    '<a>\u0001</a>',
    '\ufeff<a/>',
    '&amp;',
    '&nothing;',
    '<a><![CDATA[<?xml]]></a>',
    '',
    ' ',
    5,
    true,
  ),
  fc.string().map(text => `<a>${text}</a>`),
  awkwardText,
)
