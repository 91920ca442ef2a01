import { type BaseOptions, type GroupOptions, kOptions, NetworkError } from '@platformatic/kafka'
import { expect } from 'chai'
import sinon from 'sinon'
import { OwnConsumer } from '../../../../lib/kafka/consumer/own-consumer.ts'
import { PatchedConsumer } from '../../../../lib/kafka/consumer/patched-consumer.ts'

type ClientOptions = BaseOptions & GroupOptions

/** The client's default, in its connection.js. */
const REQUEST_TIMEOUT_MS = 30_000

describe('OwnConsumer', () => {
  afterEach(() => sinon.restore())

  /** A consumer that has joined its group, its client and that one's options. */
  async function joined(given: object = {}) {
    const join = sinon.stub(PatchedConsumer.prototype, 'joinGroup').resolves('member')
    const consumer = new OwnConsumer({
      clientId: 'c',
      groupId: 'g',
      bootstrapBrokers: ['127.0.0.1:1'],
      ...given,
    })
    await consumer.joinGroup()
    join.restore()
    const client = join.firstCall.thisValue as PatchedConsumer
    return { consumer, client, options: client[kOptions] as ClientOptions }
  }

  it('has a session that is over before a join fails that waits for its end', async () => {
    expect((await joined()).options.sessionTimeout).to.be.lessThan(REQUEST_TIMEOUT_MS)
    expect((await joined({ sessionTimeout: undefined })).options.sessionTimeout).to.equal(10_000)
    expect((await joined({ sessionTimeout: 7000 })).options.sessionTimeout).to.equal(7000)
  })

  it('retries slowly until it has partitions, and quickly after that, unless options differ', async () => {
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

  it('sends a heartbeat every second, unless its options differ', async () => {
    expect((await joined()).options.heartbeatInterval).to.equal(1000)
    expect((await joined({ heartbeatInterval: 500 })).options.heartbeatInterval).to.equal(500)
  })

  it('closes without leaving its group when Kafka is not reachable, and resolves', async () => {
    const { consumer, client } = await joined()
    client.memberId = 'member'
    const leave = sinon.stub(client, 'leaveGroup').resolves()
    const close = sinon.stub(client, 'close')
    close.onFirstCall().rejects(new NetworkError('away'))
    close.onSecondCall().resolves()
    await consumer.close(true)
    expect(client.memberId).to.equal(null)
    sinon.assert.callOrder(close, leave, close)
  })
})
