import { expect } from 'chai'
import type { PgClientLike } from '../../../../lib/connection/pg-types.ts'
import type { PgBatchWritableOptions } from '../../../../lib/writable/options.ts'
import { useDatabase } from '../../../support/servers/database.ts'
import { usePools } from '../../../support/servers/pools.ts'
import { countOf, METHODS, options, rowsOf, valuesOf, write } from '../../../support/writing.ts'

interface Item {
  id: number
  /**
   * What is wrong with it: the server refuses it, or `toRow` throws, returns nothing, or returns something
   * that is not a row.
   */
  odd?: 'refused' | 'thrown' | 'skipped' | 'invalid' | 'unencodable'
}

interface Lists {
  batch: number[]
  written: number[]
  rejected: number[]
  skipped: number[]
}

const ids = (items: readonly Item[]): number[] => items.map(({ id }) => id)

describe('callbacks receive what was written', () => {
  const db = useDatabase()
  const makePool = usePools(db)

  beforeEach(async () => {
    await db.pool.query(`DROP TABLE IF EXISTS t, pg_batch_checkpoint;
      CREATE TABLE t (id int PRIMARY KEY, n int NOT NULL CHECK (n >= 0), d int DEFAULT 5)`)
  })

  const toRow = ({ id, odd }: Item): object | null => {
    if (odd === 'thrown') throw new Error('no row')
    if (odd === 'skipped') return null
    if (odd === 'invalid') return { id, n: 1, unknown: 1 }
    if (odd === 'unencodable') return { id, n: Symbol('none') }
    return id % 3 === 0
      ? { id, n: odd === 'refused' ? -1 : id, d: 1 }
      : { id, n: odd === 'refused' ? -1 : id }
  }

  async function listsOf(batches: readonly (readonly Item[])[], extra: object = {}) {
    const inTransaction: number[][] = []
    const afterCommit: Lists[] = []
    const { stats } = await write(batches, {
      pool: makePool().pool,
      table: 't',
      toRow,
      rejectLimit: Number.POSITIVE_INFINITY,
      inTransaction: async (client: PgClientLike, batch: readonly Item[]) => {
        inTransaction.push(ids(batch))
        const { rows } = await client.query('SELECT count(*)::int AS count FROM t WHERE id = ANY ($1)', [
          ids(batch),
        ])
        expect(rows[0]!.count).to.equal(new Set(ids(batch)).size)
      },
      afterCommit: (batch, { written, rejected, skipped }) => {
        afterCommit.push({
          batch: ids(batch),
          written: ids(written),
          rejected: ids(rejected),
          skipped: ids(skipped),
        })
      },
      ...extra,
    } as PgBatchWritableOptions<Item>)
    return { inTransaction, afterCommit, stats }
  }

  const odds = ['refused', 'thrown', 'skipped', 'invalid', 'unencodable'] as const
  const mixed = rowsOf(25, (id): Item => (id % 5 === 2 ? { id, odd: odds[(id - 2) / 5]! } : { id }))
  const good = ids(mixed.filter(({ odd }) => !odd))
  const rejected = ids(mixed.filter(({ odd }) => odd && odd !== 'skipped'))

  for (const way of METHODS) {
    it(`apart from what was rejected and skipped, in the order of the batch, by ${way.title}`, async () => {
      const { inTransaction, afterCommit, stats } = await listsOf([mixed], options(way))
      expect(inTransaction).to.deep.equal([good])
      expect(afterCommit).to.deep.equal([{ batch: ids(mixed), written: good, rejected, skipped: [12] }])
      expect(stats).to.include({ rowsCommitted: good.length, rowsRejected: rejected.length, rowsSkipped: 1 })
    })

    it(`also as upserts, whether the row changed or not, by ${way.title}`, async () => {
      await db.pool.query('INSERT INTO t VALUES (0, 0), (1, 1)')
      const conflict = { target: ['id'], action: 'nothing' }
      const { inTransaction, afterCommit } = await listsOf([mixed], { ...options(way), onConflict: conflict })
      expect(inTransaction).to.deep.equal([good])
      expect(afterCommit[0]).to.deep.include({ written: good, rejected, skipped: [12] })
    })
  }

  it('without the items that a checkpoint reports as written', async () => {
    const checkpoint = { name: 'c', position: ({ id }: Item) => ({ offset: id }) }
    await listsOf([mixed.slice(0, 10)], { checkpoint })
    const { inTransaction, afterCommit, stats } = await listsOf([mixed.slice(0, 5), mixed.slice(3, 15)], {
      checkpoint,
    })
    expect(inTransaction).to.deep.equal([[10, 11, 13, 14]])
    expect(afterCommit).to.deep.equal([
      { batch: [0, 1, 2, 3, 4], written: [], rejected: [], skipped: [0, 1, 2, 3, 4] },
      {
        batch: rowsOf(12, id => id, 3),
        written: [10, 11, 13, 14],
        rejected: [],
        skipped: [3, 4, 5, 6, 7, 8, 9, 12],
      },
    ])
    expect(stats.rowsSkipped).to.equal(13)
  })

  it('of each lane separately', async () => {
    const { inTransaction, afterCommit } = await listsOf([mixed], {
      concurrency: 2,
      laneOf: ({ id }: Item) => id % 2,
    })
    expect(inTransaction.flat().sort((a, b) => a - b)).to.deep.equal(good)
    expect(afterCommit.flatMap(({ written }) => written).sort((a, b) => a - b)).to.deep.equal(good)
    expect(afterCommit.flatMap(({ rejected }) => rejected).sort((a, b) => a - b)).to.deep.equal(rejected)
  })

  it('deletes are written, too', async () => {
    await db.pool.query('INSERT INTO t VALUES (1, 1)')
    const written: number[][] = []
    await write<Item>([[{ id: 1 }, { id: 2 }, { id: 3, odd: 'refused' }]], {
      pool: makePool().pool,
      table: 't',
      toRow: toRow as never,
      operation: ({ id }) => (id === 1 ? 'delete' : 'upsert'),
      onConflict: { target: ['id'], action: 'update' },
      rejectLimit: 1,
      inTransaction: (_, batch) => void written.push(ids(batch)),
    })
    expect(written).to.deep.equal([[1, 2]])
    expect(await valuesOf(db.pool, 'SELECT id FROM t')).to.deep.equal([[2]])
  })

  it('and a sum over them agrees with the table, even when rows are rejected', async () => {
    await db.pool.query('CREATE TABLE totals (n bigint); INSERT INTO totals VALUES (0)')
    await write<Item>([mixed, rowsOf(50, id => ({ id }), 100), [{ id: 900, odd: 'refused' }]], {
      pool: makePool().pool,
      table: 't',
      toRow: toRow as never,
      rejectLimit: 10,
      async inTransaction(client, batch) {
        await client.query('UPDATE totals SET n = n + $1', [ids(batch).reduce((sum, id) => sum + id, 0)])
      },
    })
    expect(await valuesOf(db.pool, 'SELECT n = (SELECT sum(id) FROM t) FROM totals')).to.deep.equal([[true]])
    expect(await countOf(db.pool, 't')).to.equal(good.length + 50)
  })
})
