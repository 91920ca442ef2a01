import type { EvolveEvent } from '../../../lib/writable/events.ts'
import { PgBatchWritable } from '../../../lib/writable/pg-batch-writable.ts'
import { useDatabase } from '../../support/servers/database.ts'
import { usePools } from '../../support/servers/pools.ts'
import { valuesOf } from '../../support/writing.ts'
import { rejectedBy } from '../reliability/load.ts'

export type Row = Record<string, unknown>

/** Streams with `evolve: true`. */
export function useEvolving() {
  const db = useDatabase()
  const makePool = usePools(db)

  const columnsOf = async (table: string): Promise<Record<string, string>> =>
    Object.fromEntries(
      await valuesOf(
        db.pool,
        `SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute
         WHERE attrelid = '${table}'::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum`,
      ),
    )

  /** Opens a stream that collects its events. */
  function open(table: string, more: object = {}) {
    const { pool, name } = makePool()
    const writable = new PgBatchWritable<Row>({ pool, table, evolve: true, ...more })
    const events: EvolveEvent[] = []
    writable.on('evolve', event => events.push(event))
    const rejected = rejectedBy(writable)
    const done = new Promise<void>((resolve, reject) => writable.on('error', reject).on('finish', resolve))
    done.catch(() => {})
    return { writable, events, rejected, done, name }
  }

  async function writeAll(table: string, batches: readonly Row[][], more: object = {}) {
    const stream = open(table, more)
    for (const batch of batches) stream.writable.write(batch)
    stream.writable.end()
    await stream.done
    return stream
  }

  const create = (table: string, columns = 'id int') =>
    db.pool.query(`DROP TABLE IF EXISTS ${table} CASCADE; CREATE TABLE ${table} (${columns})`)

  return { db, makePool, columnsOf, open, writeAll, create }
}
