import fc from 'fast-check'
import { awkwardText } from './texts.ts'

/** Values of types whose texts are made of other texts: ranges, rows, pairs. */

const quoted = (text: string): string => `"${text.replace(/["\\]/g, '\\$&')}"`

/** A text as an item: plain, in quotes, with escapes, with spaces. */
const itemOf = (text: fc.Arbitrary<string>): fc.Arbitrary<string> =>
  fc.oneof(
    { weight: 4, arbitrary: text },
    { weight: 2, arbitrary: text.map(quoted) },
    text.map(item => `"${item.replace(/"/g, '""').replace(/\\/g, '\\\\')}"`),
    text.map(item => ` ${item} `),
    text.map(item => [...item].map(character => `\\${character}`).join('')),
    text.map(item => `${item.slice(0, 1)}"${item.slice(1)}"`),
    fc.constantFrom('', '""', '"', '\\', '"a""b"', 'NULL', 'infinity'),
  )

/** Texts that are often bounds of the type, in order. */
export function rangesOf(bound: fc.Arbitrary<string>): fc.Arbitrary<unknown> {
  const range = fc
    .tuple(fc.constantFrom('[', '('), itemOf(bound), itemOf(bound), fc.constantFrom(']', ')'))
    .map(([open, lower, upper, close]) => `${open}${lower},${upper}${close}`)
  const point = bound.map(value => `[${quoted(value)},${quoted(value)}]`)
  return fc.oneof(
    { weight: 5, arbitrary: range },
    { weight: 3, arbitrary: point },
    fc
      .tuple(fc.constantFrom(' ', '', '\n'), range, fc.constantFrom(' ', 'x', ','))
      .map(parts => parts.join('')),
    fc.constantFrom('empty', 'EMPTY', ' empty ', 'emptyx', '(,)', '[,]', '[1,2', '1,2)', '[1,2,3)', '', '[)'),
    range.map(text => ({ toPostgres: () => text })),
  )
}

export function multirangesOf(bound: fc.Arbitrary<string>): fc.Arbitrary<unknown> {
  const ranges = fc.array(
    rangesOf(bound).filter(range => typeof range === 'string'),
    { maxLength: 3 },
  )
  return fc.oneof(
    fc
      .tuple(ranges, fc.constantFrom(',', ', ', ' , ', ',,'), fc.constantFrom('}', '} ', '', '}}'))
      .map(([texts, comma, close]) => `{${texts.join(comma)}${close}`),
    ranges.map(texts => `{${texts.join(',')}}`),
    fc.constantFrom('{}', '{ }', '{,}', 'empty', '{empty}', '{(,)}', '[1,2)'),
  )
}

/** Texts of composite types with a field for each arbitrary, and some with more or fewer. */
export function rowsOf(...fields: fc.Arbitrary<string>[]): fc.Arbitrary<unknown> {
  const row = fc.tuple(...fields.map(itemOf)).map(items => `(${items.join(',')})`)
  return fc.oneof(
    { weight: 6, arbitrary: row },
    fc
      .array(awkwardText.filter(text => typeof text === 'string').map(String), { maxLength: 3 })
      .map(items => `(${items.join()})`),
    fc.tuple(fc.constantFrom(' ', '', 'x'), row, fc.constantFrom(' ', '', ')')).map(parts => parts.join('')),
    fc.constantFrom('(,)', '()', '(1,a', '1,a)', '(1,"a,b")', '(1,a,)', '(1,a))'),
    row.map(text => ({ toPostgres: () => text })),
  )
}

const word = fc.oneof(
  fc.constantFrom(
    'a',
    'b',
    'key',
    'null',
    'NULL',
    '1',
    'ключ',
    'a b',
    '',
    'a=>b',
    '"',
    '\\',
    'a,b',
    "'",
    '\u0000',
  ),
  fc.string({ maxLength: 5 }),
)
const hstoreItem = fc.oneof(
  { weight: 4, arbitrary: word.map(quoted) },
  word,
  word.map(text => `'${text}'`),
  word.map(text => `"${text}`),
)
const pair = fc
  .tuple(hstoreItem, fc.constantFrom('=>', ' => ', '=> ', '=', '  =>'), hstoreItem)
  .map(parts => parts.join(''))

export const hstores: fc.Arbitrary<unknown> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc
      .uniqueArray(word, { maxLength: 5 })
      .map(keys => keys.map(key => `${quoted(key)}=>"v"`).join(', ')),
  },
  { weight: 4, arbitrary: fc.array(pair, { maxLength: 3 }).map(pairs => pairs.join(',')) },
  fc.array(pair, { maxLength: 3 }).map(pairs => pairs.join(', ')),
  fc.constantFrom('', ' ', 'a=>1,', 'a=>NULL', '"a"=>"NULL"', 'a=>1,a=>2', 'a', 'a=>', '{"a": 1}'),
)
