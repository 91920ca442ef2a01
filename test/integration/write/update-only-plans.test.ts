import { expect } from 'chai'
import { useDatabase } from '../../support/database.ts'
import { usePools } from '../../support/pools.ts'
import { METHODS, options, valuesOf, write } from '../../support/writing.ts'

describe('update-only on a key whose NULLs are not distinct', () => {
  const db = useDatabase()
  const makePool = usePools(db)

  before(() =>
    db.pool.query(`CREATE TABLE t (tenant int NOT NULL, id int, n int, UNIQUE NULLS NOT DISTINCT (tenant, id));
      INSERT INTO t SELECT i % 100, nullif(i / 100, 0), 0 FROM generate_series(0, 9999) AS i; ANALYZE t;
      ALTER DATABASE ${db.name} SET session_preload_libraries = 'auto_explain';
      ALTER DATABASE ${db.name} SET auto_explain.log_min_duration = 0;
      ALTER DATABASE ${db.name} SET auto_explain.log_level = 'notice'`),
  )

  for (const way of METHODS) {
    it(`finds stored rows by the whole key, with NULLs and without, by ${way.title}`, async () => {
      const plans: string[] = []
      const { pool } = makePool()
      pool.on('connect', client => {
        client.on('notice', ({ message = '' }) => plans.push(message.slice(message.indexOf('\nResult '))))
      })
      const { stats } = await write<{ tenant: number; id: number | null; n: number }>(
        [
          [
            { tenant: 1, id: 1, n: 1 },
            { tenant: 1, id: null, n: 2 },
            { tenant: 2, id: null, n: 3 },
            { tenant: 200, id: null, n: 4 },
          ],
        ],
        {
          pool,
          table: 't',
          onConflict: { target: ['tenant', 'id'], action: 'update', mode: 'update-only' },
          ...options(way),
        },
      )
      expect(stats).to.include({ rowsCommitted: 3, rowsUnchanged: 1 })
      const updated = await valuesOf(db.pool, 'SELECT tenant, id, n FROM t WHERE n > 0 ORDER BY n')
      expect(updated).to.deep.equal([
        [1, 1, 1],
        [1, null, 2],
        [2, null, 3],
      ])
      const [plan, another] = plans.filter(text => text.includes('Update on t '))
      expect(another).to.equal(undefined)
      expect(plan).to.match(/Update on t [\s\S]*Index Cond: \(\(tenant = \S+\) AND \(id = \S+\)\)/)
      expect(plan).to.match(/Update on t [\s\S]*Index Cond: \(\(tenant = \S+\) AND \(id IS NULL\)\)/)
      expect(plan).not.to.contain(' OR ')
    })
  }
})
