import fc from 'fast-check'
import { BUILT_IN } from '../../../lib/encode/codecs/codec-for.ts'
import { oid } from '../../../lib/encode/codecs/numbers/oid.ts'

const digits = (min: number, max: number) =>
  fc.string({ unit: fc.constantFrom(...'0123456789'), minLength: min, maxLength: max })

/** Good texts, some of them with one character changed, added or removed. */
function nearly(texts: fc.Arbitrary<string>): fc.Arbitrary<string> {
  const spoil = fc.tuple(
    texts,
    fc.nat(),
    fc.constantFrom('', '0', '-', '.', ' ', 'e', 'é', ':', '9'),
    fc.boolean(),
  )
  const spoiled = spoil.map(([good, at, character, over]) => {
    const place = at % (good.length + 1)
    return good.slice(0, place) + character + good.slice(over ? place + 1 : place)
  })
  return fc.oneof({ weight: 2, arbitrary: texts }, spoiled)
}

const decimals = fc
  .tuple(fc.constantFrom('', '-'), digits(1, 20), fc.option(digits(1, 22), { nil: undefined }))
  .map(([sign, whole, fraction]) => `${sign}${whole}${fraction === undefined ? '' : `.${fraction}`}`)
const doubles = fc.double({ noNaN: true }).map(String)
const instants = fc.date({ noInvalidDate: true, min: new Date('0001-01-01'), max: new Date('9999-12-31') })
/** Undefined nine times of ten: the instant's own time or date. */
const sometimes = (texts: readonly string[]): fc.Arbitrary<string | undefined> =>
  fc.oneof(
    { weight: 9, arbitrary: fc.constant(undefined) },
    { weight: 1, arbitrary: fc.constantFrom(...texts) },
  )

const times = sometimes(['23:59:59', '24:00:00', '12:60:00', '12:59:60'])
const dates = sometimes(['2023-02-29', '2000-02-29', '2024-00-01', '2024-13-01'])
const timestamps = fc
  .tuple(
    instants,
    times,
    dates,
    fc.constantFrom('T', ' '),
    fc.nat(7),
    fc.constantFrom('', 'Z', '+02', '-15:59', '+05:30:10', '+16'),
  )
  .map(([instant, oddTime, oddDate, between, places, offset]) => {
    const [day, time] = instant.toISOString().split('T') as [string, string]
    const clock = oddTime ?? time.slice(0, 8)
    const fraction = places === 0 ? '' : `.${'123456789'.slice(0, places)}`
    return `${oddDate ?? day}${between}${clock}${fraction}${offset}`
  })

const int8s = nearly(fc.oneof(fc.bigInt({ min: -(2n ** 64n), max: 2n ** 64n }).map(String), digits(1, 20)))
const decimalsOrDoubles = nearly(fc.oneof(decimals, doubles))
const clocks = timestamps.map(text => text.slice(11))
const addresses = fc.oneof(
  fc.ipV4(),
  fc.ipV6(),
  fc.tuple(fc.ipV4(), fc.nat(40)).map(([ip, bits]) => `${ip}/${bits}`),
)
const pairs = (count: number): fc.Arbitrary<string> =>
  fc.uint8Array({ minLength: count, maxLength: count }).map(bytes => hexPairs(bytes))
const hexPairs = (bytes: Uint8Array): string =>
  Buffer.from(bytes)
    .toString('hex')
    .replace(/..(?=.)/g, '$&:')
const bits = fc.string({ unit: fc.constantFrom('0', '1'), maxLength: 20 })
const objects = nearly(fc.oneof(fc.nat().map(String), digits(9, 11)))
const words = fc.string({ unit: 'grapheme', maxLength: 200 })

/** Texts that a file may have for each type: good ones, nearly good ones, and the odd ones. */
export const FILE_TEXTS: Readonly<Record<string, fc.Arbitrary<string>>> = {
  bool: fc.oneof(nearly(fc.constantFrom('true', 'false', 't', 'f', '1', '0', 'yes', 'off')), fc.string()),
  int2: nearly(fc.oneof(fc.integer({ min: -40_000, max: 40_000 }).map(String), digits(1, 20))),
  int4: nearly(fc.oneof(fc.integer().map(String), digits(1, 20))),
  int8: int8s,
  float4: decimalsOrDoubles,
  float8: nearly(fc.oneof(decimals, doubles, fc.constantFrom('9007199254740993', '-0', '0.0', 'NaN'))),
  numeric: decimalsOrDoubles,
  text: words,
  varchar: words,
  bpchar: words,
  name: fc.string({ unit: 'grapheme', maxLength: 80 }),
  bytea: fc.oneof(
    nearly(fc.uint8Array().map(bytes => `\\x${Buffer.from(bytes).toString('hex')}`)),
    fc.string(),
  ),
  uuid: nearly(fc.uuid()),
  date: nearly(timestamps.map(text => text.slice(0, 10))),
  time: nearly(clocks.map(text => text.replace(/[-+Z].*/, ''))),
  timetz: nearly(clocks),
  timestamp: nearly(timestamps),
  timestamptz: nearly(timestamps),
  interval: nearly(
    fc
      .tuple(fc.nat(999), fc.nat(99))
      .map(([days, hours]) => `${days} days ${String(hours).padStart(2, '0')}:00:01.5`),
  ),
  json: fc.json(),
  jsonb: fc.json(),
  inet: nearly(addresses),
  cidr: nearly(addresses),
  macaddr: nearly(pairs(6)),
  macaddr8: nearly(pairs(8)),
  bit: nearly(bits),
  varbit: nearly(bits),
  char: fc.string({ unit: 'binary-ascii', maxLength: 2 }),
  xml: fc.string({ unit: 'grapheme' }).map(text => `<a>${text}</a>`),
  jsonpath: words,
  pg_lsn: nearly(fc.tuple(fc.nat(), fc.nat()).map(halves => halves.map(half => half.toString(16)).join('/'))),
  ...Object.fromEntries([...BUILT_IN].flatMap(([type, codec]) => (codec === oid ? [[type, objects]] : []))),
}
