import { mixSeed, type Random, seededRandom } from '../../test/support/random.ts'
import { benchRows, COLUMNS } from '../support/rows.ts'

export type Row = Readonly<Record<string, unknown>>

/**
 * One column: the table's type, and, where pg-copy-streams-binary has it, its name there and the value that
 * it takes.
 */
export interface EncodedColumn {
  readonly name: string
  /** The catalogue's name of the type; an array's is its element's name after an underscore. */
  readonly type: string
  readonly peer?: { readonly type: string; readonly value?: (value: never) => unknown }
}

export interface EncodedTable {
  readonly columns: readonly EncodedColumn[]
  readonly rows: (count: number) => readonly Row[]
}

type MakeValue = (random: Random, index: number) => unknown
type Peer = NonNullable<EncodedColumn['peer']>
type Made = readonly [type: string, make: MakeValue, peer?: Peer | undefined]

const WORDS = ['amber', 'birch', 'cobalt', 'delta', 'ember', 'fjord', 'garnet', 'harbor']
const FIRST_DAY = Date.UTC(2000, 0, 1)
const THIRTY_YEARS_MS = 30 * 365 * 86_400_000

const integerOf =
  (low: number, high: number): MakeValue =>
  random =>
    random.integer(low, high)
const dateOf: MakeValue = random => new Date(FIRST_DAY + random.integer(0, THIRTY_YEARS_MS))
const isoOf: MakeValue = (random, index) => (dateOf(random, index) as Date).toISOString()
const dayOf: MakeValue = (random, index) => (isoOf(random, index) as string).slice(0, 10)
const decimalOf: MakeValue = random => random.integer(0, 9_999_999) / 100
const digitsOf: MakeValue = random =>
  `${random.integer(1, 9_999_999)}${random.integer(10_000_000, 99_999_999)}`
const wordsOf =
  (low: number, high: number): MakeValue =>
  random => {
    let text = ''
    for (const length = random.integer(low, high); text.length < length; ) text += `${random.pick(WORDS)} `
    return flat(text)
  }
const uuidOf: MakeValue = random => {
  const hex = Array.from({ length: 32 }, () => random.integer(0, 15).toString(16)).join('')
  return flat(
    `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`,
  )
}
const objectOf: MakeValue = random => ({ tag: random.pick(WORDS), rank: random.integer(0, 9), on: true })
/** Numbers of 53 bits: those of 32 bits are often in the middle of two floats, where text has to decide. */
const embeddingOf = (random: Random, _index: number): number[] =>
  Array.from({ length: 384 }, () => random.next() + random.next() / 2 ** 32 - 0.5)
const textOf =
  (make: MakeValue): MakeValue =>
  (random, index) =>
    flat(String(make(random, index)))

/**
 * Flattens a string, as a parser's strings are flat. A concatenated string would be joined at its first use.
 */
function flat(text: string): string {
  return Buffer.from(text).toString()
}

function table(columns: readonly Made[]): EncodedTable {
  const named = columns.map(([type, make, peer], index) => ({ name: `column_${index}`, type, make, peer }))
  return {
    columns: named.map(({ name, type, peer }) => ({ name, type, ...(peer && { peer }) })),
    rows: count => {
      const random = seededRandom(mixSeed(...named.map(({ type }) => type)))
      return Array.from({ length: count }, (_, index) =>
        Object.fromEntries(named.map(({ name, make }) => [name, make(random, index)])),
      )
    },
  }
}

const one = (type: string, make: MakeValue, peer?: Peer): EncodedTable => table([[type, make, peer]])

const EIGHT_NAMES = {
  bigint: 'int8',
  int: 'int4',
  text: 'text',
  float8: 'float8',
  numeric: 'numeric',
  boolean: 'bool',
  timestamptz: 'timestamptz',
  jsonb: 'jsonb',
} as const

/** The rows that all benchmarks write. */
const eightColumns: EncodedTable = {
  columns: COLUMNS.map(({ name, type }) => ({ name, type: EIGHT_NAMES[type] })),
  rows: count => benchRows(count) as unknown as Row[],
}

