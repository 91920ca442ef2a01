import { expect } from 'chai'
import { PgBatchWritable } from '../../../../lib/writable/pg-batch-writable.ts'
import { CHECK_CONSTRAINTS } from '../../../../lib/write/isolate/constraint-modes.ts'
import { useDatabase } from '../../../support/servers/database.ts'
import { usePools } from '../../../support/servers/pools.ts'
import { countOf, rowsOf } from '../../../support/writing.ts'
import { load } from '../load.ts'
import { WAYS } from './bad-rows.ts'

interface Node {
  id: number
  up: number | null
  n: number | string
}

const COUNT = 60

/** Trees whose rows refer to each other by a deferred foreign key, in any order. */
const ORDERS: readonly [title: string, up: (id: number) => number | null][] = [
  ['to the row before', id => (id === 0 ? null : id - 1)],
  ['to the row after', id => (id === COUNT - 1 ? null : id + 1)],
  ['to themselves', id => id],
  ['in one circle', id => (id + 1) % COUNT],
  ['to the first', () => 0],
  ['to the last', () => COUNT - 1],
  ['to any', id => (id * 7) % COUNT],
]

describe('a batch whose rows refer to each other by a deferred foreign key', () => {
  const db = useDatabase()
  const makePool = usePools(db)

  beforeEach(async () => {
    await db.pool.query(`DROP TABLE IF EXISTS nodes; CREATE TABLE nodes (id int PRIMARY KEY,
      up int CONSTRAINT up_there REFERENCES nodes DEFERRABLE INITIALLY DEFERRED, n int CHECK (n >= 0))`)
  })

  const writeBatch = async (rows: Node[], extra: object) => {
    const pool = makePool().pool
    return load([rows], new PgBatchWritable<Node>({ pool, table: 'nodes', rejectLimit: 10, ...extra }))
  }

  for (const way of WAYS.filter(({ title }) => /^(COPY|INSERT|COPY and merge)$/.test(title))) {
    for (const [title, up] of ORDERS) {
      it(`loses none of them to a bad row that no row refers to, ${title}, by ${way.title}`, async () => {
        const rows: Node[] = rowsOf(COUNT, id => ({ id, up: up(id), n: id }))
        rows.splice(40, 0, { id: 5000, up: null, n: -1 })
        const rejected = await writeBatch(rows, way.options)
        expect(rejected.map(({ index, error }) => [index, error.sqlState])).to.deep.equal([[40, '23514']])
        expect(await countOf(db.pool, 'nodes')).to.equal(COUNT)
      })

      if (title === 'in one circle' || title === 'to any') continue // of a circle no part can go in before the other
      it(`loses none of them to one that refers to no row, ${title}, by ${way.title}`, async () => {
        const rows: Node[] = rowsOf(COUNT, id => ({ id, up: up(id), n: id }))
        rows.splice(40, 0, { id: 5000, up: 9999, n: 1 })
        const rejected = await writeBatch(rows, way.options)
        expect(rejected.map(({ index, error }) => [index, error.constraint])).to.deep.equal([
          [40, 'up_there'],
        ])
        expect(await countOf(db.pool, 'nodes')).to.equal(COUNT)
      })
    }
  }

  it('rejects the rows that refer to a rejected one, too, and no other', async () => {
    const rows: Node[] = rowsOf(COUNT, id => ({
      id,
      up: id === 0 ? null : Math.floor((id - 1) / 2),
      n: id === 5 ? -1 : id,
    }))
    const rejected = await writeBatch(rows, { rejectLimit: COUNT })
    const below = (id: number): boolean => id === 5 || (id > 5 && below(Math.floor((id - 1) / 2)))
    expect(rejected.map(({ index }) => index).sort((a, b) => a - b)).to.deep.equal(
      rows.map(({ id }) => id).filter(below),
    )
    expect(await countOf(db.pool, 'nodes')).to.equal(rows.filter(({ id }) => !below(id)).length)
  })

  for (const method of ['insert', 'copy'] as const) {
    it(`counts what is stored while another session drops deferrable constraints of its own: ${method}`, async () => {
      await db.pool.query(`DROP SCHEMA IF EXISTS tenant CASCADE; CREATE SCHEMA tenant;
        CREATE TABLE tenant.other (id int CONSTRAINT other_key UNIQUE DEFERRABLE)`)
      const { pool } = makePool()
      let dropped = 0
      pool.on('connect', client => {
        const query = client.query.bind(client) as (...args: unknown[]) => unknown
        const dropFirst = (...args: unknown[]): unknown => {
          const [statement] = args as [string | { text?: string }]
          const text = typeof statement === 'string' ? statement : statement.text
          if (dropped > 0 || !text?.includes(CHECK_CONSTRAINTS)) return query(...args)
          dropped++
          return db.pool.query('DROP SCHEMA tenant CASCADE').then(() => query(...args))
        }
        client.query = dropFirst as typeof client.query
      })
      const rows: Node[] = rowsOf(COUNT, id => ({ id, up: id === 40 ? 9999 : id, n: id }))
      const sink = new PgBatchWritable<Node>({ pool, table: 'nodes', rejectLimit: 10, method })
      const rejected = await load([rows], sink)
      expect(dropped).to.equal(1)
      expect(rejected.map(({ index }) => index)).to.deep.equal([40])
      expect(sink.stats.rowsCommitted).to.equal(COUNT - 1)
      expect(await countOf(db.pool, 'nodes')).to.equal(COUNT - 1)
    })
  }

  it('leaves it to inTransaction to bring what the rows refer to', async () => {
    const rows: Node[] = rowsOf(50, id => ({ id, up: 1000, n: id === 7 ? -1 : id }))
    const rejected = await writeBatch(rows, {
      inTransaction: async (client: { query(text: string): Promise<unknown> }) => {
        await client.query('INSERT INTO nodes VALUES (1000, NULL, 0)')
      },
    })
    expect(rejected.map(({ index }) => index)).to.deep.equal([7])
    expect(await countOf(db.pool, 'nodes')).to.equal(50)
  })
})
