import { type BaseOptions, type GroupOptions, kOptions } from '@platformatic/kafka'
import { expect } from 'chai'
import sinon from 'sinon'
import { OwnConsumer } from '../../../lib/kafka/own-consumer.ts'
import { PatchedConsumer } from '../../../lib/kafka/patched-consumer.ts'

type ClientOptions = BaseOptions & GroupOptions

/** The client's default, in its connection.js. */
const REQUEST_TIMEOUT_MS = 30_000

describe('OwnConsumer', () => {
  afterEach(() => sinon.restore())

  /** A consumer that has joined its group, and the options of its client. */
  async function joined(given: object = {}): Promise<{ consumer: OwnConsumer; options: ClientOptions }> {
    const join = sinon.stub(PatchedConsumer.prototype, 'joinGroup').resolves('member')
    const consumer = new OwnConsumer({
      clientId: 'c',
      groupId: 'g',
      bootstrapBrokers: ['127.0.0.1:1'],
      ...given,
    })
    await consumer.joinGroup()
    join.restore()
    return { consumer, options: (join.firstCall.thisValue as PatchedConsumer)[kOptions] as ClientOptions }
  }

  it('has a session that is over before a join fails that waits for its end', async () => {
    expect((await joined()).options.sessionTimeout).to.be.lessThan(REQUEST_TIMEOUT_MS)
    expect((await joined({ sessionTimeout: undefined })).options.sessionTimeout).to.equal(10_000)
    expect((await joined({ sessionTimeout: 7000 })).options.sessionTimeout).to.equal(7000)
  })

  it('tries again slowly until it has partitions, and quickly after that, unless it is told otherwise', async () => {
    const consume = sinon.stub(PatchedConsumer.prototype, 'consume').resolves()
    const delays = ({ retryDelay }: ClientOptions) =>
      typeof retryDelay === 'function' &&
      [1, 2, 3, 9].map(attempt => retryDelay({} as never, 'fetch', attempt, 3, new Error()))
    const { consumer, options } = await joined()
    expect(delays(options)).to.deep.equal([1000, 1000, 1000, 1000])
    await consumer.consume({} as never)
    expect(delays(options)).to.deep.equal([100, 200, 400, 1000])
    expect(consume.callCount).to.equal(1)
    expect((await joined({ retryDelay: 5 })).options.retryDelay).to.equal(5)
  })

  it('hears every second of what its group is at, unless it is told otherwise', async () => {
    expect((await joined()).options.heartbeatInterval).to.equal(1000)
    expect((await joined({ heartbeatInterval: 500 })).options.heartbeatInterval).to.equal(500)
  })
})
