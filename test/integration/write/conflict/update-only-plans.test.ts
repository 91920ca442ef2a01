import { once } from 'node:events'
import { finished } from 'node:stream/promises'
import { expect } from 'chai'
import { PgBatchWritable } from '../../../../lib/writable/pg-batch-writable.ts'
import { useDatabase } from '../../../support/servers/database.ts'
import { usePools } from '../../../support/servers/pools.ts'
import { until } from '../../../support/until.ts'
import { METHODS, options, valuesOf, write } from '../../../support/writing.ts'

describe('update-only, and other upserts, on a key whose NULLs are not distinct', () => {
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
      expect(plan).to.match(/Update on t [\s\S]*Index Cond: \(\(tenant = .+\) AND \(id = \S+\)\)/)
      expect(plan).to.match(/Update on t [\s\S]*Index Cond: \(\(tenant = .+\) AND \(id IS NULL\)\)/)
      expect(plan).not.to.contain(' OR ')
    })

    it(`finds NULLs that another session has allowed since, by ${way.title}`, async () => {
      await db.pool.query(`DROP TABLE IF EXISTS u; CREATE TABLE u (tenant int NOT NULL, id int NOT NULL, n int,
        UNIQUE NULLS NOT DISTINCT (tenant, id)); INSERT INTO u VALUES (1, 1, 0)`)
      const writable = new PgBatchWritable<{ tenant: number; id: number | null; n: number }>({
        pool: makePool().pool,
        table: 'u',
        onConflict: { target: ['tenant', 'id'], action: 'update', mode: 'update-only' },
        ...options(way),
      })
      writable.write([
        { tenant: 1, id: 1, n: 1 },
        { tenant: 1, id: null, n: 5 },
      ])
      await once(writable, 'commit')
      await db.pool.query('ALTER TABLE u ALTER id DROP NOT NULL; INSERT INTO u VALUES (1, NULL, 0)')
      writable.end([
        { tenant: 1, id: null, n: 2 },
        { tenant: 1, id: 1, n: 3 },
      ])
      await finished(writable)
      expect(writable.stats).to.include({ rowsCommitted: 3, rowsUnchanged: 1 })
      expect(await valuesOf(db.pool, 'SELECT id, n FROM u ORDER BY n')).to.deep.equal([
        [null, 2],
        [1, 3],
      ])
    })

    it(`locks stored rows in the order of their keys, with NULLs, too, by ${way.title}`, async () => {
      await db.pool.query(`DROP TABLE IF EXISTS u; CREATE TABLE u (tenant int NOT NULL, id int, n int DEFAULT 0,
        UNIQUE NULLS NOT DISTINCT (tenant, id)); INSERT INTO u VALUES (1, NULL), (2, NULL)`)
      const { pool, name } = makePool()
      const other = await db.pool.connect()
      try {
        await other.query('BEGIN; SELECT FROM u WHERE tenant = 1 AND id IS NULL FOR UPDATE')
        const rows: { tenant: number; id: null; n?: number }[] = [
          { tenant: 2, id: null },
          { tenant: 1, id: null, n: 1 }, // its shape is written after the other one
          { tenant: 2, id: null },
        ]
        const onConflict = {
          target: ['tenant', 'id'],
          action: 'update',
          update: { n: 'excluded.n' },
        } as const
        const written = write([rows], { pool, table: 'u', onConflict, ...options(way) })
        await until('it waits for the lock', async () => {
          const waiting = `SELECT FROM pg_stat_activity WHERE application_name = '${name}' AND wait_event_type = 'Lock'`
          return (await valuesOf(db.pool, waiting)).length > 0
        })
        await other.query('SELECT FROM u WHERE tenant = 2 AND id IS NULL FOR UPDATE NOWAIT; COMMIT')
        await written
      } finally {
        other.release(true)
      }
    })
  }
})
