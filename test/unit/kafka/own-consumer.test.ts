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

  /** The options of the client that joins. */
  async function optionsOfClient(given: object = {}): Promise<ClientOptions> {
    const join = sinon.stub(PatchedConsumer.prototype, 'joinGroup').resolves('member')
    const consumer = new OwnConsumer({
      clientId: 'c',
      groupId: 'g',
      bootstrapBrokers: ['127.0.0.1:1'],
      ...given,
    })
    await consumer.joinGroup()
    join.restore()
    return (join.firstCall.thisValue as PatchedConsumer)[kOptions] as ClientOptions
  }

  it('has a session that is over before a join fails that waits for its end', async () => {
    expect((await optionsOfClient()).sessionTimeout).to.be.lessThan(REQUEST_TIMEOUT_MS)
    expect((await optionsOfClient({ sessionTimeout: undefined })).sessionTimeout).to.equal(10_000)
    expect((await optionsOfClient({ sessionTimeout: 7000 })).sessionTimeout).to.equal(7000)
  })
})
