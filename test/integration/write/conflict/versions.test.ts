import { expect } from 'chai'
import { seededRandom } from '../../../support/random.ts'
import { useDatabase } from '../../../support/servers/database.ts'
import { usePools } from '../../../support/servers/pools.ts'
import { batchesOf, METHODS, options, rowsOf, valuesOf, write } from '../../../support/writing.ts'

const KEYS = 2000
const VERSIONS = 10

interface Version {
  readonly id: number
  readonly version: number
  readonly note: string
}

/** All versions of all keys, in random order. */
function shuffledVersions(): Version[] {
  const random = seededRandom(7)
  const rows = rowsOf(KEYS * VERSIONS, n => ({
    id: n % KEYS,
    version: Math.floor(n / KEYS),
    note: `note ${n}`,
  }))
  for (let last = rows.length - 1; last > 0; last--) {
    const other = random.integer(0, last)
    ;[rows[last], rows[other]] = [rows[other]!, rows[last]!]
  }
  return rows
}

describe('versions in any order, on four connections without lanes', () => {
  const db = useDatabase()
  const makePool = usePools(db)

  for (const way of METHODS) {
    it(`leave the greatest of each key, and write none a second time: ${way.title}`, async () => {
      await db.pool.query(
        'DROP TABLE IF EXISTS versions; CREATE TABLE versions (id int PRIMARY KEY, version int, note text)',
      )
      const load = async (): Promise<number> => {
        const { stats } = await write<Version>(batchesOf(shuffledVersions(), 500), {
          pool: makePool({ max: 4 }).pool,
          table: 'versions',
          concurrency: 4,
          onConflict: { target: ['id'], action: 'update', newerBy: 'version', onlyIfChanged: true },
          ...options(way),
        })
        return stats.rowsCommitted
      }
      expect(await load()).to.be.within(KEYS, KEYS * VERSIONS)
      const wrong = `SELECT * FROM versions WHERE version <> ${VERSIONS - 1} OR note <> 'note ' || version * ${KEYS} + id`
      expect(await valuesOf(db.pool, wrong)).to.deep.equal([])
      const stored = 'SELECT ctid::text, * FROM versions ORDER BY id'
      const before = await valuesOf(db.pool, stored)
      expect(before).to.have.length(KEYS)
      expect(await load()).to.equal(0)
      expect(await valuesOf(db.pool, stored)).to.deep.equal(before)
    })
  }

  it('leave rows that are equal as they are: onlyIfChanged alone', async () => {
    await db.pool.query(
      'DROP TABLE IF EXISTS kept; CREATE TABLE kept (id int PRIMARY KEY, at point, doc json)',
    )
    const rows = rowsOf(3000, id => ({ id, at: '(1,2)', doc: { id } }))
    const load = async () => {
      const { stats } = await write(batchesOf(rows, 1000), {
        pool: makePool().pool,
        table: 'kept',
        onConflict: { target: ['id'], action: 'update', onlyIfChanged: true },
      })
      return stats.rowsCommitted
    }
    expect(await load()).to.equal(3000)
    const before = await valuesOf(db.pool, 'SELECT ctid::text, id FROM kept ORDER BY id')
    expect(await load()).to.equal(0)
    expect(await valuesOf(db.pool, 'SELECT ctid::text, id FROM kept ORDER BY id')).to.deep.equal(before)
  })

  for (const way of METHODS) {
    it(`add up the increments of one key: ${way.title}`, async () => {
      await db.pool.query('DROP TABLE IF EXISTS counts; CREATE TABLE counts (id int PRIMARY KEY, n bigint)')
      const batches = batchesOf(
        rowsOf(10_000, () => ({ id: 1, n: 1 })),
        1000,
      )
      const { stats } = await write(batches, {
        pool: makePool({ max: 4 }).pool,
        table: 'counts',
        concurrency: 4,
        onConflict: { target: ['id'], action: 'update', update: { n: 'stored.n + excluded.n' } },
        ...options(way),
      })
      expect(stats.rowsCommitted).to.equal(10_000)
      expect(await valuesOf(db.pool, 'SELECT n FROM counts')).to.deep.equal([['10000']])
    })
  }
})
