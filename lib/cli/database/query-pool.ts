import type { PgPoolLike } from '../../connection/pg-types.ts'

// biome-ignore lint/suspicious/noExplicitAny: as pg types it; the caller knows the columns
export type AnyRow = any

/** A pool that also runs single statements, as pg's pool does. */
export interface QueryPool extends PgPoolLike {
  query<Row extends object = AnyRow>(
    text: string,
    values?: unknown[],
  ): Promise<{ rows: Row[]; rowCount: number | null }>
}
