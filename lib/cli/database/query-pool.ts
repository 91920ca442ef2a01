import type { PgPoolLike } from '../../connection/pg-types.ts'

/** A pool that also runs single statements, as pg's pool does. */
export interface QueryPool extends PgPoolLike {
  // biome-ignore lint/suspicious/noExplicitAny: as pg types it; the caller knows the columns
  query<Row extends object = any>(
    text: string,
    values?: unknown[],
  ): Promise<{ rows: Row[]; rowCount: number | null }>
}
