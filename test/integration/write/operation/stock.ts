import type { PgBatchWritableOptions } from '../../../../lib/writable/options.ts'
import { useDatabase } from '../../../support/servers/database.ts'
import { usePools } from '../../../support/servers/pools.ts'
import { type METHODS, options, valuesOf } from '../../../support/writing.ts'

export type Row = Record<string, unknown>

/** A change is a row; `del` means that it is a delete. */
export interface Change extends Row {
  del?: boolean
}

export const change = {
  toRow: ({ del: _, ...row }: Change): Row => row,
  operation: ({ del }: Change) => (del ? 'delete' : 'upsert'),
} as const

/** A table for changes, with three rows at the start of each test of the surrounding `describe`. */
export function useStock() {
  const db = useDatabase()
  const makePool = usePools(db)

  beforeEach(async () => {
    await db.pool.query(`DROP TABLE IF EXISTS lines, stock CASCADE; DROP SEQUENCE IF EXISTS counted;
      CREATE TABLE stock (id int CONSTRAINT stock_key PRIMARY KEY, place text UNIQUE,
      n int NOT NULL DEFAULT 7);
      INSERT INTO stock VALUES (1, 'a', 1), (2, 'b', 2), (3, 'c', 3)`)
  })

  return {
    db,
    makePool,
    stored: () => valuesOf(db.pool, 'SELECT id, place, n FROM stock ORDER BY id'),
    /** Options that write changes by this method. */
    changingBy:
      (way: (typeof METHODS)[number]) =>
      (extra: Partial<PgBatchWritableOptions<Change, Row>> = {}): PgBatchWritableOptions<Change, Row> => ({
        pool: makePool().pool,
        connectionString: undefined,
        table: 'stock',
        ...change,
        onConflict: { target: ['id'], action: 'update' },
        ...options(way),
        ...(extra as object),
      }),
  }
}
