import { expect } from 'chai'
import pg from 'pg'
import { useDatabase } from '../../support/database.ts'
import { FaultProxy } from '../../support/proxy.ts'
import { countOf, failureOf, rowsOf, write } from '../../support/writing.ts'

/**
 * More than PgBouncer has connections to the server: one that were left in a COPY each time would use them
 * up.
 */
const REFUSED = 12

describe('COPY data that go ahead of the answer to their statement', () => {
  const db = useDatabase()
  let proxy: FaultProxy
  let pool: pg.Pool

  beforeEach(async () => {
    await db.pool.query('DROP TABLE IF EXISTS ahead; CREATE TABLE ahead (id bigint)')
    proxy = await FaultProxy.start(Number(new URL(db.connectionString).port))
    const through = Object.assign(new URL(db.connectionString), { hostname: '127.0.0.1', port: proxy.port })
    pool = new pg.Pool({ connectionString: through.href, max: 1 })
    pool.on('error', () => {})
  })

  afterEach(async () => {
    await pool.end()
    await proxy.stop()
  })

  it('cost no round trip: the end of a batch is sent before the answer to COPY arrives', async () => {
    // the answer waits for CopyDone to pass: a writer that waits for the answer first waits forever
    const ended = proxy.arm({
      direction: 'up',
      at: ({ name }) => name === 'CopyDone',
      action: { do: 'call', run: async () => {} },
    })
    proxy.arm({
      direction: 'down',
      at: ({ name }) => name === 'CopyInResponse',
      action: { do: 'call', run: () => ended },
    })
    const { stats } = await write([[{ id: 1 }, { id: 2 }]], { pool, table: 'ahead', method: 'copy' })
    expect(stats.rowsCommitted).to.equal(2)
    expect(await countOf(db.pool, 'ahead')).to.equal(2)
  })

  it('are ignored after a statement that fails, and the connection serves the next batch', async () => {
    const options = { pool, table: 'ahead', method: 'copy', retry: false } as const
    for (let time = 0; time < REFUSED; time++) {
      // the table exists when it is introspected, and is gone when the COPY comes
      proxy.arm({
        direction: 'up',
        at: ({ text }) => text.includes('COPY'),
        action: {
          do: 'call',
          run: async () => void (await db.pool.query('ALTER TABLE ahead RENAME TO gone')),
        },
      })
      const error = await failureOf(write([rowsOf(20_000, id => ({ id }))], options))
      expect(error).to.include({ sqlState: '42P01', outcome: 'rolled-back' })
      await db.pool.query('ALTER TABLE gone RENAME TO ahead')
    }
    expect(proxy.opened).to.equal(1)
    const { stats } = await write([[{ id: 1 }]], options)
    expect(stats.rowsCommitted).to.equal(1)
    expect(await countOf(db.pool, 'ahead')).to.equal(1)
  })
})
