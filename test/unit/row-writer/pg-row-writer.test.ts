import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect } from 'chai'
import sinon from 'sinon'
import type { PgClientLike, PgPoolLike } from '../../../lib/index.ts'
import { type PgBatchError, PgRowWriter, type PgRowWriterOptions } from '../../../lib/index.ts'

interface Row {
  id: number
}

/** A database without a catalogue, which takes every INSERT, and keeps the order of what it was asked. */
class FakePool implements PgPoolLike {
  readonly inserts: unknown[][] = []
  readonly asked: string[] = []
  /** Holds the answers to COMMIT back until `go`. */
  gate: Promise<void> | undefined
  go: () => void = () => {}

  hold(): void {
    this.gate = new Promise(resolve => {
      this.go = resolve
    })
  }

  async connect(): Promise<PgClientLike> {
    return {
      query: async (text: string, values: unknown[] = []) => {
        this.asked.push(text)
        if (text.includes('pg_catalog')) throw new Error('no catalogue')
        if (text.startsWith('INSERT')) this.inserts.push(values)
        if (text === 'COMMIT') await this.gate
        const [command] = text.split(' ')
        return { rows: [], rowCount: values.length, command: command! }
      },
      release: () => {},
    }
  }
}

describe('PgRowWriter, the queue', () => {
  let clock: sinon.SinonFakeTimers
  let pool: FakePool

  beforeEach(() => {
    clock = sinon.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    pool = new FakePool()
  })
  afterEach(() => clock.restore())

  const makeWriter = (options: Partial<PgRowWriterOptions<Row>> = {}) =>
    new PgRowWriter<Row>({
      pool,
      table: 't',
      columns: ['id'],
      method: 'insert',
      ...options,
    } as PgRowWriterOptions<Row>)
  const turns = async (): Promise<void> => {
    for (let turn = 0; turn < 20; turn++) await new Promise(resolve => setImmediate(resolve))
  }
  const codeOf = (promise: Promise<unknown>): Promise<string> =>
    promise.then(
      () => 'written',
      (error: PgBatchError) => `${error.code} ${error.outcome}`,
    )

  it('sends rows together when the first has waited for maxWaitMs', async () => {
    const writer = makeWriter({ maxWaitMs: 5 })
    const first = writer.write({ id: 1 })
    await clock.tickAsync(4)
    const second = writer.write({ id: 2 })
    await turns()
    expect(pool.inserts).to.deep.equal([])
    await clock.tickAsync(1)
    await Promise.all([first, second])
    expect(pool.inserts).to.deep.equal([[1, 2]])
    await writer.end()
  })

  it('sends rows at once when maxCount of them wait', async () => {
    const writer = makeWriter({ maxCount: 3, maxWaitMs: Number.POSITIVE_INFINITY })
    const written = [1, 2, 3].map(id => writer.write({ id }))
    void codeOf(writer.write({ id: 4 }))
    await Promise.all(written)
    expect(pool.inserts).to.deep.equal([[1, 2, 3]])
    expect(writer.stats).to.deep.include({ rowsReceived: 4, rowsCommitted: 3, rowsPending: 1 })
    writer.destroy()
    await writer.end()
  })

  it('collects rows while its only connection is busy, and never more than maxCount for a transaction', async () => {
    const writer = makeWriter({ maxCount: 3, maxWaitMs: 5 })
    pool.hold()
    const written = Array.from({ length: 8 }, (_, id) => writer.write({ id }))
    await clock.tickAsync(100)
    await turns()
    expect(pool.inserts).to.deep.equal([[0, 1, 2]])
    pool.go()
    await Promise.all(written)
    expect(pool.inserts).to.deep.equal([
      [0, 1, 2],
      [3, 4, 5],
      [6, 7],
    ])
    await writer.end()
  })

  it('uses as many connections as concurrency allows, and one lane after the other for each key', async () => {
    const lanes = makeWriter({ maxCount: 2, concurrency: 2, laneOf: ({ id }) => id % 2 })
    await Promise.all([0, 1, 2, 3, 4, 6].map(id => lanes.write({ id })))
    expect(pool.inserts.map(String).sort()).to.deep.equal(['0,2', '1,3', '4,6'])
    await lanes.end()
  })

  it('refuses the Promise of an async laneOf, which would send all rows to one lane', async () => {
    const writer = makeWriter({ concurrency: 2, laneOf: (async () => 1) as never })
    const error: PgBatchError = await writer.write({ id: 1 }).then(
      () => expect.fail('accepted'),
      error => error,
    )
    expect(error).to.include({ code: 'CALLBACK_FAILED', outcome: 'not-sent' })
    expect(error.message).to.include('`laneOf` returned a Promise: it has to be synchronous')
    await writer.end()
  })

  it('rejects with QUEUE_FULL past maxPending, and accepts again when rows are settled', async () => {
    const writer = makeWriter({ maxPending: 2, maxWaitMs: 5 })
    const held = [writer.write({ id: 1 }), writer.write({ id: 2 })]
    const error: PgBatchError = await writer.write({ id: 3 }).then(
      () => expect.fail('accepted'),
      error => error,
    )
    expect(error).to.include({ code: 'QUEUE_FULL', outcome: 'not-sent', retryable: true })
    expect(writer.stats).to.include({ rowsReceived: 2, rowsRejected: 0, rowsPending: 2 })
    await clock.tickAsync(5)
    await Promise.all(held)
    const third = writer.write({ id: 3 })
    await writer.flush()
    await third
    await writer.end()
  })

  it('takes a row out if its signal aborts before the row is sent, and not after that', async () => {
    const writer = makeWriter({ maxWaitMs: 5 })
    const early = new AbortController()
    const late = new AbortController()
    const [taken, sent, third] = [
      codeOf(writer.write({ id: 1 }, { signal: early.signal })),
      codeOf(writer.write({ id: 2 }, { signal: late.signal })),
      codeOf(writer.write({ id: 3 })),
    ]
    early.abort()
    expect(await taken).to.equal('ABORTED not-sent')
    pool.hold()
    await clock.tickAsync(5)
    await turns()
    late.abort()
    pool.go()
    expect(await Promise.all([sent, third])).to.deep.equal(['written', 'written'])
    expect(await codeOf(writer.write({ id: 4 }, { signal: late.signal }))).to.equal('ABORTED not-sent')
    expect(pool.inserts).to.deep.equal([[2, 3]])
    await writer.end()
  })

  it('lets go of rows that are taken out while its connection is busy', async () => {
    const writer = makeWriter({ maxCount: 1, maxPending: 3 })
    pool.hold()
    const sent = writer.write({ id: 0 })
    const waiting = writer.write({ id: 1 })
    const takeOne = async (id: number): Promise<WeakRef<Row>> => {
      const abort = new AbortController()
      const row = { id }
      const taken = codeOf(writer.write(row, { signal: abort.signal }))
      abort.abort()
      expect(await taken).to.equal('ABORTED not-sent')
      return new WeakRef(row)
    }
    const rows: WeakRef<Row>[] = []
    for (let id = 2; id < 20; id++) rows.push(await takeOne(id))
    await turns()
    setFlagsFromString('--expose-gc')
    const collect = runInNewContext('gc') as () => void
    collect()
    expect(rows.filter(row => row.deref())).to.deep.equal([])
    pool.go()
    await Promise.all([sent, waiting])
    await writer.end()
    expect(pool.inserts).to.deep.equal([[0], [1]])
  })

  it('sends nothing if every row is taken out', async () => {
    const writer = makeWriter({ maxWaitMs: 5 })
    const abort = new AbortController()
    const taken = codeOf(writer.write({ id: 1 }, { signal: abort.signal }))
    abort.abort()
    expect(await taken).to.equal('ABORTED not-sent')
    await clock.tickAsync(10)
    await turns()
    expect(pool.asked).to.deep.equal([])
    await writer.end()
  })

  it('flushes what was accepted before, and continues', async () => {
    const writer = makeWriter({ maxWaitMs: Number.POSITIVE_INFINITY })
    const first = writer.write({ id: 1 })
    await writer.flush()
    await first
    await writer.flush()
    const second = writer.write({ id: 2 })
    await writer.end()
    await second
    expect(pool.inserts).to.deep.equal([[1], [2]])
  })

  it('has settled every write when flush resolves', async () => {
    const writer = makeWriter({ maxWaitMs: Number.POSITIVE_INFINITY })
    const settled: string[] = []
    for (const id of [1, 2]) writer.write({ id }).then(() => settled.push(`row ${id}`))
    await writer.flush().then(() => settled.push('flush'))
    expect(settled).to.deep.equal(['row 1', 'row 2', 'flush'])
    await writer.end()
  })

  it('has settled every write that destroy leaves when flush resolves', async () => {
    const writer = makeWriter({ maxWaitMs: 5 })
    const settled: string[] = []
    for (const id of [1, 2]) writer.write({ id }).catch(() => settled.push(`row ${id}`))
    pool.hold()
    const flushed = writer.flush().then(() => settled.push('flush'))
    writer.destroy()
    pool.go()
    await flushed
    expect(settled).to.deep.equal(['row 1', 'row 2', 'flush'])
    await writer.end()
  })

  it('writes what it has at the end, and refuses what comes later', async () => {
    const writer = makeWriter({ maxWaitMs: Number.POSITIVE_INFINITY, maxCount: 2 })
    const written = [1, 2, 3].map(id => codeOf(writer.write({ id })))
    const ended = writer.end()
    expect(await codeOf(writer.write({ id: 4 }))).to.equal('ABORTED not-sent')
    expect(writer.end()).to.equal(ended)
    await ended
    expect(await Promise.all(written)).to.deep.equal(['written', 'written', 'written'])
  })

  it('ends by await using', async () => {
    const writer = makeWriter({ maxWaitMs: Number.POSITIVE_INFINITY })
    const written = codeOf(writer.write({ id: 1 }))
    await writer[Symbol.asyncDispose]()
    expect(await written).to.equal('written')
  })

  for (const by of ['destroy', 'signal'] as const) {
    it(`rejects every row when it is destroyed by ${by}, those in flight with their outcome`, async () => {
      const abort = new AbortController()
      const writer = makeWriter({ maxCount: 1, maxWaitMs: 5, signal: abort.signal })
      pool.hold()
      const inFlight = codeOf(writer.write({ id: 1 }))
      await turns()
      const waiting = codeOf(writer.write({ id: 2 }))
      if (by === 'destroy') writer.destroy()
      else abort.abort()
      expect(await waiting).to.equal('ABORTED not-sent')
      expect(await codeOf(writer.write({ id: 3 }))).to.equal('ABORTED not-sent')
      await turns()
      pool.go() // the COMMIT was sent already: its answer is the truth
      expect(await inFlight).to.equal('written')
      await writer.end()
      expect(writer.stats).to.include({ rowsReceived: 2, rowsCommitted: 1, rowsRejected: 1, rowsPending: 0 })
    })
  }

  it('leaves an unhandled rejection to the process', async () => {
    const writer = makeWriter({ maxWaitMs: 5 })
    const heard: unknown[] = []
    const listeners = process.listeners('unhandledRejection')
    process.removeAllListeners('unhandledRejection')
    process.once('unhandledRejection', reason => heard.push(reason))
    void writer.write({ id: 1 })
    writer.destroy()
    await writer.end()
    await turns()
    process.removeAllListeners('unhandledRejection')
    for (const listener of listeners) process.on('unhandledRejection', listener)
    expect(heard.map(error => (error as PgBatchError).code)).to.deep.equal(['ABORTED'])
  })

  it('checks its options', () => {
    const make = (options: object) => () => makeWriter(options as Partial<PgRowWriterOptions<Row>>)
    expect(make({ maxPending: 0 })).to.throw(TypeError, 'Expected `maxPending` to be an integer ≥ 1')
    expect(make({ maxCount: 1.5 })).to.throw(TypeError, 'Expected `maxCount` to be an integer ≥ 1')
    expect(make({ maxWaitMs: 0 })).to.throw(TypeError, 'Expected `maxWaitMs`')
    expect(make({ returning: 'id' })).to.throw(TypeError, 'returning')
    expect(make({ rejectLimit: 3 })).to.throw(TypeError, 'Expected the options of PgRowWriter')
    expect(make({ maxPendingg: 3 })).to.throw(TypeError, 'Did you mean `maxPending`?')
    expect(make({ pool: undefined })).to.throw(TypeError, 'pool')
  })
})
