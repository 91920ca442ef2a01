import { once } from 'node:events'
import { expect } from 'chai'
import type { StreamState } from '../../../lib/types.ts'
import { PgBatchWritable } from '../../../lib/writable/pg-batch-writable.ts'
import { useDatabase } from '../../support/servers/database.ts'
import { lockTable, terminate, untilBlocked, usePools } from '../../support/servers/pools.ts'
import { until } from '../../support/until.ts'
import { expectBalanced } from '../../support/writing.ts'

interface Row {
  id: number
}

describe('the health that stats show', () => {
  const db = useDatabase()
  const makePool = usePools(db)

  beforeEach(() => db.pool.query('DROP TABLE IF EXISTS t; CREATE TABLE t (id int PRIMARY KEY)'))

  const open = (extra: object = {}) => {
    const { pool, name } = makePool()
    const retry = { minDelayMs: 1, maxDelayMs: 5 }
    const stream = new PgBatchWritable<Row>({ pool, table: 't', retry, ...extra })
    const closed = once(stream, 'close')
    closed.catch(() => {})
    return { stream, name, closed }
  }

  it('is idle, writing while a lock holds a batch, idle again, and ended', async () => {
    const { stream, name, closed } = open()
    expect(stream.stats).to.include({ state: 'idle', oldestPendingMs: 0, lastCommitAt: undefined })
    const before = Date.now()
    stream.write([{ id: 1 }])
    await until('the first commit', () => stream.stats.state === 'idle')
    const { lastCommitAt } = stream.stats
    expect(lastCommitAt!.getTime()).to.be.within(before, Date.now())
    expect(stream.stats.oldestPendingMs).to.equal(0)

    const unlock = await lockTable(db, 't')
    stream.write([{ id: 2 }])
    await untilBlocked(db, name)
    const blocked = stream.stats.oldestPendingMs
    stream.write([{ id: 3 }])
    await until('the stall shows', () => stream.stats.oldestPendingMs > blocked + 20)
    expect(stream.stats).to.include({ state: 'writing', rowsPending: 2 })
    expect(stream.stats.lastCommitAt).to.deep.equal(lastCommitAt)
    expectBalanced(stream.stats)
    await unlock()
    await until('the batches are in', () => stream.stats.state === 'idle')
    expect(stream.stats).to.include({ oldestPendingMs: 0, rowsCommitted: 3 })
    expect(stream.stats.lastCommitAt!.getTime()).to.be.above(lastCommitAt!.getTime() - 1)
    stream.end()
    await closed
    expect(stream.stats).to.include({ state: 'ended', rowsPending: 0, oldestPendingMs: 0 })
  })

  it('is retrying from a transient failure to the next commit', async () => {
    const { stream, name, closed } = open()
    const states: StreamState[] = []
    stream.on('retry', () => states.push(stream.stats.state))
    stream.on('commit', () => states.push(stream.stats.state))
    const unlock = await lockTable(db, 't')
    stream.write([{ id: 1 }])
    await untilBlocked(db, name)
    await terminate(db, name)
    await until('it has noticed', () => stream.stats.state === 'retrying')
    expect(stream.stats.oldestPendingMs).to.be.above(0)
    await unlock()
    stream.end()
    await closed
    expect(states).to.deep.equal(['retrying', 'idle'])
    expect(stream.stats.state).to.equal('ended')
  })

  it('is retrying while there is no server to introspect', async () => {
    const { stream, closed } = open({
      pool: undefined,
      connectionString: 'postgres://x@127.0.0.1:1/x',
      retry: { retries: 3, minDelayMs: 30, maxDelayMs: 30 },
    })
    stream.on('error', () => {})
    const states: StreamState[] = []
    stream.on('retry', () => states.push(stream.stats.state))
    stream.write([{ id: 1 }])
    await closed.catch(() => {})
    expect(states).to.deep.equal(['retrying', 'retrying', 'retrying'])
    await until('it has failed', () => stream.stats.state === 'failed')
    expect(stream.stats).to.include({ rowsPending: 1, oldestPendingMs: 0, lastCommitAt: undefined })
  })

  it('is failed after a failure, and after it was destroyed', async () => {
    const { stream, closed } = open()
    stream.on('error', () => {})
    stream.write([{ id: 1 }, { id: 1 }])
    await closed.catch(() => {})
    await until('it has closed', () => stream.closed)
    expect(stream.stats.state).to.equal('failed')
    expectBalanced(stream.stats)
    const other = open().stream.destroy()
    expect(other.stats.state).to.equal('failed')
  })

  it('are a plain object, made anew each time', () => {
    const { stream } = open()
    expect(Object.getPrototypeOf(stream.stats)).to.equal(Object.prototype)
    expect(stream.stats).to.not.equal(stream.stats)
    expect(structuredClone(stream.stats)).to.deep.equal(stream.stats)
    stream.destroy()
  })
})
