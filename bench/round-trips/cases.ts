import type { PgBatchWritable } from '../../lib/index.ts'
import type { BenchRow } from '../support/rows.ts'

type Options = Pick<
  ConstructorParameters<typeof PgBatchWritable<BenchRow>>[0],
  'method' | 'onConflict' | 'checkpoint'
>

interface Case {
  readonly options: Options
  /** Whether the table has a primary key. */
  readonly key: boolean
}

const upsert = { target: ['id'], action: 'update' } as const
const checkpoint = { name: 'bench', position: ({ id }: BenchRow) => ({ offset: id }) }

export const CASES = {
  COPY: { options: { method: 'copy' }, key: false },
  INSERT: { options: { method: 'insert' }, key: false },
  'COPY with a checkpoint': { options: { method: 'copy', checkpoint }, key: false },
  'upsert by INSERT': { options: { method: 'insert', onConflict: upsert }, key: true },
  'upsert by COPY': { options: { method: 'copy', onConflict: upsert }, key: true },
} satisfies Record<string, Case>

export type CaseName = keyof typeof CASES
