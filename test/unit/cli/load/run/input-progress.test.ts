import { expect } from 'chai'
import fc from 'fast-check'
import { InputProgress } from '../../../../../lib/cli/load/run/input-progress.ts'

describe('the progress through the input', () => {
  it('counts the bytes of rows, not those that were read', () => {
    const progress = new InputProgress()
    progress.read(100, 1000)
    progress.read(200, 2000)
    progress.read(300, 3000)
    expect([0, 50, 100, 150, 200].map(rows => progress.bytesOf(rows))).to.deep.equal([
      0, 500, 1000, 1500, 2000,
    ])
  })

  it('shares bytes that were read at once among their batches, once all of these are known', () => {
    const progress = new InputProgress()
    progress.read(100, 4000)
    expect(progress.bytesOf(100)).to.equal(0)
    progress.read(200, 4000)
    progress.read(400, 4000)
    expect(progress.bytesOf(100)).to.equal(0)
    progress.end(400, 4000)
    expect([100, 200, 400].map(rows => progress.bytesOf(rows))).to.deep.equal([1000, 2000, 4000])
  })

  it('ends where the input was stopped', () => {
    const progress = new InputProgress()
    progress.read(100, 1000)
    progress.end(200, 2500)
    progress.end(200, 9000)
    expect(progress.bytesTakenIn).to.equal(2500)
    expect(progress.bytesOf(200)).to.equal(2500)
  })

  it('knows the bytes of rows that an earlier run has written', () => {
    const progress = new InputProgress(150)
    progress.read(200, 2000)
    progress.read(300, 3000)
    progress.read(400, 4000)
    expect(progress.bytesOf(150)).to.equal(1500)
    expect(progress.bytesOf(300)).to.equal(3000)
    expect(progress.bytesSkipped).to.equal(1500)
    progress.end(500, 5000)
    expect(progress.bytesOf(500)).to.equal(5000)
    expect(progress.bytesSkipped).to.equal(1500)
  })

  it('never goes back, and never counts more than was read', () => {
    const step = fc.record({
      rows: fc.nat(50),
      bytes: fc.nat(1000),
      settled: fc.double({ min: 0, max: 1, noNaN: true }),
    })
    fc.assert(
      fc.property(fc.array(step), steps => {
        const progress = new InputProgress()
        let [rows, bytes, settled, before] = [0, 0, 0, 0]
        for (const next of steps) {
          rows += next.rows
          bytes += next.bytes
          progress.read(rows, bytes)
          settled = Math.max(settled, Math.floor(rows * next.settled))
          const counted = progress.bytesOf(settled)
          if (counted < before - 1e-6 || counted > bytes) return false
          before = counted
        }
        progress.end(rows, bytes)
        return progress.bytesOf(rows) >= before - 1e-6 && progress.bytesTakenIn === bytes
      }),
    )
  })
})
