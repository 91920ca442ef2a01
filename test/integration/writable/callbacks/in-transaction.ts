import type pg from 'pg'
import type { PgClientLike } from '../../../../lib/connection/pg-types.ts'
import type { PgBatchWritableOptions } from '../../../../lib/writable/options.ts'
import { useDatabase } from '../../../support/servers/database.ts'
import { usePools } from '../../../support/servers/pools.ts'
import { rowsOf, write } from '../../../support/writing.ts'

export interface Row {
  id: number
}
export type Client = pg.PoolClient
export type InTransaction = (client: Client, batch: readonly Row[]) => Promise<unknown> | unknown

/** Writes three rows into `t` with `inTransaction`, which may write to `log`. */
export function useInTransaction() {
  const db = useDatabase()
  const makePool = usePools(db)

  beforeEach(async () => {
    await db.pool.query(`DROP TABLE IF EXISTS t, log, rejected, pg_batch_checkpoint;
      CREATE TABLE t (id int PRIMARY KEY CHECK (id >= 0)); CREATE TABLE log (n int)`)
  })

  const rows = rowsOf(3, id => ({ id }))
  const optionsWith = (inTransaction: InTransaction, extra: object = {}) =>
    ({
      pool: makePool().pool,
      table: 't',
      inTransaction: async (client: PgClientLike, batch: readonly Row[]) =>
        void (await inTransaction(client as unknown as Client, batch)),
      ...extra,
    }) as PgBatchWritableOptions<Row>
  const run = (inTransaction: InTransaction, extra: object = {}) =>
    write([rows], optionsWith(inTransaction, extra))

  return { db, makePool, rows, optionsWith, run }
}
