import type { Tone } from '../support/chart.ts'
import { inStatements } from '../support/each-slice.ts'
import { writeByPipeline } from '../support/pipeline.ts'
import { COLUMNS } from '../support/rows.ts'
import { insertUnnest, insertValues } from '../support/statements.ts'
import { TABLE } from '../support/table.ts'
import type { Write } from '../support/timed-load.ts'

const UPDATES = COLUMNS.filter(({ name }) => name !== 'id').map(({ name }) => `${name} = excluded.${name}`)
const ON_CONFLICT = ` ON CONFLICT (id) DO UPDATE SET ${UPDATES.join(', ')}`

const IF_NEWER = `${ON_CONFLICT} WHERE excluded.created_at > ${TABLE}.created_at`

const BATCH_ROWS = 10_000

interface Way {
  readonly tone: Tone
  readonly write: Write
}

export const WAYS = {
  'pg-batch-streams, concurrency 1': ours({}),
  'pg-batch-streams, concurrency 2': ours({ concurrency: 2 }),
  'pg-batch-streams, method insert': ours({ method: 'insert' }),
  'pg-batch-streams, newerBy': ours({}, { newerBy: 'created_at' }),
  'pg-batch-streams, newerBy, concurrency 2': ours({ concurrency: 2 }, { newerBy: 'created_at' }),
  'pg, unnest of 1,000 rows': statements(inStatements(1000, insertUnnest(COLUMNS, ON_CONFLICT))),
  'pg, unnest of 5,000 rows': statements(inStatements(5000, insertUnnest(COLUMNS, ON_CONFLICT))),
  'pg, unnest of 5,000 rows, 2 connections': statements(
    inStatements(5000, insertUnnest(COLUMNS, ON_CONFLICT), 2),
  ),
  'pg, unnest of 5,000 rows, if newer': statements(inStatements(5000, insertUnnest(COLUMNS, IF_NEWER))),
  'pg, unnest of 5,000 rows, if newer, 2 connections': statements(
    inStatements(5000, insertUnnest(COLUMNS, IF_NEWER), 2),
  ),
  'pg, VALUES of 1,000 rows': statements(inStatements(1000, insertValues(COLUMNS, ON_CONFLICT))),
} satisfies Record<string, Way>

export type WayName = keyof typeof WAYS

function ours(
  options: { concurrency?: number; method?: 'insert' },
  conditions: { newerBy?: 'created_at' } = {},
): Way {
  const onConflict = { target: ['id'], action: 'update', ...conditions } as const
  return { tone: 'ours', write: writeByPipeline({ maxCount: BATCH_ROWS }, { ...options, onConflict }) }
}

function statements(write: Write): Way {
  return { tone: 'other', write }
}
