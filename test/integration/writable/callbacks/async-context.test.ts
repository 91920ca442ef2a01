import { AsyncLocalStorage } from 'node:async_hooks'
import { expect } from 'chai'
import { BatchTransform } from '../../../../lib/batch/batch-transform.ts'
import { PgBatchWritable } from '../../../../lib/writable/pg-batch-writable.ts'
import { useDatabase } from '../../../support/servers/database.ts'
import { usePools } from '../../../support/servers/pools.ts'
import { until } from '../../../support/until.ts'

interface Row {
  id: number
}

describe('callbacks', () => {
  const db = useDatabase()
  const makePool = usePools(db)
  const storage = new AsyncLocalStorage<string>()

  beforeEach(async () => {
    await db.pool.query('DROP TABLE IF EXISTS t; CREATE TABLE t (id int PRIMARY KEY, n int)')
  })

  it('run in the AsyncLocalStorage context in which the stream was made, wherever it is used', async () => {
    const seen = new Map<string, Set<string | undefined>>()
    const note = <T>(name: string, answer: T): T => {
      seen.set(name, (seen.get(name) ?? new Set()).add(storage.getStore()))
      return answer
    }
    const { pool } = makePool()
    const writable = storage.run('maker', () => {
      const made = new PgBatchWritable<Row>({
        pool,
        table: 't',
        concurrency: 2,
        rejectLimit: 9,
        onConflict: { target: ['id'], action: 'update' },
        toRow: row => note('toRow', row.id === 0 ? { ...row, unknown: 1 } : row) as Row,
        operation: () => note('operation', 'upsert'),
        laneOf: row => note('laneOf', row.id),
        position: ({ id }) => note('position', { offset: id }),
        inTransaction: async client => {
          note('inTransaction', undefined)
          await client.query('SELECT 1')
          note('inTransaction after a query', undefined)
        },
        afterCommit: () => note('afterCommit', undefined),
        onDiscard: () => note('onDiscard', undefined),
      })
      return made
    })
    writable.on('commit', () => note('commit', undefined)).on('reject', () => note('reject', undefined))
    let commits = 0
    writable.on('commit', () => commits++)
    await storage.run('writer', async () => {
      for (let batch = 0; batch < 3; batch++) {
        writable.write([{ id: batch * 2 }, { id: batch * 2 + 1 }])
        await until('two lanes', () => writable.stats.rowsPending === 0)
      }
    })
    writable.on('error', () => {})
    const lock = await db.pool.connect()
    await lock.query('BEGIN; LOCK TABLE t')
    storage.run('destroyer', () => {
      writable.write([{ id: 10 }])
      writable.destroy(new Error('enough'))
    })
    await until('closed', () => writable.closed)
    await lock.query('ROLLBACK')
    lock.release()
    expect(commits).to.be.above(2)
    expect([...seen.keys()]).to.have.length(10)
    for (const [name, stores] of seen) expect([...stores], name).to.deep.equal(['maker'])
  })

  it('of BatchTransform run in their context, too', async () => {
    let store: string | undefined
    const transform = storage.run(
      'maker',
      () =>
        new BatchTransform<Row>({
          onDiscard() {
            store = storage.getStore()
          },
        }),
    )
    transform.on('error', () => {})
    storage.run('destroyer', () => {
      transform.write({ id: 1 })
      transform.destroy(new Error('enough'))
    })
    await until('closed', () => transform.closed)
    expect(store).to.equal('maker')
  })
})
