import { expect } from 'chai'
import fc from 'fast-check'
import { BatchPolicy } from '../../../lib/batch/batch-policy.ts'

const policyOf = (limits: { maxCount?: number; maxBytes?: number; sizeOf?: (item: number) => number }) =>
  new BatchPolicy<number>({
    maxCount: Number.MAX_SAFE_INTEGER,
    maxBytes: Number.POSITIVE_INFINITY,
    sizeOf: undefined,
    ...limits,
  })

describe('BatchPolicy', () => {
  it('reaches the count cap with the last item that it may have', () => {
    const policy = policyOf({ maxCount: 2 })
    policy.add(1, 0)
    expect(policy.cap).to.equal(undefined)
    policy.add(2, 0)
    expect(policy.cap).to.equal('count')
  })

  it('reaches the byte cap at exactly maxBytes', () => {
    const policy = policyOf({ maxBytes: 10 })
    policy.add(1, 9)
    expect(policy.cap).to.equal(undefined)
    policy.add(2, 1)
    expect(policy.cap).to.equal('bytes')
  })

  it('takes any item while it is empty, and then only what keeps maxBytes', () => {
    const policy = policyOf({ maxBytes: 10 })
    expect(policy.fits(11)).to.equal(true)
    policy.add(1, 4)
    expect(policy.fits(6)).to.equal(true)
    expect(policy.fits(7)).to.equal(false)
  })

  it('keeps maxBytes also after items of size 0', () => {
    const policy = policyOf({ maxBytes: 10 })
    policy.add(1, 0)
    expect(policy.fits(11)).to.equal(false)
  })

  it('hands over items, bytes and age, and begins an empty batch', () => {
    const policy = policyOf({ maxBytes: 10 })
    policy.open(1000)
    policy.add(7, 3)
    policy.add(8, 4)
    expect(policy.take(1250)).to.deep.equal({ items: [7, 8], bytes: 7, ageMs: 250 })
    expect(policy.count).to.equal(0)
    expect(policy.fits(10)).to.equal(true)
  })

  for (const size of [Number.NaN, -1, Number.POSITIVE_INFINITY, '3', 3n, null, undefined, {}]) {
    it(`refuses ${typeof size} ${String(size)} as a size`, () => {
      const policy = policyOf({ sizeOf: () => size as number })
      expect(() => policy.measure(1))
        .to.throw(TypeError, /^Expected `sizeOf` to return a finite number ≥ 0, got /)
        .with.property('code', 'ERR_INVALID_RETURN_VALUE')
    })
  }

  it('never names the value that sizeOf returned, which may be the item', () => {
    const policy = policyOf({ sizeOf: () => 'secret' as unknown as number })
    expect(() => policy.measure(1)).to.throw('got (string)')
  })

  it('cuts any sequence into batches that keep order, count and bytes, whatever the sizes', () => {
    let batches = 0
    fc.assert(
      fc.property(
        fc.array(fc.nat(20)),
        fc.integer({ min: 1, max: 5 }),
        fc.integer({ min: 1, max: 15 }),
        (sizes, maxCount, maxBytes) => {
          const policy = policyOf({ maxCount, maxBytes, sizeOf: size => size })
          const taken: number[][] = []
          const take = () => taken.push(policy.take(0).items)
          for (const size of sizes) {
            if (!policy.fits(policy.measure(size))) take()
            policy.add(size, size)
            if (policy.cap !== undefined) take()
          }
          if (policy.count > 0) take()
          batches += taken.length
          expect(taken.flat()).to.deep.equal(sizes)
          for (const batch of taken) {
            expect(batch.length).to.be.within(1, maxCount)
            if (batch.length > 1) expect(batch.reduce((a, b) => a + b)).to.be.at.most(maxBytes)
          }
        },
      ),
    )
    expect(batches).to.be.greaterThan(100)
  })
})
