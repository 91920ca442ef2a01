import { expect } from 'chai'
import type { PgClientLike, PgPoolLike } from '../../../../lib/connection/pg-types.ts'
import { PgBatchWritable } from '../../../../lib/writable/pg-batch-writable.ts'
import { useDatabase } from '../../../support/servers/database.ts'
import { usePools } from '../../../support/servers/pools.ts'
import { batchesOf, rowsOf, valuesOf } from '../../../support/writing.ts'
import { load } from '../load.ts'

/** A pool whose clients refuse some INSERTs, by the number of the INSERT, from 1. */
function refusing(pool: PgPoolLike, refusals: ReadonlyMap<number, string>): PgPoolLike {
  let inserts = 0
  return {
    async connect() {
      const client = await pool.connect()
      const query = client.query.bind(client)
      const wrapped: PgClientLike = Object.create(client, {
        query: {
          value: (asked: string | { text: string }, values?: unknown[]) => {
            const text = typeof asked === 'string' ? asked : asked.text
            const sqlState = text.startsWith('INSERT') ? refusals.get(++inserts) : undefined
            if (sqlState) return query(`DO $$ BEGIN RAISE SQLSTATE '${sqlState}'; END $$`)
            return query(asked as string, values)
          },
        },
        release: { value: client.release.bind(client) },
      })
      return wrapped
    },
  }
}

/**
 * Several batches share a transaction: none may be forgotten when a later attempt does not come to all of
 * them.
 */
describe('a transaction of several batches', () => {
  const db = useDatabase()
  const makePool = usePools(db)

  const CASES: readonly [title: string, refusals: [insert: number, sqlState: string][]][] = [
    [
      'whose second attempt fails sooner than the first',
      [
        [8, '40001'],
        [10, '40001'],
      ],
    ],
    [
      'whose attempts fail at the first batch',
      [
        [3, '40001'],
        [4, '40001'],
        [5, '40001'],
      ],
    ],
    [
      'whose second attempt meets what is permanent, and not again',
      [
        [8, '40001'],
        [10, '22003'],
      ],
    ],
  ]
  for (const [title, refusals] of CASES) {
    it(`${title}, writes every row of all of them once`, async () => {
      await db.pool.query('DROP TABLE IF EXISTS t; CREATE TABLE t (id int)')
      const writable = new PgBatchWritable({
        pool: refusing(makePool().pool as unknown as PgPoolLike, new Map(refusals)),
        table: 't',
        method: 'insert',
        retry: { minDelayMs: 1, maxDelayMs: 2 },
      })
      let retries = 0
      writable.on('retry', () => retries++)
      await load(
        batchesOf(
          rowsOf(1000, id => ({ id })),
          50,
        ),
        writable,
      )
      expect(retries).to.be.above(0)
      expect(writable.stats).to.include({ rowsCommitted: 1000, rowsPending: 0, batchesCommitted: 20 })
      expect(await valuesOf(db.pool, 'SELECT count(*)::int, count(DISTINCT id)::int FROM t')).to.deep.equal([
        [1000, 1000],
      ])
    })
  }
})
