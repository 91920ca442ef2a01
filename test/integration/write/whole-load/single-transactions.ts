import type { PgBatchWritableOptions } from '../../../../lib/writable/options.ts'
import { PgBatchWritable } from '../../../../lib/writable/pg-batch-writable.ts'
import { useDatabase } from '../../../support/servers/database.ts'
import { usePools } from '../../../support/servers/pools.ts'
import { rowsOf, valuesOf } from '../../../support/writing.ts'

export interface Row {
  id: number
  note?: string | null
  parent?: number | null
}

/** More than the stream takes in before the first batch is written. */
export const ROWS = 20_000
export const SIZE = 500

/** Writes rows into `t` in a single transaction. */
export function useSingleTransaction() {
  const db = useDatabase()
  const makePool = usePools(db)

  beforeEach(async () => {
    await db.pool.query(`
      DROP TABLE IF EXISTS t, counted, rejects;
      CREATE TABLE t (id int PRIMARY KEY, note text, parent int REFERENCES t)`)
  })

  const rows = (count = ROWS): Row[] => rowsOf(count, id => ({ id, note: `note ${id}` }))
  const stored = () => valuesOf(db.pool, 'SELECT id, note FROM t ORDER BY id')
  const openSink = (extra: Partial<PgBatchWritableOptions<Row>> = {}) => {
    const { pool, name } = makePool()
    const options = { pool, table: 't', singleTransaction: true, ...extra }
    return { sink: new PgBatchWritable<Row>(options as PgBatchWritableOptions<Row>), name }
  }
  return { db, makePool, rows, stored, openSink }
}
