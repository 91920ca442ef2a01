import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { expect } from 'chai'
import pg from 'pg'
import { PgBatchWritable } from '../../../lib/writable/pg-batch-writable.ts'
import { readCheckpoint } from '../../../lib/write/checkpoint/read-checkpoint.ts'
import { useDatabase } from '../../support/servers/database.ts'
import { sessions } from '../../support/servers/pools.ts'
import { until } from '../../support/until.ts'
import { countOf } from '../../support/writing.ts'

describe("an idle client of the user's pool that the server ends", () => {
  const db = useDatabase()
  let pool: pg.Pool
  const uncaught: unknown[] = []
  const note = (error: unknown): void => void uncaught.push(error)
  let others: NodeJS.UncaughtExceptionListener[] = []

  beforeEach(async () => {
    await db.pool.query('DROP TABLE IF EXISTS t; CREATE TABLE t (id int)')
    pool = new pg.Pool({ connectionString: db.directConnectionString, application_name: 'idle' })
    others = process.listeners('uncaughtException')
    process.removeAllListeners('uncaughtException').on('uncaughtException', note)
  })
  afterEach(async () => {
    process.removeAllListeners('uncaughtException')
    for (const listener of others) process.on('uncaughtException', listener)
    await pool.end()
    expect(uncaught.splice(0)).to.deep.equal([])
  })

  const endIdleClients = async (): Promise<void> => {
    expect(await sessions(db, 'idle', 'true')).to.be.above(0)
    await db.pool.query(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'idle'",
    )
    await until('the pool has noticed', () => pool.totalCount === 0 || uncaught.length > 0)
  }

  it('does not end the process before a stream has written, between its writes, and after its end', async () => {
    await pool.query('SELECT 1')
    const writable = new PgBatchWritable({ pool, table: 't' })
    await endIdleClients()
    const write = (id: number): Promise<void> =>
      new Promise((resolve, reject) => {
        writable.once('error', reject).once('commit', () => resolve())
        writable.write([{ id }])
      })
    await write(1)
    await until('the client is back', () => pool.idleCount === 1)
    await endIdleClients()
    await write(2)
    await new Promise<void>(resolve => writable.end(resolve))
    await endIdleClients()
    expect(await countOf(db.pool, 't')).to.equal(2)
  })

  it('does not end the process after a checkpoint was read', async () => {
    await readCheckpoint(pool, 'none')
    await endIdleClients()
  })

  it("is reported to the pool's own listeners, and many streams on a pool add one listener", async () => {
    const reported: Error[] = []
    pool.on('error', error => reported.push(error))
    for (let streams = 0; streams < 20; streams++) {
      await pipeline(Readable.from([[{ id: 1 }]]), new PgBatchWritable({ pool, table: 't' }))
    }
    expect(pool.listenerCount('error')).to.equal(2)
    await endIdleClients()
    expect(reported).to.have.length(1)
  })
})
