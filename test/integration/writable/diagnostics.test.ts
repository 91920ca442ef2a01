import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { expect } from 'chai'
import { BatchTransform, type CommitEvent, PgBatchWritable } from '../../../lib/index.ts'
import { useDatabase } from '../../support/servers/database.ts'

describe('the diagnostics channels', () => {
  const database = useDatabase()
  const CHANNELS = ['commit', 'retry', 'reject'] as const
  const heard: { name: string; message: Record<string, unknown> }[] = []
  const listener = (message: unknown, name: string | symbol) => {
    heard.push({ name: String(name), message: message as Record<string, unknown> })
  }

  beforeEach(async () => {
    heard.length = 0
    for (const name of CHANNELS) subscribe(`pg-batch-streams:${name}`, listener)
    await database.pool.query('DROP TABLE IF EXISTS t; CREATE TABLE t (id int PRIMARY KEY)')
  })
  afterEach(() => {
    for (const name of CHANNELS) unsubscribe(`pg-batch-streams:${name}`, listener)
  })

  it('report each commit as the event does, and each reject without its row', async () => {
    const sink = new PgBatchWritable({ pool: database.pool, table: 'public.t', rejectLimit: 1 })
    const commits: CommitEvent[] = []
    sink.on('commit', commit => commits.push(commit))
    const rows = [{ id: 1 }, { id: 2 }, { id: 1 }, { id: 4 }]
    await pipeline(Readable.from(rows), new BatchTransform({ maxCount: 2 }), sink)

    const table = { schema: 'public', name: 't' }
    expect(commits.length).to.be.at.least(1)
    expect(heard.filter(({ name }) => name.endsWith(':commit')).map(({ message }) => message)).to.deep.equal(
      commits.map(commit => ({ table, ...commit })),
    )
    const [reject, ...others] = heard.filter(({ name }) => name.endsWith(':reject'))
    expect(others).to.deep.equal([])
    expect(reject!.message).to.have.all.keys('table', 'error', 'batchId', 'index', 'position')
    expect(reject!.message).to.deep.include({ table, batchId: 2, index: 0 })
  })

  it('report each retry', async () => {
    let refused = 0
    const pool = {
      connect: async () => {
        if (refused++ < 2) throw Object.assign(new Error('refused'), { code: 'ECONNREFUSED' })
        return database.pool.connect()
      },
    }
    const sink = new PgBatchWritable({ pool: pool as never, table: 't', retry: { minDelayMs: 1 } })
    await pipeline(Readable.from([[{ id: 1 }]]), sink)
    const retries = heard.filter(({ name }) => name.endsWith(':retry'))
    expect(retries.map(({ message }) => message.attempt)).to.deep.equal([1, 2])
    expect(retries[0]!.message).to.deep.include({ table: { name: 't' } })
  })
})