const STATUSES = ['O', 'F', 'P']
const INSTRUCTIONS = ['DELIVER IN PERSON', 'COLLECT COD', 'NONE', 'TAKE BACK RETURN']
const MODES = ['TRUCK', 'MAIL', 'REG AIR', 'SHIP', 'FOB', 'RAIL', 'AIR']
const cents =
  (low: number, high: number): MakeValue =>
  random =>
    (random.integer(low, high) / 100).toFixed(2)

/** TPC-H's lineitem: keys, decimals, dates as days, and short texts. */
const LINEITEM: readonly (readonly [string, MakeValue])[] = [
  ['int4', (_, index) => (index >> 2) + 1],
  ['int4', integerOf(1, 200_000)],
  ['int4', integerOf(1, 10_000)],
  ['int4', (_, index) => (index & 3) + 1],
  ['numeric', cents(100, 5000)],
  ['numeric', cents(90_000, 10_000_000)],
  ['numeric', cents(0, 10)],
  ['numeric', cents(0, 8)],
  ['bpchar', random => random.pick(['R', 'A', 'N'])],
  ['bpchar', random => random.pick(STATUSES)],
  ['date', dayOf],
  ['date', dayOf],
  ['date', dayOf],
  ['bpchar', random => random.pick(INSTRUCTIONS)],
  ['bpchar', random => random.pick(MODES)],
  ['varchar', wordsOf(10, 43)],
]

/** Whole tables of different kinds. */
export const WHOLE_TABLES: Readonly<Record<string, EncodedTable>> = {
  '8 columns': eightColumns,
  'lineitem, 16 columns': table(LINEITEM),
  'lineitem, all strings': table(LINEITEM.map(([type, make]) => [type, textOf(make)])),
  'from CSV: 8 columns, all strings': table([
    ['int8', textOf(integerOf(1, 1_000_000))],
    ['int4', textOf(integerOf(0, 9999))],
    ['text', wordsOf(5, 20)],
    ['float8', textOf(random => random.next())],
    ['numeric', textOf(decimalOf)],
    ['bool', textOf(random => random.next() < 0.5)],
    ['date', dayOf],
    ['timestamptz', isoOf],
  ]),
  'narrow integers, 4 columns': table([
    ['int2', integerOf(0, 100)],
    ['int4', integerOf(0, 100_000)],
    ['int4', (_, index) => index],
    ['int8', (_, index) => index * 1000],
  ]),
  'wide text, 1–10 kB': table([
    ['int4', (_, index) => index],
    ['text', wordsOf(1000, 10_000)],
  ]),
}

const toBigInt: Peer = { type: 'int8', value: BigInt }
const toNumber = (type: string): Peer => ({ type, value: Number })
const toDate: Peer = { type: 'timestamptz', value: (text: string) => new Date(text) }

