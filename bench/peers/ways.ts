import { ceiling, psql } from './ways/bytes.ts'
import { copyBinary } from './ways/copy-binary.ts'
import { csvStringify, templateStrings } from './ways/copy-strings.ts'
import { ours, oursByArrays } from './ways/ours.ts'
import { postgresJsCopy, postgresJsInsert } from './ways/postgres-js.ts'
import { knexBatchInsert, pgPromiseInsert } from './ways/query-builders.ts'
import { multiRowValues, rowByRow, unnest } from './ways/statements.ts'
import { tokioPostgres } from './ways/tokio-postgres.ts'
import type { Way } from './ways/way.ts'

/** All ways that are compared: ours, then the bounds and other languages, then other ways of Node.js. */
export const WAYS = {
  'pg-batch-streams, concurrency 1': ours(1),
  'pg-batch-streams, concurrency 2': ours(2),
  'pg-batch-streams, concurrency 3': ours(3),
  'pg-batch-streams, arrays, concurrency 1': oursByArrays(1),
  'pg-batch-streams, arrays, concurrency 2': oursByArrays(2),
  'one COPY of binary bytes in memory (the ceiling)': ceiling,
  'psql \\copy, CSV file': psql('csv'),
  'psql \\copy, text file': psql('text'),
  'psql \\copy, binary file': psql('binary'),
  'tokio-postgres, binary COPY': tokioPostgres(1),
  'tokio-postgres, binary COPY, 2 connections': tokioPostgres(2),
  'pg, a row a statement': rowByRow(),
  'pg, VALUES of 1,000 rows': multiRowValues(1000),
  'pg, unnest of 1,000 rows': unnest(1000),
  'pg, unnest of 5,000 rows': unnest(5000),
  'pg, unnest of 5,000 rows, 2 connections': unnest(5000, 2),
  'pg-copy-streams, csv-stringify': csvStringify({ joined: false }),
  'pg-copy-streams, csv-stringify, joined': csvStringify({ joined: true }),
  'pg-copy-streams, template strings': templateStrings({ joined: false }),
  'pg-copy-streams, template strings, joined': templateStrings({ joined: true }),
  'pg-copy-streams-binary (numeric as float8)': copyBinary({ joined: false }),
  'pg-copy-streams-binary, joined (numeric as float8)': copyBinary({ joined: true }),
  'postgres.js, insert helper': postgresJsInsert(1),
  'postgres.js, insert helper, 2 connections': postgresJsInsert(2),
  'postgres.js, COPY of template strings, joined': postgresJsCopy(),
  'pg-promise, helpers.insert': pgPromiseInsert(),
  'knex, batchInsert': knexBatchInsert(),
} satisfies Record<string, Way>

export type WayName = keyof typeof WAYS

/** Returns the ways whose programs the machine has. */
export function waysWith({ psql, tokioPostgres }: { psql: boolean; tokioPostgres: boolean }): WayName[] {
  return (Object.keys(WAYS) as WayName[]).filter(
    name => (psql || !name.startsWith('psql')) && (tokioPostgres || !name.startsWith('tokio-postgres')),
  )
}
