import { expect } from 'chai'
import fc from 'fast-check'
import { mayRetry, type RetryPolicy, retryDelayMs } from '../../../../lib/write/faults/retry.ts'

const POLICY: RetryPolicy = {
  retries: 3,
  minDelayMs: 100,
  maxDelayMs: 5000,
  maxElapsedMs: 1000,
  shouldRetry: () => true,
}
const ERROR = new Error('message')

describe('retryDelayMs', () => {
  it('doubles its bound with each attempt, up to the longest', () => {
    const bounds = [1, 2, 3, 4, 5, 6, 7, 8, 100, 5000].map(attempt => retryDelayMs(POLICY, attempt, 1))
    expect(bounds).to.deep.equal([100, 200, 400, 800, 1600, 3200, 5000, 5000, 5000, 5000])
  })

  it('is anything from 0 to its bound', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 2000 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (attempt, random) => {
          const bound = Math.min(POLICY.maxDelayMs, POLICY.minDelayMs * 2 ** (attempt - 1))
          const delayMs = retryDelayMs(POLICY, attempt, random)
          expect(delayMs).to.be.within(0, bound)
          expect(Math.abs(delayMs - random * bound)).to.be.at.most(0.5)
        },
      ),
      { seed: 20261123 },
    )
  })
})

describe('mayRetry', () => {
  it('counts retries and not attempts', () => {
    expect([1, 2, 3, 4].map(attempt => mayRetry(POLICY, ERROR, attempt, 0))).to.deep.equal([
      true,
      true,
      true,
      false,
    ])
    expect(mayRetry({ ...POLICY, retries: 0 }, ERROR, 1, 0)).to.equal(false)
    expect(mayRetry({ ...POLICY, retries: Number.POSITIVE_INFINITY }, ERROR, 1e9, 0)).to.equal(true)
  })

  it('gives up once maxElapsedMs have passed', () => {
    expect(mayRetry(POLICY, ERROR, 1, 999)).to.equal(true)
    expect(mayRetry(POLICY, ERROR, 1, 1000)).to.equal(false)
  })

  it('asks shouldRetry last, and with the error', () => {
    const asked: Error[] = []
    const shouldRetry = (error: Error): boolean => {
      asked.push(error)
      return false
    }
    expect(mayRetry({ ...POLICY, shouldRetry }, ERROR, 1, 0)).to.equal(false)
    expect(mayRetry({ ...POLICY, shouldRetry }, ERROR, 4, 0)).to.equal(false)
    expect(asked).to.deep.equal([ERROR])
  })

  it('refuses a Promise of shouldRetry, which would always be true', () => {
    const shouldRetry = async (): Promise<boolean> => {
      throw new Error('nothing else handles this')
    }
    expect(() => mayRetry({ ...POLICY, shouldRetry: shouldRetry as never }, ERROR, 1, 0)).to.throw(
      '`retry.shouldRetry` returned a Promise: it has to be synchronous',
    )
  })
})
