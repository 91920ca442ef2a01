import type pg from 'pg'
import { writeByPipeline } from '../support/pipeline.ts'
import { type BenchRow, COLUMNS } from '../support/rows.ts'
import { TABLE } from '../support/table.ts'
import type { Write } from '../support/timed-load.ts'

const NAMES = COLUMNS.map(({ name }) => name).join(', ')
const STATEMENT_ROWS = 1000

/** Each statement is prepared once on its connection, which is the best that `pg` offers. */
const inStatements =
  (rowsPerStatement: number, query: (rows: readonly BenchRow[]) => pg.QueryConfig): Write =>
  async (pool, rows) => {
    const client = await pool.connect()
    try {
      for (let from = 0; from < rows.length; from += rowsPerStatement) {
        await client.query(query(rows.slice(from, from + rowsPerStatement)))
      }
    } finally {
      client.release()
    }
  }

/** Ways to get objects into a table, from the one that everybody starts with. */
export const WAYS = {
  'pg, a row a statement': inStatements(1, insertValues),
  'pg, INSERT … VALUES of 1,000 rows': inStatements(STATEMENT_ROWS, insertValues),
  'pg, INSERT … SELECT unnest of 1,000 rows': inStatements(STATEMENT_ROWS, insertUnnest),
  'pg-batch-streams, default options': writeByPipeline({}),
  'pg-batch-streams, batches of 10,000': writeByPipeline({ maxCount: 10_000 }),
  'pg-batch-streams, batches of 10,000, concurrency 2': writeByPipeline(
    { maxCount: 10_000 },
    { concurrency: 2 },
  ),
} satisfies Record<string, Write>

export type Way = keyof typeof WAYS

/** Slow ways write fewer rows, for their rate needs no million. */
export const SHARE: Readonly<Partial<Record<Way, number>>> = {
  'pg, a row a statement': 1 / 50,
  'pg, INSERT … VALUES of 1,000 rows': 1 / 5,
  'pg, INSERT … SELECT unnest of 1,000 rows': 2 / 5,
}

const valuesTexts = new Map<number, string>()

function insertValues(rows: readonly BenchRow[]): pg.QueryConfig {
  let text = valuesTexts.get(rows.length)
  if (text === undefined) {
    const tuple = (_: BenchRow, row: number): string =>
      `(${COLUMNS.map((_, column) => `$${row * COLUMNS.length + column + 1}`).join(', ')})`
    text = `INSERT INTO ${TABLE} (${NAMES}) VALUES ${rows.map(tuple).join(', ')}`
    valuesTexts.set(rows.length, text)
  }
  const values = rows.flatMap(row => COLUMNS.map(({ name }) => row[name]))
  return { name: `values ${rows.length}`, text, values }
}

const UNNEST = `INSERT INTO ${TABLE} (${NAMES}) SELECT * FROM unnest(${COLUMNS.map(({ type }, column) => `$${column + 1}::${type}[]`).join(', ')})`

function insertUnnest(rows: readonly BenchRow[]): pg.QueryConfig {
  return { name: 'unnest', text: UNNEST, values: COLUMNS.map(({ name }) => rows.map(row => row[name])) }
}
