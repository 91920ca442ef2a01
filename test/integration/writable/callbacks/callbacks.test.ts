import { expect } from 'chai'
import type { PgClientLike } from '../../../../lib/connection/pg-types.ts'
import { useDatabase } from '../../../support/servers/database.ts'
import { usePools } from '../../../support/servers/pools.ts'
import { countOf, failureOf, METHODS, options, rowsOf, valuesOf, write } from '../../../support/writing.ts'

interface Row {
  id: number
}

describe('inTransaction', () => {
  const db = useDatabase()
  const makePool = usePools(db)

  beforeEach(async () => {
    await db.pool.query(
      `DROP TABLE IF EXISTS t, log; CREATE TABLE t (id int PRIMARY KEY);
      CREATE TABLE log (first int, xid text)`,
    )
  })

  const batches = rowsOf(5, batch => rowsOf(100, id => ({ id }), batch * 100))
  const log = (client: PgClientLike, batch: readonly Row[]) =>
    client.query('INSERT INTO log VALUES ($1, pg_current_xact_id()::text)', [batch[0]!.id])

  for (const way of METHODS) {
    it(`sees the rows of its batch, and commits with them, by ${way.title}`, async () => {
      const seen: number[] = []
      await write(batches, {
        pool: makePool().pool,
        table: 't',
        ...options(way),
        async inTransaction(client, batch) {
          const { rows } = await client.query('SELECT count(*)::int AS count FROM t WHERE id = ANY ($1)', [
            batch.map(row => row.id),
          ])
          seen.push(rows[0]!.count as number)
          await log(client, batch)
        },
      })
      expect(seen).to.deep.equal([100, 100, 100, 100, 100])
      const apart = 'SELECT count(*)::int FROM log JOIN t ON t.id = log.first WHERE t.xmin::text <> log.xid'
      expect(await valuesOf(db.pool, apart)).to.deep.equal([[0]])
      expect(await countOf(db.pool, 'log')).to.equal(5)
    })

    it(`rolls its batch back when it throws, and keeps those before it, by ${way.title}`, async () => {
      const reason = new Error('not this one')
      const error = await failureOf(
        write(batches, {
          pool: makePool().pool,
          table: 't',
          ...options(way),
          async inTransaction(client, batch) {
            await log(client, batch)
            if (batch[0]!.id === 300) throw reason
          },
        }),
      )
      expect(error).to.include({
        code: 'CALLBACK_FAILED',
        outcome: 'rolled-back',
        batchId: 4,
        cause: reason,
      })
      expect(await countOf(db.pool, 't')).to.equal(300)
      expect(await valuesOf(db.pool, 'SELECT first FROM log ORDER BY first')).to.deep.equal([
        [0],
        [100],
        [200],
      ])
    })

    it(`reports a statement of the callback that was refused, by ${way.title}`, async () => {
      const inTransaction = async (client: PgClientLike) => {
        await client.query('SELECT 1 / 0')
      }
      const error = await failureOf(
        write(batches, { pool: makePool().pool, table: 't', ...options(way), inTransaction }),
      )
      expect(error).to.include({ code: 'CALLBACK_FAILED', outcome: 'rolled-back', sqlState: '22012' })
      expect(await countOf(db.pool, 't')).to.equal(0)
    })

    it(`fails only its batch when it hides a refusal: COMMIT is a ROLLBACK then, by ${way.title}`, async () => {
      const error = await failureOf(
        write(batches, {
          pool: makePool().pool,
          table: 't',
          ...options(way),
          async inTransaction(client, batch) {
            if (batch[0]!.id === 300) await client.query('SELECT 1 / 0').catch(() => {})
          },
        }),
      )
      expect(error).to.include({ outcome: 'rolled-back', batchId: 4 })
      expect(error.code, 'the connection is fine').not.to.equal('CONNECTION')
      expect(await countOf(db.pool, 't')).to.equal(300)
    })
  }

  it('may throw at once instead of rejecting', async () => {
    const inTransaction = () => {
      throw new Error('at once')
    }
    const error = await failureOf(write(batches, { pool: makePool().pool, table: 't', inTransaction }))
    expect(error).to.include({ code: 'CALLBACK_FAILED', outcome: 'rolled-back', batchId: 1 })
    expect(await countOf(db.pool, 't')).to.equal(0)
  })

  it('does not run for a batch without written rows', async () => {
    const { stats } = await write([[{ id: 1 }, { id: 2 }]], {
      pool: makePool().pool,
      table: 't',
      toRow: () => null,
      inTransaction: async (client, batch) => void (await log(client, batch)),
    })
    expect(stats).to.include({ rowsSkipped: 2, rowsCommitted: 0 })
    expect(await countOf(db.pool, 'log')).to.equal(0)
  })
})

describe('afterCommit', () => {
  const db = useDatabase()
  const makePool = usePools(db)

  beforeEach(async () => {
    await db.pool.query('DROP TABLE IF EXISTS t; CREATE TABLE t (id int PRIMARY KEY)')
  })

  const batches = rowsOf(20, batch => rowsOf(50, id => ({ id }), batch * 50))

  it('is called once per batch, in order, when others can see its rows, and before the end', async () => {
    const reported: number[] = []
    let running = 0
    await write(batches, {
      pool: makePool().pool,
      table: 't',
      async afterCommit(batch) {
        expect(++running).to.equal(1)
        const ids = batch.map(row => row.id)
        const { rows } = await db.pool.query('SELECT count(*)::int AS count FROM t WHERE id = ANY ($1)', [
          ids,
        ])
        expect(rows[0].count).to.equal(50)
        reported.push(batch[0]!.id)
        running--
      },
    })
    expect(reported).to.deep.equal(batches.map(batch => batch[0]!.id))
  })

  for (const kind of ['rejects', 'throws'] as const) {
    it(`fails the stream when it ${kind}, with the rows committed`, async () => {
      const reported: number[] = []
      const error = await failureOf(
        write(batches, {
          pool: makePool().pool,
          table: 't',
          afterCommit(batch): void | Promise<void> {
            reported.push(batch[0]!.id)
            if (batch[0]!.id !== 500) return
            if (kind === 'throws') throw new RangeError('no')
            return Promise.reject(new RangeError('no'))
          },
        }),
      )
      expect(error).to.include({ code: 'CALLBACK_FAILED', outcome: 'committed', batchId: 11 })
      expect(error.cause).to.be.instanceOf(RangeError)
      expect(reported.at(-1)).to.equal(500)
      expect(await countOf(db.pool, 't WHERE id BETWEEN 500 AND 549')).to.equal(50)
    })
  }
})
