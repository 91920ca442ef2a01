import { expect } from 'chai'
import { Lanes } from '../../../lib/write/lanes.ts'
import type { Batch } from '../../../lib/write/rows/batch.ts'

const turn = () => new Promise(resolve => setImmediate(resolve))
const batch = (id: number): Batch<number> => ({ id, count: 1, items: [id] })

/** Lanes whose every transaction takes what is ready and then waits to be let go. */
function makeLanes(count: number, { keyed = false, patienceMs = 0 } = {}) {
  const open: { ids: number[]; commit: () => void; fail: (error: Error) => void }[] = []
  const lanes = new Lanes<number>({
    count,
    keyed,
    patienceMs,
    async write(first, next) {
      const ids = [first.id]
      await new Promise<void>((resolve, reject) => {
        open.push({ ids, commit: resolve, fail: reject })
      })
      for (let more = await next(); more; more = await next()) ids.push(more.id)
    },
  })
  return { lanes, open }
}

describe('lanes', () => {
  it('run as many transactions at once as they count, and no more', async () => {
    const { lanes, open } = makeLanes(3)
    for (let id = 1; id <= 5; id++) lanes.offer(batch(id))
    await turn()
    expect(open.map(({ ids }) => ids[0])).to.deep.equal([1, 2, 3])
    for (const { commit } of open) commit()
    await lanes.idle()
    expect(open.flatMap(({ ids }) => ids).sort()).to.deep.equal([1, 2, 3, 4, 5])
  })

  it('keep the order of each key, one transaction at a time', async () => {
    const { lanes, open } = makeLanes(2, { keyed: true })
    for (let id = 1; id <= 6; id++) lanes.offer(batch(id), id % 2)
    await turn()
    expect(open.map(({ ids }) => ids[0])).to.deep.equal([1, 2])
    for (const { commit } of open) commit()
    await lanes.idle()
    expect(open.map(({ ids }) => ids)).to.deep.equal([
      [1, 3, 5],
      [2, 4, 6],
    ])
  })

  it('ask for a pause when two batches wait, and end it when one is taken', async () => {
    const { lanes, open } = makeLanes(1)
    expect(lanes.offer(batch(1))).to.equal(undefined)
    expect(lanes.offer(batch(2))).to.equal(undefined)
    let resumed = false
    const room = lanes.offer(batch(3))!.then(() => {
      resumed = true
    })
    await turn()
    expect(resumed).to.equal(false)
    open[0]!.commit()
    await room
    await lanes.idle()
    expect(open.flatMap(({ ids }) => ids)).to.deep.equal([1, 2, 3])
  })

  it('let idle() reject with the first failure, and stop() wait for what is running', async () => {
    const { lanes, open } = makeLanes(2)
    lanes.offer(batch(1))
    lanes.offer(batch(2))
    lanes.offer(batch(3))
    await turn()
    const reason = new Error('refused')
    open[0]!.fail(reason)
    expect(await lanes.idle().catch(error => error)).to.equal(reason)
    let stopped = false
    const stop = lanes.stop().then(() => {
      stopped = true
    })
    await turn()
    expect(stopped).to.equal(false)
    open[1]!.commit()
    await stop
    expect(open.map(({ ids }) => ids)).to.deep.equal([[1], [2]])
  })

  describe('with patience', () => {
    const FOREVER = 1_000_000

    it('wait for the next batch before their transaction ends', async () => {
      const { lanes, open } = makeLanes(1, { patienceMs: FOREVER })
      lanes.offer(batch(1))
      open[0]!.commit()
      for (let id = 2; id <= 4; id++) {
        for (let turns = 0; turns < 3; turns++) await turn()
        lanes.offer(batch(id))
      }
      lanes.end()
      await lanes.idle()
      expect(open.map(({ ids }) => ids)).to.deep.equal([[1, 2, 3, 4]])
    })

    it('wait no longer than that', async () => {
      const { lanes, open } = makeLanes(1, { patienceMs: 1 })
      lanes.offer(batch(1))
      open[0]!.commit()
      await lanes.idle()
      lanes.offer(batch(2))
      open[1]!.commit()
      await lanes.idle()
      expect(open.map(({ ids }) => ids)).to.deep.equal([[1], [2]])
    })

    for (const ending of ['end', 'stop'] as const) {
      it(`wait no longer once ${ending}() says that no batch comes`, async () => {
        const { lanes, open } = makeLanes(1, { patienceMs: FOREVER })
        lanes.offer(batch(1))
        open[0]!.commit()
        await turn()
        await turn()
        const ended = lanes[ending]()
        await lanes.idle()
        await ended
      })
    }
  })

  it('start nothing after stop()', async () => {
    const { lanes, open } = makeLanes(1)
    lanes.offer(batch(1))
    lanes.offer(batch(2))
    const stop = lanes.stop()
    open[0]!.commit()
    await stop
    expect(open.map(({ ids }) => ids)).to.deep.equal([[1]])
  })
})
