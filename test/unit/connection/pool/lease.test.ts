import { EventEmitter } from 'node:events'
import { expect } from 'chai'
import sinon from 'sinon'
import { Lease, unlessAborted } from '../../../../lib/connection/pool/lease.ts'
import { rejectionOf } from '../../../support/writing.ts'

class FakeClient extends EventEmitter {
  readonly released: unknown[] = []
  release(error?: unknown): void {
    this.released.push(error)
  }
  query = () => Promise.reject(new Error('not in this test'))
}

function makeSignals() {
  const [stop, kill] = [new AbortController(), new AbortController()]
  return { stop, kill, signals: { stop: stop.signal, kill: kill.signal } }
}

const WAIT_MS = 1000

describe('a lease', () => {
  it('listens for errors of its client only while it lasts, and gives it back once', async () => {
    const client = new FakeClient()
    const lease = await Lease.take({ connect: async () => client }, makeSignals().signals, WAIT_MS)
    expect(client.listenerCount('error')).to.equal(1)
    lease.release()
    lease.release()
    expect(client.listenerCount('error')).to.equal(0)
    expect(client.released).to.deep.equal([undefined])
  })

  it('gives a client back as broken after an error event, and keeps listening to it', async () => {
    const client = new FakeClient()
    const lease = await Lease.take({ connect: async () => client }, makeSignals().signals, WAIT_MS)
    const error = new Error('Connection terminated unexpectedly')
    client.emit('error', error)
    client.emit('error', new Error('a later one'))
    lease.release()
    expect(client.released).to.deep.equal([error])
    expect(() => client.emit('error', error)).not.to.throw()
  })

  it('takes no client once stopped', async () => {
    const { stop, signals } = makeSignals()
    stop.abort(new Error('over'))
    let connects = 0
    const connect = async () => {
      connects++
      return new FakeClient()
    }
    expect((await rejectionOf(Lease.take({ connect }, signals, WAIT_MS))).message).to.equal('over')
    expect(connects).to.equal(0)
  })

  it('stops waiting for a client when it is stopped, and gives back one that comes later', async () => {
    const { stop, signals } = makeSignals()
    const client = new FakeClient()
    let arrive!: (client: FakeClient) => void
    const connecting = new Promise<FakeClient>(resolve => {
      arrive = resolve
    })
    const taking = Lease.take({ connect: () => connecting }, signals, WAIT_MS)
    stop.abort(new Error('over'))
    expect((await rejectionOf(taking)).message).to.equal('over')
    arrive(client)
    await connecting
    await new Promise(resolve => setImmediate(resolve))
    expect(client.released).to.deep.equal([undefined])
    expect(client.listenerCount('error')).to.equal(0)
  })

  it('waits as long as a timer can where it is to wait longer: Node.js fires a longer one at once', async () => {
    const timers = sinon.spy(globalThis, 'setTimeout')
    try {
      const client = new FakeClient()
      const lease = await Lease.take({ connect: async () => client }, makeSignals().signals, 2 ** 31)
      await lease.within(Number.POSITIVE_INFINITY, Promise.resolve())
      expect(timers.args.map(([, ms]) => ms)).to.deep.equal([2 ** 31 - 1, 2 ** 31 - 1])
      lease.release()
    } finally {
      timers.restore()
    }
  })

  it('ends the connection when its time is over', async () => {
    const { kill, signals } = makeSignals()
    const client = new FakeClient()
    const lease = await Lease.take({ connect: async () => client }, signals, WAIT_MS)
    const reason = new Error('too slow')
    kill.abort(reason)
    lease.release()
    expect(client.released).to.deep.equal([reason])
  })

  it('leaves no listener on the signals', async () => {
    const { kill, signals } = makeSignals()
    const before: unknown[] = []
    const { addEventListener, removeEventListener } = kill.signal
    kill.signal.addEventListener = (type: string, listener: never) => {
      before.push(listener)
      addEventListener.call(kill.signal, type, listener)
    }
    kill.signal.removeEventListener = (type: string, listener: never) => {
      before.splice(before.indexOf(listener), 1)
      removeEventListener.call(kill.signal, type, listener)
    }
    const lease = await Lease.take({ connect: async () => new FakeClient() }, signals, WAIT_MS)
    await unlessAborted(Promise.resolve(1), signals.kill)
    expect(before).to.have.length(1)
    lease.release()
    expect(before).to.have.length(0)
  })

  it('for one piece of work gives back a client that a refused statement left whole', async () => {
    const client = new FakeClient()
    const refused = Object.assign(new Error('no'), { code: '42P01', severity: 'ERROR' })
    const work = () => Promise.reject(refused)
    expect(await rejectionOf(Lease.use({ connect: async () => client }, work))).to.equal(refused)
    expect(client.released).to.deep.equal([undefined])
  })

  it('for one piece of work ends a client that broke, or did not answer in time', async () => {
    const [broken, late] = [new FakeClient(), new FakeClient()]
    const lost = new Error('Connection terminated unexpectedly')
    const work = () => {
      broken.emit('error', lost) // pg reports it twice: by this event, and to the query that waits
      return Promise.reject(lost)
    }
    expect(await rejectionOf(Lease.use({ connect: async () => broken }, work))).to.equal(lost)
    expect(broken.released).to.deep.equal([lost])
    const error = await rejectionOf(Lease.use({ connect: async () => late }, () => new Promise(() => {}), 10))
    expect(error).to.have.property('name', 'DeadlineError')
    expect(late.released).to.deep.equal([error])
  })
})
