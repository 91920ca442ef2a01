import { finished } from 'node:stream/promises'
import { expect } from 'chai'
import pg from 'pg'
import type { PgBatchError } from '../../../lib/errors.ts'
import { PgBatchWritable, PgRowWriter } from '../../../lib/index.ts'
import { useDatabase } from '../../support/servers/database.ts'
import { until } from '../../support/until.ts'

const WRITERS = {
  PgBatchWritable: async (pool: pg.Pool) => {
    const sink = new PgBatchWritable({ pool, table: 't' })
    sink.end([{ id: 1 }])
    await finished(sink)
  },
  PgRowWriter: async (pool: pg.Pool) => {
    await using writer = new PgRowWriter({ pool, table: 't' })
    await writer.write({ id: 1 })
  },
}

describe('A pool that its owner ends', () => {
  const db = useDatabase()

  for (const [name, write] of Object.entries(WRITERS)) {
    it(`fails a ${name} that waits for a client, as pg-pool itself never answers it`, async () => {
      await db.pool.query('CREATE TABLE IF NOT EXISTS t (id int)')
      const pool = new pg.Pool({ connectionString: db.connectionString, max: 1 })
      const held = await pool.connect()
      const failed = write(pool).then(
        () => expect.fail('it was written'),
        (error: PgBatchError) => error,
      )
      await until('the writer waits for a client', () => pool.waitingCount === 1)
      const ended = pool.end()
      const error = await failed
      held.release()
      await ended
      expect(error).to.include({ code: 'CONNECTION', outcome: 'not-sent' })
      expect(error.message).to.contain('Cannot use a pool after calling end on the pool')
      expect((await db.pool.query('TABLE t')).rows).to.deep.equal([])
    })
  }
})
