import { expect } from 'chai'
import { ByteBuffer } from '../../../../lib/encode/wire/byte-buffer.ts'
import { SlabPool } from '../../../../lib/encode/wire/slabs.ts'

describe('SlabPool', () => {
  it('lends a slab to one lease at a time, and again after its release', () => {
    const pool = new SlabPool(64)
    const first = pool.lease()
    const slabs = [first.take(), first.take()]
    const second = pool.lease()
    expect(slabs).not.to.include(second.take())
    first.release()
    expect(slabs).to.include(second.take())
    expect(slabs).to.include(second.take())
    expect(slabs).not.to.include(second.take())
  })

  it('takes each slab back once', () => {
    const pool = new SlabPool(64)
    const lease = pool.lease()
    lease.take()
    lease.release()
    lease.release()
    const next = pool.lease()
    expect(next.take()).not.to.equal(next.take())
  })

  it('keeps a limited number of slabs, and no grown memory', () => {
    const pool = new SlabPool(64)
    const lease = pool.lease()
    const out = new ByteBuffer(lease)
    out.putUtf8('x'.repeat(1000))
    out.take()
    const many = new Set(Array.from({ length: 100 }, () => lease.take()))
    lease.release()
    const next = pool.lease()
    const again = Array.from({ length: 100 }, () => next.take())
    expect(again.every(({ length }) => length === 64)).to.equal(true)
    expect(again.filter(slab => many.has(slab)).length).to.be.within(1, 60)
  })
})