/** Tables of one column, to compare type by type. */
export const ONE_COLUMN: Readonly<Record<string, EncodedTable>> = {
  'int2 from number': one('int2', integerOf(-32_768, 32_767), { type: 'int2' }),
  'int4 from number': one('int4', integerOf(-2_000_000_000, 2_000_000_000), { type: 'int4' }),
  'int4 from string': one('int4', textOf(integerOf(-99_999_999, 99_999_999)), toNumber('int4')),
  'int8 from number': one('int8', integerOf(0, 2 ** 40), toBigInt),
  'int8 from bigint': one('int8', random => BigInt(random.integer(0, 2 ** 50)) * 1000n, toBigInt),
  'int8 from string, ≤ 15 digits': one('int8', digitsOf, toBigInt),
  'int8 from string, 18 digits': one(
    'int8',
    random => flat(`${random.integer(1000, 9999)}${random.integer(10_000_000, 99_999_999)}123456`),
    toBigInt,
  ),
  'float4 from number': one('float4', random => Math.fround(random.next()), { type: 'float4' }),
  'float8 from number': one('float8', random => random.next(), { type: 'float8' }),
  'float8 from string': one(
    'float8',
    textOf(random => random.next()),
    toNumber('float8'),
  ),
  'float8 from short string': one('float8', textOf(decimalOf), toNumber('float8')),
  'numeric from number': one('numeric', decimalOf),
  'numeric from string': one('numeric', textOf(decimalOf)),
  'numeric from string, 30 digits': one('numeric', random =>
    flat(`${digitsOf(random, 0)}.${digitsOf(random, 1)}`),
  ),
  'bool from boolean': one('bool', random => random.next() < 0.5, { type: 'bool' }),
  'bool from string': one(
    'bool',
    textOf(random => random.next() < 0.5),
    {
      type: 'bool',
      value: (text: string) => text === 'true',
    },
  ),
  'text, 8 characters': one('text', textOf(integerOf(10_000_000, 99_999_999)), { type: 'text' }),
  'text, 10–40 characters': one('text', wordsOf(10, 34), { type: 'text' }),
  'text, 100 characters': one('text', wordsOf(95, 95), { type: 'text' }),
  'text, 1,000 characters': one('text', wordsOf(990, 990), { type: 'text' }),
  'text, 20 characters, not ASCII': one('text', random => flat(`${wordsOf(5, 9)(random, 0)}é ü ß €`), {
    type: 'text',
  }),
  'text, 20 characters, Chinese': one(
    'text',
    random => flat(`数据库批量写入流${random.integer(0, 99)}`.repeat(2)),
    {
      type: 'text',
    },
  ),
  'bytea, 32 bytes': one('bytea', random => Buffer.alloc(32, random.integer(0, 255)), { type: 'bytea' }),
  'bytea from hex': one('bytea', random => flat(`\\x${(uuidOf(random, 0) as string).replaceAll('-', '')}`), {
    type: 'bytea',
    value: (text: string) => Buffer.from(text.slice(2), 'hex'),
  }),
  uuid: one('uuid', uuidOf),
  'date from string': one('date', dayOf),
  'date from Date': one('date', dateOf),
  'time from string': one('time', (random, index) => flat((isoOf(random, index) as string).slice(11, 23))),
  'timestamp from string': one('timestamp', (random, index) =>
    flat((isoOf(random, index) as string).slice(0, 23).replace('T', ' ')),
  ),
  'timestamp from Date': one('timestamp', dateOf),
  'timestamptz from string': one('timestamptz', isoOf, toDate),
  'timestamptz from Date': one('timestamptz', dateOf, { type: 'timestamptz' }),
  interval: one('interval', random =>
    flat(`${random.integer(1, 28)} days 0${random.integer(0, 9)}:${random.integer(10, 59)}:07`),
  ),
  'json from object': one('json', objectOf, { type: 'json' }),
  'jsonb from object': one('jsonb', objectOf, { type: 'jsonb' }),
  'jsonb from string': one('jsonb', random => flat(JSON.stringify(objectOf(random, 0))), {
    type: 'jsonb',
    value: JSON.parse,
  }),
  'int4[] of 5': one('_int4', random => Array.from({ length: 5 }, () => random.integer(0, 1_000_000)), {
    type: '_int4',
  }),
  'text[] of 5': one('_text', random => Array.from({ length: 5 }, () => random.pick(WORDS)), {
    type: '_text',
  }),
  'vector(384) from numbers': one('vector', embeddingOf),
  'vector(384) from Float32Array': one('vector', (random, index) =>
    Float32Array.from(embeddingOf(random, index)),
  ),
  'vector(384) from string': one('vector', (random, index) =>
    flat(JSON.stringify(embeddingOf(random, index))),
  ),
  'halfvec(384) from numbers': one('halfvec', embeddingOf),
  'inet, IPv4': one('inet', random =>
    flat(Array.from({ length: 4 }, () => random.integer(0, 255)).join('.')),
  ),
  'inet, IPv6': one('inet', random => flat(`2001:db8::${random.integer(0, 65_535).toString(16)}:1`)),
}

export const TABLES: Readonly<Record<string, EncodedTable>> = { ...WHOLE_TABLES, ...ONE_COLUMN }
