import { expect } from 'chai'
import pg from 'pg'
import type { PgPoolLike } from '../../lib/connection/pg-types.ts'
import { useDatabase } from '../support/servers/database.ts'
import { batchesOf, countOf, failureOf, rowsOf, write } from '../support/writing.ts'

/**
 * pg-native is compiled on installation, and needs a compiler and libpq's headers, so that it is not among
 * the packages of a checkout: `.ci/run` installs it elsewhere, and names that folder in NODE_PATH.
 */
describe('a pool of pg-native', () => {
  const db = useDatabase()
  let native: pg.Pool
  let pool: PgPoolLike

  beforeEach(async () => {
    await db.pool.query('DROP TABLE IF EXISTS t; CREATE TABLE t (id int PRIMARY KEY, n numeric)')
    expect(pg.native, 'install pg-native, and name its node_modules in NODE_PATH').to.not.equal(null)
    native = new pg.native!.Pool({ connectionString: db.connectionString })
    pool = native as unknown as PgPoolLike
  })
  afterEach(() => native.end()) // before the database is dropped

  it('writes by INSERT where the method is left to the stream', async () => {
    const { commits } = await write(
      batchesOf(
        rowsOf(3000, id => ({ id, n: '1.50' })),
        500,
      ),
      { pool, table: 't' },
    )
    expect(new Set(commits.map(({ method }) => method))).to.deep.equal(new Set(['insert']))
    expect(await countOf(db.pool, 't')).to.equal(3000)
  })

  it('upserts with a checkpoint, and rejects a bad row', async () => {
    const { stats } = await write(
      batchesOf(
        rowsOf(400, id => ({ id, n: id === 7 ? 'x' : id })),
        200,
      ),
      {
        pool,
        table: 't',
        onConflict: { target: ['id'], action: 'update' },
        checkpoint: { name: 'native', position: ({ id }) => ({ partition: '0', offset: id }) },
        rejectLimit: 1,
      },
    )
    expect(stats).to.include({ rowsCommitted: 399, rowsRejected: 1 })
  })

  it("refuses `method: 'copy'` before anything is sent, and names what helps", async () => {
    const error = await failureOf(write([[{ id: 1 }]], { pool, table: 't', method: 'copy' }))
    expect(error).to.include({ code: 'REFUSED', outcome: 'not-sent' })
    expect(error.message).to.include("use `method: 'auto'` or 'insert'").and.include('new pg.Pool()')
  })
})
