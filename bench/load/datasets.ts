import { seededRandom } from '../../test/support/random.ts'
import { describeRows } from '../support/rows.ts'
import { type Column, TABLE } from '../support/table.ts'
import type { Row } from '../support/tables/bench-table.ts'
import { describeTable, TABLES } from '../support/tables/index.ts'

/** Rows of one table, of which files are made. */
export interface Dataset {
  readonly table: string
  readonly columns: readonly Column[]
  /** Columns whose values identify a row. */
  readonly key: readonly string[]
  /** Sentences about the rows in RESULTS.md. */
  readonly about: string
  /** The share of a benchmark's rows that it has, since its rows are larger. @default 1 */
  readonly share?: number
  /** Returns seeded rows. */
  rows(count: number): Row[]
}

const SEED = 20_090_101
const DAY_MS = 86_400_000
const FIRST_DAY = Date.UTC(2024, 0, 1)

const TAXI_COLUMNS = [
  ['trip_id', 'bigint'],
  ['vendor_id', 'int'],
  ['pickup', 'timestamp'],
  ['dropoff', 'timestamp'],
  ['passengers', 'bigint'],
  ['distance', 'float8'],
  ['rate_code', 'bigint'],
  ['store_and_forward', 'text'],
  ['pickup_zone', 'int'],
  ['dropoff_zone', 'int'],
  ['payment_type', 'bigint'],
  ...['fare', 'extra', 'mta_tax', 'tip', 'tolls', 'surcharge', 'total', 'congestion', 'airport_fee'].map(
    name => [name, 'float8'] as const,
  ),
] as const

function taxiTrip(index: number): Row {
  const random = seededRandom(SEED + index)
  const cents = (most: number) => random.integer(0, most * 100) / 100
  const pickup = FIRST_DAY + random.integer(0, 30 * DAY_MS)
  const time = (ms: number) => new Date(ms - (ms % 1000)).toISOString().slice(0, 19)
  const isKnown = random.next() > 0.05
  const [fare, tip, tolls] = [cents(60), cents(12), random.next() < 0.1 ? 6.94 : 0]
  return {
    trip_id: index + 1,
    vendor_id: random.integer(1, 2),
    pickup: time(pickup),
    dropoff: time(pickup + random.integer(60, 3600) * 1000),
    passengers: isKnown ? random.integer(1, 6) : null,
    distance: cents(20),
    rate_code: isKnown ? random.pick([1, 1, 1, 2, 5]) : null,
    store_and_forward: isKnown ? random.pick(['N', 'N', 'N', 'Y']) : null,
    pickup_zone: random.integer(1, 265),
    dropoff_zone: random.integer(1, 265),
    payment_type: random.integer(0, 4),
    fare,
    extra: random.pick([0, 1, 2.5]),
    mta_tax: 0.5,
    tip,
    tolls,
    surcharge: 1,
    total: Math.round((fare + tip + tolls + 1.5) * 100) / 100,
    congestion: isKnown ? random.pick([0, 2.5]) : null,
    airport_fee: isKnown ? random.pick([0, 0, 1.75]) : null,
  }
}

const EVENT_GROUPS = 8
const EVENT_WORDS = ['checkout', 'search', 'sign in', 'größe', 'a "quoted" word', 'page view']

/** Forty columns: eight groups of five types. */
const EVENT_COLUMNS: Column[] = [
  { name: 'id', type: 'bigint' },
  ...Array.from({ length: EVENT_GROUPS }, (_, group): Column[] => [
    { name: `count_${group}`, type: 'int' },
    { name: `label_${group}`, type: 'text' },
    { name: `ratio_${group}`, type: 'float8' },
    { name: `flag_${group}`, type: 'boolean' },
    { name: `at_${group}`, type: 'timestamptz' },
  ]).flat(),
  { name: 'context', type: 'jsonb' },
]

function event(index: number): Row {
  const random = seededRandom(SEED + index)
  const row: Record<string, unknown> = { id: index + 1 }
  for (let group = 0; group < EVENT_GROUPS; group++) {
    row[`count_${group}`] = random.integer(0, 100_000)
    row[`label_${group}`] = random.next() < 0.2 ? null : random.pick(EVENT_WORDS)
    row[`ratio_${group}`] = random.next()
    row[`flag_${group}`] = random.next() < 0.5
    row[`at_${group}`] = new Date(FIRST_DAY + random.integer(0, 365 * DAY_MS)).toISOString()
  }
  row.context = { tags: [random.pick(EVENT_WORDS), random.pick(EVENT_WORDS)], rank: random.integer(0, 9) }
  return row
}

const many = (make: (index: number) => Row) => (count: number) =>
  Array.from({ length: count }, (_, index) => make(index))

export const DATASETS = {
  mixed: { table: TABLE, ...TABLES.mixed, about: describeRows() },
  lineitem: { table: 'bench_lineitem', ...TABLES.lineitem, about: describeTable('lineitem') },
  taxi: {
    table: 'bench_taxi',
    columns: TAXI_COLUMNS.map(([name, type]) => ({ name, type })),
    key: ['trip_id'],
    about:
      'Taxi trips have 20 columns, as those of New York: times without a zone, counts, amounts as float8.',
    rows: many(taxiTrip),
  },
  'wide-json': {
    table: 'bench_events',
    columns: EVENT_COLUMNS,
    key: ['id'],
    about: 'Wide JSON has 42 keys a line: counts, texts, ratios, flags, times, an object.',
    share: 1 / 5,
    rows: many(event),
  },
} satisfies Record<string, Dataset>

export type DatasetName = keyof typeof DATASETS
