import { expect } from 'chai'
import { PgBatchWritable } from '../../../../lib/writable/pg-batch-writable.ts'
import { readCheckpoint } from '../../../../lib/write/checkpoint/read-checkpoint.ts'
import { FaultProxy } from '../../../support/network/proxy.ts'
import { useDatabase } from '../../../support/servers/database.ts'
import { usePools } from '../../../support/servers/pools.ts'
import { rejectionOf } from '../../../support/writing.ts'
import { load } from '../load.ts'

describe('readCheckpoint', () => {
  const db = useDatabase()
  const makePool = usePools(db)

  let proxy: FaultProxy | undefined
  afterEach(() => proxy?.stop())

  before(async () => {
    await db.pool.query('CREATE SCHEMA "Other.one"; CREATE TABLE t (offset_ int)')
  })

  const write = (name: string, offsets: Record<string, number>, table?: { schema: string; name: string }) =>
    load(
      [Object.entries(offsets)],
      new PgBatchWritable<[string, number], object>({
        pool: makePool().pool,
        table: 't',
        toRow: ([, offset_]) => ({ offset_ }),
        checkpoint: {
          name,
          position: ([partition, offset]) => ({ partition, offset }),
          ...(table ? { table } : {}),
        },
      }),
    )

  it('is empty where the table does not exist yet, and the client goes back', async () => {
    const { pool } = makePool()
    expect(await readCheckpoint(pool, 'nobody')).to.deep.equal(new Map())
    expect(await readCheckpoint(pool, 'nobody', 'no_schema.nothing')).to.deep.equal(new Map())
    expect(pool.idleCount).to.equal(pool.totalCount)
  })

  it('refuses what is not a pool', async () => {
    for (const pool of [db.connectionString, undefined, {}]) {
      const error = await readCheckpoint(pool as never, 'one').catch(error => error)
      expect(error)
        .to.be.instanceOf(TypeError)
        .with.property('message', 'Expected `pool` to be a pool, such as `new pg.Pool({ connectionString })`')
    }
  })

  it("reads every partition of one name, and no other's", async () => {
    await write('one', { '': 1, a: 2, 'b"\'\\': 3 })
    await write('two', { a: 7 })
    expect(await readCheckpoint(makePool().pool, 'one')).to.deep.equal(
      new Map([
        ['', 1n],
        ['a', 2n],
        ['b"\'\\', 3n],
      ]),
    )
    expect(await readCheckpoint(makePool().pool, 'three')).to.deep.equal(new Map())
  })

  it('reads a table of another name', async () => {
    const table = { schema: 'Other.one', name: 'My.positions' }
    await write('one', { a: 5 }, table)
    expect(await readCheckpoint(makePool().pool, 'one', table)).to.deep.equal(new Map([['a', 5n]]))
    expect(await readCheckpoint(makePool().pool, 'one', '"Other.one"."My.positions"')).to.deep.equal(
      new Map([['a', 5n]]),
    )
  })

  it('rejects when its connection breaks, and the process survives', async () => {
    const url = new URL(db.connectionString)
    proxy = await FaultProxy.start(Number(url.port))
    url.port = String(proxy.port)
    const { pool } = makePool({ connectionString: url.href })
    // pg reports it twice: to the query that waits, and by an event
    const isQuestion = ({ name }: { name: string }) => name === 'Parse' || name === 'Query'
    proxy.arm({ direction: 'up', at: isQuestion, action: { do: 'cut' } })
    expect((await rejectionOf(readCheckpoint(pool, 'one'))).message).to.match(/^Connection terminated/)
    expect(await readCheckpoint(pool, 'nobody')).to.deep.equal(new Map())
  })

  it("rejects with the server's error for a table with other columns", async () => {
    await db.pool.query('CREATE TABLE mine (name text)')
    expect(await rejectionOf(readCheckpoint(makePool().pool, 'one', 'mine'))).to.include({ code: '42703' })
  })
})
