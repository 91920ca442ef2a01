import { inStatements } from '../support/each-slice.ts'
import { writeByPipeline } from '../support/pipeline.ts'
import { COLUMNS } from '../support/rows.ts'
import { insertUnnest, insertValues } from '../support/statements.ts'
import type { Write } from '../support/timed-load.ts'

const STATEMENT_ROWS = 1000

/** Ways to write objects to a table, starting with the simplest. */
export const WAYS = {
  'pg, a row a statement': inStatements(1, insertValues(COLUMNS)),
  'pg, INSERT … VALUES of 1,000 rows': inStatements(STATEMENT_ROWS, insertValues(COLUMNS)),
  'pg, INSERT … SELECT unnest of 1,000 rows': inStatements(STATEMENT_ROWS, insertUnnest(COLUMNS)),
  'pg-batch-streams, default options': writeByPipeline({}),
  'pg-batch-streams, batches of 10,000': writeByPipeline({ maxCount: 10_000 }),
  'pg-batch-streams, batches of 10,000, concurrency 2': writeByPipeline(
    { maxCount: 10_000 },
    { concurrency: 2 },
  ),
} satisfies Record<string, Write>

export type Way = keyof typeof WAYS

/** Slow ways write fewer rows: their rate shows without a million. */
export const SHARE: Readonly<Partial<Record<Way, number>>> = {
  'pg, a row a statement': 1 / 50,
  'pg, INSERT … VALUES of 1,000 rows': 1 / 5,
  'pg, INSERT … SELECT unnest of 1,000 rows': 2 / 5,
}
