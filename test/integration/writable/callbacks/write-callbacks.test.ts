import { once } from 'node:events'
import { expect } from 'chai'
import { PgBatchWritable } from '../../../../lib/writable/pg-batch-writable.ts'
import { useDatabase } from '../../../support/servers/database.ts'
import { lockTable, untilBlocked, usePools } from '../../../support/servers/pools.ts'
import { settlesWithin } from '../../../support/until.ts'
import { countOf, failureOf, rowsOf, write } from '../../../support/writing.ts'

interface Row {
  id: number
}

describe('the callbacks and events of a stream', () => {
  const db = useDatabase()
  const makePool = usePools(db)

  beforeEach(async () => {
    await db.pool.query('DROP TABLE IF EXISTS t; CREATE TABLE t (id int)')
  })

  for (const error of [new Error('the cause'), undefined]) {
    it(`each write and end() calls back when destroyed ${error ? 'by' : 'without'} an error`, async () => {
      const { pool, name } = makePool()
      const unlock = await lockTable(db, 't')
      try {
        const writable = new PgBatchWritable<Row>({ pool, table: 't' })
        writable.on('error', () => {})
        const answers = rowsOf(8, id => new Promise(resolve => writable.write([{ id }], resolve)))
        answers.push(new Promise(resolve => writable.end(resolve)))
        await untilBlocked(db, name)
        writable.destroy(error)
        const answered = await settlesWithin(2000, Promise.all(answers))
        expect(answered.at(-1)).to.be.an('error')
        expect(answered.at(-2)).to.be.an('error')
      } finally {
        await unlock()
      }
    })
  }

  it('a signal that aborts before anything was sent keeps everything unsent', async () => {
    const controller = new AbortController()
    const writable = new PgBatchWritable<Row>({
      pool: { connect: () => new Promise(() => {}) },
      table: 't',
      signal: controller.signal,
    })
    writable.write([{ id: 1 }])
    controller.abort()
    const [error] = await once(writable, 'error')
    expect(error).to.include({ code: 'ABORTED', outcome: 'not-sent' })
  })

  it('a listener that throws fails it as a callback does, and rows are reported as committed', async () => {
    const writable = new PgBatchWritable<Row>({ pool: makePool().pool, table: 't' })
    writable.on('commit', () => {
      throw new Error('mine')
    })
    const failed = failureOf(once(writable, 'finish'))
    writable.end([{ id: 1 }])
    const error = await failed
    expect(error).to.include({
      code: 'CALLBACK_FAILED',
      callback: "on('commit')",
      outcome: 'committed',
      batchId: 1,
    })
    expect(await countOf(db.pool, 't')).to.equal(1)
  })

  it('a commit and its rejected rows are reported in one turn, with nothing in between', async () => {
    const writable = new PgBatchWritable<object>({ pool: makePool().pool, table: 't', rejectLimit: 9 })
    const reported: string[] = []
    writable.on('commit', () => {
      reported.push('commit')
      queueMicrotask(() => reported.push('turn'))
    })
    writable.on('reject', ({ index }) => reported.push(`reject ${index}`))
    writable.end([{ id: 0 }, { id: 'x' }, { id: 2 }, { id: 'y' }])
    await once(writable, 'finish')
    expect(reported).to.deep.equal(['commit', 'reject 1', 'reject 3', 'turn'])
  })

  it('a batch whose laneOf fails is handed to onDiscard', async () => {
    const discarded: Row[][] = []
    const writable = new PgBatchWritable<Row>({
      pool: makePool().pool,
      table: 't',
      concurrency: 2,
      laneOf() {
        throw new Error('mine')
      },
      onDiscard: items => discarded.push(items),
    })
    const failed = failureOf(once(writable, 'finish'))
    writable.end([{ id: 1 }])
    expect(await failed).to.include({ code: 'CALLBACK_FAILED', callback: 'laneOf', outcome: 'not-sent' })
    if (!writable.closed) await once(writable, 'close')
    expect(discarded).to.deep.equal([[{ id: 1 }]])
  })

  it('items without a row count towards the limit of a transaction', async () => {
    const writable = new PgBatchWritable<Row>({
      pool: makePool().pool,
      table: 't',
      toRow: row => (row.id === 0 ? row : null),
    })
    const batch = rowsOf(20_000, id => ({ id }))
    for (let written = 0; written < 11; written++) {
      if (!writable.write(batch)) await once(writable, 'drain')
    }
    writable.end()
    await once(writable, 'finish')
    expect(writable.stats).to.include({ rowsCommitted: 11, rowsSkipped: 11 * 19_999 })
    expect(writable.stats.transactions).to.be.at.least(3)
  })

  it("an object of another library is refused, with the name of pg's pool in it", async () => {
    const { pool: held } = db
    for (const [path, pool] of [
      ['.$client', { $client: held }],
      ['.driver.master', { driver: { master: held } }],
    ] as const) {
      expect(() => new PgBatchWritable<Row>({ pool: pool as never, table: 't' })).to.throw(
        TypeError,
        `a pool with a connect() method, got \`[Object]\` (object): pass its \`${path}\``,
      )
    }
    for (const [path, pool] of [
      ['.$pool', { $pool: held, connect: async () => ({}) }],
      ['.master', { master: held, connect: async () => {} }],
    ] as const) {
      const failed = await failureOf(write([[{ id: 1 }]], { pool: pool as never, table: 't', retry: false }))
      expect(failed.message).to.contain(`pass its \`${path}\`, which is the pool`)
    }
    const replicas = { master: held, connect: () => held.connect() }
    await write([[{ id: 77 }]], { pool: replicas as never, table: 't' })
  })

  it('a Client in place of a Pool is refused by name', async () => {
    const client = await db.pool.connect()
    try {
      const { host, port, user, password, database } = client as unknown as Record<string, never>
      const { default: pg } = await import('pg')
      const lonely = new pg.Client({ host, port, user, password, database })
      for (const pool of [lonely, client]) {
        expect(() => new PgBatchWritable<Row>({ pool: pool as never, table: 't' })).to.throw(
          TypeError,
          'Expected `pool` to be a Pool of pg, got a Client: make one by `new pg.Pool({ connectionString })`',
        )
      }
      const pool = { connect: async () => undefined }
      const writable = new PgBatchWritable<Row>({ pool: pool as never, table: 't', retry: false })
      const failed = failureOf(once(writable, 'finish'))
      writable.end([{ id: 1 }])
      expect((await failed).message).to.contain('is `pool` a Client, not a Pool?')
    } finally {
      client.release()
    }
  })
})
