import { expect } from 'chai'
import { PgBatchWritable } from '../../../lib/pg-batch-writable.ts'
import { useDatabase } from '../../support/database.ts'
import { lockTable, untilBlocked, usePools } from '../../support/pools.ts'
import { failureOf, rowsOf, valuesOf } from '../../support/writing.ts'
import { rejectedBy } from './load.ts'

/** Types whose binary forms are as long as those of the column's first type, and longer, and shorter. */
const CHANGES: readonly [from: string, to: string][] = [
  ['int8', 'float8'],
  ['int4', 'float4'],
  ['int4', 'int8'],
  ['int8', 'int4'],
]

describe('a table that is altered under a stream', () => {
  const db = useDatabase()
  const makePool = usePools(db)
  const rows = rowsOf(150, id => ({ id, n: 5 }))

  for (const [from, to] of CHANGES) {
    for (const upsert of [false, true]) {
      it(`fails it, and keeps no bytes of ${from} in a column of ${to}, ${upsert ? 'by upsert' : 'by COPY'}`, async () => {
        await db.pool.query(`DROP TABLE IF EXISTS t; CREATE TABLE t (id int PRIMARY KEY, n ${from})`)
        const writable = new PgBatchWritable<{ id: number; n: number }>({
          pool: makePool().pool,
          table: 't',
          rejectLimit: Number.POSITIVE_INFINITY,
          ...(upsert ? { onConflict: { target: ['id'], action: 'update' } } : {}),
        })
        const rejected = rejectedBy(writable)
        const done = new Promise((resolve, reject) => writable.on('error', reject).on('finish', resolve))
        writable.write(rows)
        await new Promise(resolve => writable.once('commit', resolve))
        await db.pool.query(`ALTER TABLE t ALTER n TYPE ${to}`)
        writable.end(rowsOf(150, id => ({ id, n: 5 }), 150))
        const error = await failureOf(done)
        expect(error).to.include({ code: 'TABLE_CHANGED', outcome: 'rolled-back', retryable: false })
        expect(rejected).to.deep.equal([])
        expect(
          await valuesOf(db.pool, 'SELECT count(*)::int, min(n)::int, max(n)::int FROM t'),
        ).to.deep.equal([[150, 5, 5]])
      })
    }
  }

  it('fails it, too, where the change was waiting for its lock when the transaction began', async () => {
    await db.pool.query('DROP TABLE IF EXISTS t; CREATE TABLE t (id int PRIMARY KEY, n int8)')
    const { pool, name } = makePool()
    const writable = new PgBatchWritable<{ id: number; n: number }>({ pool, table: 't' })
    const done = new Promise((resolve, reject) => writable.on('error', reject).on('finish', resolve))
    writable.write(rows)
    await new Promise(resolve => writable.once('commit', resolve))
    const unlock = await lockTable(db, 't')
    const other = makePool()
    const changing = other.pool.query('ALTER TABLE t ALTER n TYPE float8')
    try {
      await untilBlocked(db, other.name)
      writable.end(rowsOf(150, id => ({ id, n: 5 }), 150))
      await untilBlocked(db, name)
    } finally {
      await unlock()
    }
    await changing
    expect(await failureOf(done)).to.include({ code: 'TABLE_CHANGED', outcome: 'rolled-back' })
    expect(await valuesOf(db.pool, 'SELECT count(*)::int FROM t WHERE n = 5')).to.deep.equal([[150]])
  })
})
