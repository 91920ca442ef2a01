import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { expect } from 'chai'
import { PgBatchWritable } from '../../../../lib/writable/pg-batch-writable.ts'
import { useDatabase } from '../../../support/servers/database.ts'
import { usePools } from '../../../support/servers/pools.ts'
import { batchesOf, METHODS, options, rowsOf, valuesOf } from '../../../support/writing.ts'

interface Count {
  readonly id: number
  readonly n: number
}

/** Every 41st row would make its count negative, which a CHECK refuses. */
const isBad = (index: number): boolean => index % 41 === 7

describe('bad rows among increments', () => {
  const db = useDatabase()
  const makePool = usePools(db)

  for (const way of METHODS) {
    it(`are rejected, and the others are added once: ${way.title}`, async () => {
      await db.pool.query(`DROP TABLE IF EXISTS counts, bad;
        CREATE TABLE counts (id int PRIMARY KEY, n int NOT NULL CHECK (n >= 0))`)
      const rows = rowsOf(600, (index): Count => ({ id: index % 7, n: isBad(index) ? -1_000_000 : index }))
      const writable = new PgBatchWritable<Count>({
        pool: makePool().pool,
        table: 'counts',
        onConflict: {
          target: ['id'],
          action: 'update',
          update: { n: 'stored.n + excluded.n' },
          where: 'excluded.n % 2 = 0 OR excluded.n < 0',
        },
        deadLetter: { table: 'bad' },
        rejectLimit: Number.POSITIVE_INFINITY,
        ...options(way),
      })
      await pipeline(Readable.from(batchesOf(rows, 200)), writable)
      const sums = new Map<number, number>()
      for (const [index, { id, n }] of rows.entries()) {
        if (!isBad(index) && (!sums.has(id) || n % 2 === 0)) sums.set(id, (sums.get(id) ?? 0) + n)
      }
      const bad = rows.filter((_, index) => isBad(index)).length
      expect(await valuesOf(db.pool, 'SELECT id, n FROM counts ORDER BY id')).to.deep.equal(
        [...sums].sort(([a], [b]) => a - b),
      )
      expect(await valuesOf(db.pool, 'SELECT count(*)::int FROM bad')).to.deep.equal([[bad]])
      expect(writable.stats.rowsRejected).to.equal(bad)
      const { rowsCommitted, rowsUnchanged } = writable.stats
      expect(rowsCommitted + rowsUnchanged).to.equal(600 - bad)
    })
  }
})
