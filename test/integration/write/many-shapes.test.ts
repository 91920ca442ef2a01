import { expect } from 'chai'
import { useDatabase } from '../../support/database.ts'
import { usePools } from '../../support/pools.ts'
import { seededRandom } from '../../support/random.ts'
import { batchesOf, rowsOf, valuesOf, write } from '../../support/writing.ts'

const COLUMNS = rowsOf(24, i => `c${i}`)

describe('Rows of very many shapes', function () {
  this.timeout(120_000)
  const db = useDatabase()
  const makePool = usePools(db)

  const rows = (count: number) => {
    const random = seededRandom(7)
    return rowsOf(count, id => ({
      id,
      ...Object.fromEntries(COLUMNS.filter(() => random.next() < 0.5).map(name => [name, id])),
    })) as Record<string, number>[]
  }

  beforeEach(async () => {
    const columns = COLUMNS.map((name, i) => `${name} int ${i % 3 === 0 ? 'NOT NULL' : ''} DEFAULT ${-i}`)
    await db.pool.query(
      `DROP TABLE IF EXISTS shapes; CREATE TABLE shapes (id int PRIMARY KEY, ${columns.join(', ')})`,
    )
  })

  const expected = (all: Record<string, number>[]) =>
    all.map(row => [row.id, ...COLUMNS.map((name, i) => row[name] ?? (i === 0 ? 0 : -i))])

  for (const method of ['auto', 'copy', 'insert'] as const) {
    it(`get the DEFAULT of each missing column, by few statements (${method})`, async () => {
      const all = rows(3000)
      const { pool } = makePool()
      let statements = 0
      pool.on('connect', client => {
        const query = client.query.bind(client) as (...args: unknown[]) => unknown
        client.query = ((...args: unknown[]) => {
          statements++
          return query(...args)
        }) as typeof client.query
      })
      const { stats } = await write(batchesOf(all, 500), { pool, table: 'shapes', method })
      expect(stats.rowsCommitted).to.equal(3000)
      expect(await valuesOf(db.pool, 'SELECT * FROM shapes ORDER BY id')).to.deep.equal(expected(all))
      expect(statements).to.be.at.most(60)
    })
  }

  it('go by INSERT beside a COPY of the rows of a common shape', async () => {
    const common = rowsOf(500, id => ({ id: id + 5000, c1: 1 }))
    const all = [...rows(200), ...common]
    const { commits } = await write([all], { pool: db.pool, table: 'shapes' })
    expect(commits.map(({ method, rows }) => [method, rows])).to.deep.equal([['copy', 700]])
    expect(await valuesOf(db.pool, 'SELECT * FROM shapes ORDER BY id')).to.deep.equal(expected(all))
  })

  it('are upserted by INSERT, where a merge would be a loop over a shape for each row', async () => {
    const all = rows(400)
    const onConflict = { target: ['id'], action: 'update' } as const
    const { commits } = await write([all], { pool: db.pool, table: 'shapes', onConflict })
    expect(commits.map(({ method }) => method)).to.deep.equal(['insert'])
    expect(await valuesOf(db.pool, 'SELECT * FROM shapes ORDER BY id')).to.deep.equal(expected(all))

    const common = rowsOf(400, id => ({ id, c1: 7 }))
    const again = await write([common], { pool: db.pool, table: 'shapes', onConflict })
    expect(again.commits.map(({ method }) => method)).to.deep.equal(['copy'])
    const changed = all.map(row => ({ ...row, c1: 7 }))
    expect(await valuesOf(db.pool, 'SELECT * FROM shapes ORDER BY id')).to.deep.equal(expected(changed))
  })

  it('lose only the bad ones', async () => {
    const all = rows(600)
    const bad = new Set([0, 77, 78, 599])
    const batch = all.map((row, id) => (bad.has(id) ? { ...row, c0: 'x' } : row))
    const { stats } = await write([batch], { pool: db.pool, table: 'shapes', rejectLimit: 4 })
    expect(stats.rowsRejected).to.equal(4)
    expect(await valuesOf(db.pool, 'SELECT * FROM shapes ORDER BY id')).to.deep.equal(
      expected(all.filter(({ id }) => !bad.has(id!))),
    )
  })
})
