import { randomBytes } from 'node:crypto'
import { expect } from 'chai'
import { PgBatchWritable } from '../../../../lib/writable/pg-batch-writable.ts'
import { useDatabase } from '../../../support/servers/database.ts'
import { roleWith, usePools } from '../../../support/servers/pools.ts'
import { countOf, METHODS, options, rowsOf } from '../../../support/writing.ts'
import { rejectedBy } from '../load.ts'

const rows = rowsOf(100, id => ({ id }))

describe('an error that no row has caused', () => {
  const db = useDatabase()
  const makePool = usePools(db)

  beforeEach(async () => {
    await db.pool.query('DROP TABLE IF EXISTS t; CREATE TABLE t (id int, n int)')
  })

  const ERRORS: readonly [title: string, change: string, failure: object][] = [
    ['a table that was dropped', 'DROP TABLE t', { code: 'REFUSED', sqlState: '42P01' }],
    ['a column that was dropped', 'ALTER TABLE t DROP COLUMN id', { code: 'TABLE_CHANGED' }],
  ]

  for (const way of METHODS) {
    /** Writes one batch, has `between` change something, and writes on. */
    const writeAround = async (
      pool: ReturnType<typeof makePool>['pool'],
      between: () => Promise<unknown>,
      unknownKeys: 'error' | 'ignore' = 'error',
    ) => {
      const writable = new PgBatchWritable<{ id: number }>({
        pool,
        table: 't',
        rejectLimit: Number.POSITIVE_INFINITY,
        unknownKeys,
        ...options(way),
      })
      const rejected = rejectedBy(writable)
      const done = new Promise((resolve, reject) => writable.on('error', reject).on('finish', resolve))
      writable.write(rows)
      await new Promise(resolve => writable.once('commit', resolve))
      await between()
      // two batches, which share a transaction
      writable.write(rows.slice(0, 50))
      writable.end(rows.slice(50))
      return {
        error: await done.then(
          () => undefined,
          error => error,
        ),
        rejected,
        stats: writable.stats,
      }
    }

    for (const [title, change, failure] of ERRORS) {
      it(`fails the stream and rejects nothing: ${title}, by ${way.title}`, async () => {
        const { error, rejected, stats } = await writeAround(makePool().pool, () => db.pool.query(change))
        expect(error).to.include({ ...failure, outcome: 'rolled-back', retryable: false })
        expect(rejected).to.deep.equal([])
        expect(stats).to.include({ rowsCommitted: 100, rowsRejected: 0, rowsPending: 100 })
      })
    }

    it(`continues without a dropped column where unknown keys are ignored, by ${way.title}`, async () => {
      const { error, rejected, stats } = await writeAround(
        makePool().pool,
        () => db.pool.query('ALTER TABLE t DROP COLUMN id'),
        'ignore',
      )
      expect(error).to.equal(undefined)
      expect(rejected).to.deep.equal([])
      expect(stats).to.include({ rowsCommitted: 200, rowsRejected: 0 })
    })

    it(`fails the stream and rejects nothing: a revoked privilege, by ${way.title}`, async () => {
      const role = `writer_${randomBytes(4).toString('hex')}`
      await db.pool.query(`CREATE ROLE ${role}; GRANT SELECT, INSERT ON t TO ${role}`)
      const member = await roleWith(db, { role })
      try {
        const { error, rejected } = await writeAround(makePool(member.config).pool, () =>
          db.pool.query(`REVOKE INSERT ON t FROM ${role}`),
        )
        expect(error).to.include({ code: 'REFUSED', sqlState: '42501', outcome: 'rolled-back' })
        expect(rejected).to.deep.equal([])
        expect(await countOf(db.pool, 't')).to.equal(100)
      } finally {
        await db.pool.query(`DROP OWNED BY ${role}; DROP ROLE ${role}`)
        await member.drop()
      }
    })
  }
})
