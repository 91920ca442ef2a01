import { expect } from 'chai'
import { useProxiedPool } from '../../../support/network/proxied-pool.ts'
import { useDatabase } from '../../../support/servers/database.ts'
import { countOf, failureOf, rowsOf, write } from '../../../support/writing.ts'

/**
 * More than PgBouncer has connections to the server: one that were left in a COPY each time would use them
 * up.
 */
const REFUSED = 12

describe('COPY data that go ahead of the answer to their statement', () => {
  const db = useDatabase()
  const through = useProxiedPool(db)

  beforeEach(async () => {
    await db.pool.query('DROP TABLE IF EXISTS ahead; CREATE TABLE ahead (id bigint)')
  })

  it('cost no round trip: the end of a batch is sent before the answer to COPY arrives', async () => {
    // the answer waits for CopyDone to pass: a writer that waits for the answer first waits forever
    const ended = through.proxy.arm({
      direction: 'up',
      at: ({ name }) => name === 'CopyDone',
      action: { do: 'call', run: async () => {} },
    })
    through.proxy.arm({
      direction: 'down',
      at: ({ name }) => name === 'CopyInResponse',
      action: { do: 'call', run: () => ended },
    })
    const { stats } = await write([[{ id: 1 }, { id: 2 }]], {
      pool: through.pool,
      table: 'ahead',
      method: 'copy',
    })
    expect(stats.rowsCommitted).to.equal(2)
    expect(await countOf(db.pool, 'ahead')).to.equal(2)
  })

  it('are ignored after a statement that fails, and the connection serves the next batch', async () => {
    const options = { pool: through.pool, table: 'ahead', method: 'copy', retry: false } as const
    for (let time = 0; time < REFUSED; time++) {
      // the table exists when it is introspected, and is gone when the COPY comes
      through.proxy.arm({
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
    expect(through.proxy.opened).to.equal(1)
    const { stats } = await write([[{ id: 1 }]], options)
    expect(stats.rowsCommitted).to.equal(1)
    expect(await countOf(db.pool, 'ahead')).to.equal(1)
  })
})
