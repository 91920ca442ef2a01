import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { expect } from 'chai'
import { PgBatchWritable } from '../../../../lib/writable/pg-batch-writable.ts'
import { useDatabase } from '../../../support/servers/database.ts'
import { usePools } from '../../../support/servers/pools.ts'
import { rowsOf, valuesOf } from '../../../support/writing.ts'

interface Row {
  id: number
  n: number
  note?: string
}

const SIZES: readonly [title: string, rows: number, batches: number, mixed: boolean][] = [
  ['20 rows', 20, 150, false],
  ['300 rows', 300, 60, false],
  ['300 rows of two shapes', 300, 60, true],
]

describe('parallel upserts of the same keys in opposite orders', () => {
  const db = useDatabase()
  const makePool = usePools(db)

  for (const [title, size, count, mixed] of SIZES) {
    for (const method of ['auto', 'insert', 'copy'] as const) {
      it(`do not deadlock at concurrency 4: batches of ${title}, method ${method}`, async () => {
        await db.pool.query(`DROP TABLE IF EXISTS contested;
          CREATE TABLE contested (id int PRIMARY KEY, n int, note text DEFAULT 'none')`)
        const keys = rowsOf(size, id => id)
        const reversed = [...keys].reverse()
        const batches = rowsOf(count, batch =>
          (batch % 2 ? keys : reversed)
            .map((id): Row => ({ id, n: batch, ...(mixed && (id + batch) % 2 ? { note: 'set' } : {}) }))
            // most batches hold a part of the keys, so that those of one transaction do not come in order
            .filter(({ id }) => batch % 5 === 0 || (id + batch) % 3 > 0),
        )
        const { pool } = makePool()
        const writable = new PgBatchWritable<Row>({
          pool,
          table: 'contested',
          method,
          concurrency: 4,
          onConflict: { target: ['id'], action: 'update' },
        })
        await pipeline(Readable.from(batches), writable)
        expect(writable.stats).to.include({ rowsCommitted: batches.flat().length, rowsPending: 0 })
        const found = 'SELECT count(*)::int, count(DISTINCT id)::int FROM contested'
        expect(await valuesOf(db.pool, found)).to.deep.equal([[size, size]])
      })
    }
  }
})
