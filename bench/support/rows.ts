import { type Random, seededRandom } from '../../test/support/random.ts'

/**
 * The row that all benches write: eight columns of eight types. A type, for an interface is no record of
 * columns.
 */
export type BenchRow = {
  readonly id: number
  readonly quantity: number
  readonly name: string
  readonly score: number
  readonly price: string
  readonly active: boolean
  readonly created_at: Date
  readonly attributes: { readonly tag: string; readonly rank: number }
}

export const COLUMNS = [
  { name: 'id', type: 'bigint' },
  { name: 'quantity', type: 'int' },
  { name: 'name', type: 'text' },
  { name: 'score', type: 'float8' },
  { name: 'price', type: 'numeric' },
  { name: 'active', type: 'boolean' },
  { name: 'created_at', type: 'timestamptz' },
  { name: 'attributes', type: 'jsonb' },
] as const satisfies readonly { name: keyof BenchRow; type: string }[]

const SEED = 20_261_123
const FIRST_DAY = Date.UTC(2020, 0, 1)
const FIVE_YEARS_MS = 5 * 365 * 86_400_000
const WORDS = ['amber', 'birch', 'cobalt', 'delta', 'ember', 'fjord', 'garnet', 'harbor']

/** Returns seeded rows, the same on every machine and in every process; ids count up from `firstId`. */
export function benchRows(count: number, firstId = 1): BenchRow[] {
  return [...eachBenchRow(count, firstId)]
}

function benchRow(id: number, random: Random): BenchRow {
  return {
    id,
    quantity: random.integer(0, 9999),
    name: `${random.pick(WORDS)} ${id.toString(36)}`,
    score: random.next(),
    price: (random.next() * 10_000).toFixed(2),
    active: random.next() < 0.5,
    created_at: new Date(FIRST_DAY + random.integer(0, FIVE_YEARS_MS)),
    attributes: { tag: random.pick(WORDS), rank: random.integer(0, 9) },
  }
}

/** Generates the rows of `benchRows` one by one. */
export function* eachBenchRow(count: number, firstId = 1): Generator<BenchRow> {
  const random = seededRandom(SEED + firstId)
  for (let index = 0; index < count; index++) yield benchRow(firstId + index, random)
}

function csvField(value: unknown): string {
  if (value === null) return ''
  if (value instanceof Date) return value.toISOString()
  return typeof value === 'object' ? JSON.stringify(value) : String(value)
}

/** Returns a row as a line of CSV. */
export function csvLine(row: Readonly<Record<string, unknown>>): string {
  const fields = Object.values(row).map(csvField)
  return `${fields.map(field => (/[",\r\n]/.test(field) ? `"${field.replaceAll('"', '""')}"` : field)).join(',')}\n`
}

/** Returns the sentence about the rows in RESULTS.md. */
export function describeRows(): string {
  const sample = benchRows(10_000, 100_000)
  const bytes = sample.reduce((total, row) => total + Buffer.byteLength(csvLine(row)), 0) / sample.length
  return `Seeded rows of ${COLUMNS.length} columns (${COLUMNS.map(({ type }) => type).join(', ')}), ${Math.round(bytes)} bytes each as CSV.`
}
