import { spawnSync } from 'node:child_process'
import { mock } from 'node:test'
import { expect } from 'chai'
import sinon from 'sinon'
import { BatchTransform } from '../../../lib/batch/batch-transform.ts'
import { collect, eventsOf, fakeClock, range, settle, writeAll } from './support.ts'

describe('BatchTransform: when a batch leaves', () => {
  let clock: sinon.SinonFakeTimers

  beforeEach(() => {
    clock = fakeClock()
  })

  afterEach(() => {
    sinon.restore()
    clock.restore()
  })

  it('waits maxWaitMs from the first item of the batch, and no longer', () => {
    const stream = new BatchTransform<number>({ maxWaitMs: 50 })
    const batches = collect(stream)
    const events = eventsOf(stream)
    clock.tick(1000)
    stream.write(1)
    clock.tick(49)
    stream.write(2)
    expect(batches).to.deep.equal([])
    clock.tick(1)
    expect(batches).to.deep.equal([[1, 2]])
    expect(events).to.deep.equal([{ count: 2, bytes: 0, trigger: 'wait', ageMs: 50 }])
  })

  it('waits 100 ms by default', () => {
    const stream = new BatchTransform<number>()
    const batches = collect(stream)
    stream.write(1)
    clock.tick(99)
    expect(batches).to.deep.equal([])
    clock.tick(1)
    expect(batches).to.deep.equal([[1]])
  })

  it('arms one timer for a batch, never again for an item', () => {
    const armed = sinon.spy(globalThis, 'setTimeout')
    const stream = new BatchTransform<number>({ maxWaitMs: 50 })
    const batches = collect(stream)
    for (let item = 1; item <= 10; item++) {
      stream.write(item)
      clock.tick(4)
    }
    expect(armed.callCount).to.equal(1)
    clock.tick(10)
    expect(batches.map(batch => batch.length)).to.deep.equal([10])
  })

  it('has no timer before the first item, and none after a batch has left', () => {
    const stream = new BatchTransform<number>({ maxCount: 2, maxWaitMs: 50 })
    const batches = collect(stream)
    expect(clock.countTimers()).to.equal(0)
    stream.write(1)
    expect(clock.countTimers()).to.equal(1)
    stream.write(2)
    expect(clock.countTimers(), 'count').to.equal(0)
    stream.write(3)
    stream.flush()
    expect(clock.countTimers(), 'flush').to.equal(0)
    stream.write(4)
    clock.tick(50)
    expect(clock.countTimers(), 'wait').to.equal(0)
    clock.tick(10_000)
    expect(batches).to.deep.equal([[1, 2], [3], [4]])
  })

  it('arms no timer for a batch that its first item fills', () => {
    const armed = sinon.spy(globalThis, 'setTimeout')
    const stream = new BatchTransform<number>({ maxCount: 1 })
    collect(stream)
    writeAll(stream, [1, 2])
    expect(armed.callCount).to.equal(0)
  })

  it('gives the batch after a full one its whole time', () => {
    const stream = new BatchTransform<number>({ maxCount: 2, maxWaitMs: 50 })
    const batches = collect(stream)
    stream.write(1)
    clock.tick(40)
    writeAll(stream, [2, 3])
    clock.tick(49)
    expect(batches).to.deep.equal([[1, 2]])
    clock.tick(1)
    expect(batches).to.deep.equal([[1, 2], [3]])
  })

  it('starts the clock of an item that closed a batch by bytes when its own batch begins', () => {
    const stream = new BatchTransform<number>({ maxBytes: 10, sizeOf: size => size, maxWaitMs: 50 })
    const batches = collect(stream)
    stream.write(7)
    clock.tick(30)
    stream.write(8)
    expect(batches).to.deep.equal([[7]])
    clock.tick(49)
    expect(batches).to.deep.equal([[7]])
    clock.tick(1)
    expect(batches).to.deep.equal([[7], [8]])
  })

  describe('in a busy stream, whose batches fill many times within one wait', () => {
    const busy = () => {
      const armed = sinon.spy(globalThis, 'setTimeout')
      const stream = new BatchTransform<number>({ maxCount: 2, maxWaitMs: 50 })
      const batches = collect(stream)
      writeAll(stream, range(1, 100))
      const armedFor = armed.callCount
      writeAll(stream, range(101, 200))
      expect(batches.splice(0)).to.have.length(100)
      expect(armed.callCount, 'no timer for a batch any more').to.equal(armedFor)
      return { stream, batches, timer: armed.returnValues.at(-1)! }
    }

    it('keeps one timer, which holds the process only while items are held, and ends after its time', () => {
      const { stream, timer } = busy()
      expect([clock.countTimers(), timer.hasRef()]).to.deep.equal([1, false])
      stream.write(1)
      expect([clock.countTimers(), timer.hasRef()]).to.deep.equal([1, true])
      stream.write(2)
      expect([clock.countTimers(), timer.hasRef()]).to.deep.equal([1, false])
      clock.tick(50)
      expect(clock.countTimers()).to.equal(0)
    })

    it('still waits maxWaitMs from the first item of a batch, no shorter and no longer', () => {
      const { stream, batches } = busy()
      clock.tick(30)
      stream.write(1)
      clock.tick(49)
      expect(batches).to.deep.equal([])
      clock.tick(1)
      expect(batches).to.deep.equal([[1]])
      stream.write(2)
      clock.tick(49)
      expect(batches).to.deep.equal([[1]])
      clock.tick(1)
      expect(batches).to.deep.equal([[1], [2]])
      expect(clock.countTimers()).to.equal(0)
    })

    it('clears the timer at the end and when destroyed', () => {
      const ended = busy().stream
      ended.end()
      expect(clock.countTimers(), 'end').to.equal(0)
      sinon.restore()
      busy().stream.destroy()
      expect(clock.countTimers(), 'destroy()').to.equal(0)
    })
  })

  it('leaves by time where a test mocks setTimeout alone, in a busy stream too', () => {
    clock.restore()
    mock.timers.enable({ apis: ['setTimeout'] })
    try {
      const stream = new BatchTransform<number>({ maxCount: 2, maxWaitMs: 50 })
      const batches = collect(stream)
      stream.write(1)
      mock.timers.tick(50)
      expect(batches).to.deep.equal([[1]])
      writeAll(stream, [2, 3, 4, 5, 6, 7, 8, 9, 10])
      mock.timers.tick(49)
      expect(batches.at(-1)).to.deep.equal([8, 9])
      mock.timers.tick(1)
      expect(batches.at(-1)).to.deep.equal([10])
    } finally {
      mock.timers.reset()
    }
  })

  it('is not harmed by a callback that comes late', async () => {
    const cleared = sinon.stub(globalThis, 'clearTimeout')
    const stream = new BatchTransform<number>({ maxCount: 2, maxWaitMs: 50 })
    const batches = collect(stream)
    writeAll(stream, [1, 2])
    clock.tick(10)
    stream.write(3)
    clock.tick(40)
    expect(batches, 'the first timer must not close the second batch').to.deep.equal([[1, 2]])
    clock.tick(10)
    expect(batches).to.deep.equal([[1, 2], [3]])
    stream.write(4)
    stream.destroy()
    await settle()
    clock.tick(50)
    expect(batches).to.deep.equal([[1, 2], [3]])
    expect(cleared.called).to.equal(true)
  })

  it('arms no timer with maxWaitMs Infinity', () => {
    const armed = sinon.spy(globalThis, 'setTimeout')
    const stream = new BatchTransform<number>({ maxWaitMs: Number.POSITIVE_INFINITY })
    const batches = collect(stream)
    stream.write(1)
    clock.tick(2 ** 31)
    expect(armed.callCount).to.equal(0)
    expect(batches).to.deep.equal([])
    stream.flush()
    expect(batches).to.deep.equal([[1]])
  })

  it('clears the timer at the end, when destroyed, and when aborted', async () => {
    const ended = new BatchTransform<number>()
    const batches = collect(ended)
    ended.write(1)
    ended.end()
    expect(clock.countTimers(), 'end').to.equal(0)
    expect(batches).to.deep.equal([[1]])

    const destroyed = new BatchTransform<number>()
    destroyed.write(1)
    destroyed.destroy()
    expect(clock.countTimers(), 'destroy()').to.equal(0)

    const controller = new AbortController()
    const aborted = new BatchTransform<number>({ signal: controller.signal }).on('error', () => {})
    aborted.write(1)
    controller.abort()
    expect(clock.countTimers(), 'abort').to.equal(0)
    await settle()
  })

  describe('while downstream is full', () => {
    /** One batch waits in the readable buffer, where no consumer reads it. */
    const stopped = () => {
      const stream = new BatchTransform<number>({ maxCount: 3, maxWaitMs: 50 })
      const events = eventsOf(stream)
      writeAll(stream, [1, 2, 3])
      return { stream, events }
    }

    it('makes the batch due when its time is up: it fills on and leaves whole at the next demand', () => {
      const { stream, events } = stopped()
      stream.write(4)
      clock.tick(50)
      expect(stream.readableLength).to.equal(1)
      clock.tick(200)
      stream.write(5)
      expect(stream.readableLength).to.equal(1)
      expect(stream.read()).to.deep.equal([1, 2, 3])
      expect(stream.read()).to.deep.equal([4, 5])
      expect(stream.read()).to.equal(null)
      expect(events[1]).to.deep.equal({ count: 2, bytes: 0, trigger: 'wait', ageMs: 250 })
    })

    it('withholds the callback of the item that fills a due batch, and says that its count closed it', () => {
      const { stream, events } = stopped()
      const accepted: number[] = []
      stream.write(4)
      clock.tick(50)
      stream.write(5)
      stream.write(6, () => accepted.push(6))
      stream.write(7, () => accepted.push(7))
      expect(stream.writableLength).to.equal(2)
      expect(stream.read()).to.deep.equal([1, 2, 3])
      expect(accepted).to.deep.equal([6])
      expect(stream.read()).to.deep.equal([4, 5, 6])
      expect(events.map(event => event.trigger)).to.deep.equal(['count', 'count'])
    })

    it('has no timer for a batch that is due or full', () => {
      const { stream } = stopped()
      stream.write(4)
      clock.tick(50)
      stream.write(5)
      expect(clock.countTimers(), 'due').to.equal(0)
      const other = stopped().stream
      writeAll(other, [4, 5, 6, 7])
      expect(clock.countTimers(), 'full').to.equal(0)
    })

    it('leaves a batch that is not due to its timer, though downstream takes the one before', () => {
      const { stream } = stopped()
      stream.write(4)
      expect(stream.read()).to.deep.equal([1, 2, 3])
      expect(stream.read()).to.equal(null)
      clock.tick(50)
      expect(stream.read()).to.deep.equal([4])
    })

    it('sends a batch that is due as one at the end, not as two', async () => {
      const { stream, events } = stopped()
      stream.write(4)
      clock.tick(50)
      stream.write(5)
      stream.end()
      const batches = collect(stream)
      await settle()
      expect(batches).to.deep.equal([
        [1, 2, 3],
        [4, 5],
      ])
      expect(events.map(event => event.trigger)).to.deep.equal(['count', 'wait'])
      expect(stream.readableEnded).to.equal(true)
    })
  })
})

