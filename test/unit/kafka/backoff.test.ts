import { NetworkError } from '@platformatic/kafka'
import { expect } from 'chai'
import sinon from 'sinon'
import { Backoff } from '../../../lib/kafka/backoff.ts'

const retry = {
  retries: 3,
  minDelayMs: 100,
  maxDelayMs: 5000,
  maxElapsedMs: Number.POSITIVE_INFINITY,
  shouldRetry: () => true,
}
const ofKafka = new NetworkError('away')
const ofPostgres = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' })

describe('Backoff', () => {
  let backoff: Backoff
  let clock: sinon.SinonFakeTimers
  const attempts = (error: Error, count: number) =>
    Array.from({ length: count }, () => backoff.after(error).attempt)
  beforeEach(() => {
    clock = sinon.useFakeTimers({ toFake: ['performance'] })
    backoff = new Backoff(retry)
  })
  afterEach(() => clock.restore())

  it('leaves PostgreSQL all of its retries, however often Kafka has failed', () => {
    expect(attempts(ofKafka, 20).at(-1)).to.equal(20)
    expect(attempts(ofPostgres, 3)).to.deep.equal([1, 2, 3])
    expect(() => backoff.after(ofPostgres)).to.throw(ofPostgres)
  })

  it('waits longer with each failure in a row, up to the bound', () => {
    const random = sinon.stub(Math, 'random').returns(1)
    try {
      const delays = Array.from({ length: 8 }, () => backoff.after(ofKafka).delayMs)
      expect(delays).to.deep.equal([100, 200, 400, 800, 1600, 3200, 5000, 5000])
    } finally {
      random.restore()
    }
  })

  it('starts again when a message comes', () => {
    attempts(ofKafka, 5)
    attempts(ofPostgres, 3)
    backoff.reset()
    expect(attempts(ofPostgres, 3)).to.deep.equal([1, 2, 3])
    expect(attempts(ofKafka, 1)).to.deep.equal([1])
  })

  it('starts again for PostgreSQL when partitions are assigned, on a topic without messages', () => {
    attempts(ofPostgres, 3)
    backoff.assigned()
    expect(attempts(ofPostgres, 3)).to.deep.equal([1, 2, 3])
  })

  it('starts again for Kafka when an assignment has lasted, and not when it fails at once', () => {
    attempts(ofKafka, 4)
    backoff.assigned()
    clock.tick(1000)
    expect(attempts(ofKafka, 1)).to.deep.equal([5])
    backoff.assigned()
    clock.tick(retry.maxDelayMs)
    expect(attempts(ofKafka, 2)).to.deep.equal([1, 2])
  })
})
