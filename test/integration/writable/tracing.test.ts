import { AsyncLocalStorage } from 'node:async_hooks'
import { tracingChannel } from 'node:diagnostics_channel'
import { expect } from 'chai'
import type { TransactionMessage } from '../../../lib/index.ts'
import { useDatabase } from '../../support/servers/database.ts'
import { terminate, usePools } from '../../support/servers/pools.ts'
import { failureOf, METHODS, options, rowsOf, valuesOf, write } from '../../support/writing.ts'

interface Row {
  id: number
}

const EVENTS = ['start', 'end', 'asyncStart', 'asyncEnd', 'error'] as const

describe('the tracing channel of transactions', () => {
  const db = useDatabase()
  const makePool = usePools(db)
  const channel = tracingChannel<unknown, TransactionMessage>('pg-batch-streams:transaction')
  const heard: { event: (typeof EVENTS)[number]; message: TransactionMessage; shown: object }[] = []
  const subscriber = Object.fromEntries(
    EVENTS.map(event => [
      event,
      (message: TransactionMessage) => void heard.push({ event, message, shown: { ...message } }),
    ]),
  ) as unknown as Parameters<typeof channel.subscribe>[0]

  beforeEach(async () => {
    heard.length = 0
    channel.subscribe(subscriber)
    await db.pool.query('DROP TABLE IF EXISTS t; CREATE TABLE t (id int PRIMARY KEY)')
  })
  afterEach(() => channel.unsubscribe(subscriber))

  const eventsOf = (message: TransactionMessage) =>
    heard.filter(each => each.message === message).map(({ event }) => event)

  for (const way of METHODS) {
    it(`gets each transaction, with what it begins with and how it ended, by ${way.title}`, async () => {
      const batches = [rowsOf(50, id => ({ id })), rowsOf(60, id => ({ id }), 50)]
      const given = { pool: db.pool, table: 'public.t', ...options(way) }
      const { commits } = await write<Row>(batches, given)
      const messages = [...new Set(heard.map(({ message }) => message))]
      expect(messages.length).to.equal(commits.length)
      for (const [index, message] of messages.entries()) {
        expect(eventsOf(message)).to.deep.equal(['start', 'end', 'asyncStart', 'asyncEnd'])
        expect(message).to.deep.include({ table: { schema: 'public', name: 't' }, attempt: 1 })
        expect(message).to.include({ rows: commits[index]!.rows, outcome: 'committed' })
        expect(message.method).to.equal(commits[index]!.method)
      }
      expect(heard[0]!.shown).to.include({ rows: 50, outcome: undefined, method: undefined })
    })
  }

  it('gets failures: the error, the outcome, and the number of the attempt', async () => {
    const { pool, name } = makePool()
    let calls = 0
    await write<Row>([[{ id: 1 }, { id: 2 }]], {
      pool,
      table: 't',
      retry: { minDelayMs: 1, maxDelayMs: 5 },
      inTransaction: async client => {
        if (++calls > 1) return
        await terminate(db, name)
        await client.query('SELECT 1')
      },
    })
    const [first, second] = [...new Set(heard.map(({ message }) => message))]
    expect(eventsOf(first!)).to.deep.equal(['start', 'end', 'error', 'asyncStart', 'asyncEnd'])
    expect(first).to.include({ attempt: 1, rows: 2, outcome: 'rolled-back' })
    expect(first!.error).to.include({ code: 'CALLBACK_FAILED', retryable: true })
    expect(eventsOf(second!)).to.deep.equal(['start', 'end', 'asyncStart', 'asyncEnd'])
    expect(second).to.include({ attempt: 2, rows: 2, outcome: 'committed' })
    expect(second!.error).to.equal(undefined)

    heard.length = 0
    const error = await failureOf(write<Row>([[{ id: 1 }]], { pool: db.pool, table: 't' }))
    const [failed] = [...new Set(heard.map(({ message }) => message))]
    expect(failed!.error).to.equal(error)
    expect(failed).to.include({ rows: 1, outcome: 'rolled-back' })
  })

  it('runs a transaction in the store that a tracer binds', async () => {
    const storage = new AsyncLocalStorage<string>()
    channel.start.bindStore(storage, message => `span of ${message.table.name}`)
    const seen: unknown[] = []
    try {
      const inTransaction = (): void => void seen.push(storage.getStore())
      await write<Row>([[{ id: 1 }]], { pool: db.pool, table: 't', inTransaction })
    } finally {
      channel.start.unbindStore(storage)
    }
    expect(seen).to.deep.equal(['span of t'])
    expect(await valuesOf(db.pool, 'SELECT count(*)::int FROM t')).to.deep.equal([[1]])
  })

  it('makes nothing where nothing subscribes', async () => {
    channel.unsubscribe(subscriber)
    await write<Row>([[{ id: 1 }]], { pool: db.pool, table: 't' })
    expect(heard).to.deep.equal([])
  })
})