describe('BatchTransform and the life of the process', () => {
  const run = (code: string) => {
    const module = new URL('../../../lib/batch/batch-transform.ts', import.meta.url).href
    const script = `import { BatchTransform } from '${module}'\n${code}`
    const started = performance.now()
    const { stdout, status } = spawnSync(
      process.execPath,
      ['--import', 'tsx', '--input-type=module', '-e', script],
      {
        encoding: 'utf8',
        timeout: 20_000,
      },
    )
    return { stdout, status, ms: performance.now() - started }
  }

  it('stays while items are held, so that none is lost', () => {
    const { stdout, status } = run(`
      const stream = new BatchTransform({ maxWaitMs: 200 })
      stream.on('data', batch => console.log(JSON.stringify(batch)))
      stream.write(1)`)
    expect({ stdout, status }).to.deep.equal({ stdout: '[1]\n', status: 0 })
  })

  it('does not stay for a stream that was busy and is idle', () => {
    const { stdout, status, ms } = run(`
      const stream = new BatchTransform({ maxCount: 2, maxWaitMs: 3_600_000 })
      let batches = 0
      stream.on('data', () => batches++)
      for (let item = 0; item < 1000; item++) stream.write(item)
      process.on('exit', () => console.log(batches))`)
    expect({ stdout, status }).to.deep.equal({ stdout: '500\n', status: 0 })
    expect(ms).to.be.below(20_000)
  })

  it('does not stay for an idle stream', () => {
    const { stdout, status, ms } = run(`
      const stream = new BatchTransform({ maxCount: 2, maxWaitMs: 3_600_000 })
      stream.on('data', batch => console.log(JSON.stringify(batch)))
      stream.write(1)
      stream.write(2)`)
    expect({ stdout, status }).to.deep.equal({ stdout: '[1,2]\n', status: 0 })
    expect(ms).to.be.below(20_000)
  })
})
