import { expect } from 'chai'
import fc from 'fast-check'
import type sinon from 'sinon'
import { BatchTransform } from '../../../lib/batch/batch-transform.ts'
import { thorough } from '../../support/thorough.ts'
import { eventsOf, fakeClock, settle } from './support.ts'

const RUNS = Math.max(125, thorough(500))

type Step =
  | { do: 'write'; sizes: number[]; answered: boolean }
  | { do: 'tick'; ms: number }
  | { do: 'read' | 'flush' | 'pause' | 'resume' | 'settle' | 'cork' | 'uncork' }

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('write'),
      sizes: fc.array(fc.nat(6), { maxLength: 6 }),
      answered: fc.boolean(),
    }),
  },
  fc.record({ do: fc.constant('tick'), ms: fc.integer({ min: 1, max: 120 }) }),
  fc.record({ do: fc.constantFrom('read', 'flush', 'pause', 'resume', 'settle', 'cork', 'uncork') }),
)

describe('BatchTransform: whatever happens in whatever order', () => {
  let clock: sinon.SinonFakeTimers

  beforeEach(() => {
    clock = fakeClock()
  })

  afterEach(() => clock.restore())

  it('each item leaves once, in order, in a batch within its caps, or is handed to onDiscard', async () => {
    const seen = { batches: 0, discarded: 0, waited: 0 }
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { maxLength: 30, size: 'max' }),
        fc.integer({ min: 1, max: 8 }),
        fc.option(fc.integer({ min: 1, max: 40 }), { nil: undefined }),
        fc.boolean(),
        fc.boolean(),
        async (steps, maxCount, maxBytes, measures, destroys) => {
          const read: number[][] = []
          const discarded: number[] = []
          const stream = new BatchTransform<{ id: number; size: number }>({
            maxCount,
            maxWaitMs: 50,
            // an item that is not measured takes another way into its batch
            ...(measures || maxBytes !== undefined ? { maxBytes, sizeOf: item => item.size } : {}),
            onDiscard: items => discarded.push(...items.map(item => item.id)),
          })
          const events = eventsOf(stream)
          const answered: number[] = []
          let asked = 0
          const sizes: number[] = []
          const take = (batch: { id: number }[] | null) => batch && read.push(batch.map(item => item.id))
          let listens = false
          const resume = () => {
            if (!listens) stream.on('data', take)
            listens = true
            stream.resume()
          }
          for (const action of steps) {
            if (action.do === 'write') {
              for (const size of action.sizes) {
                const item = { id: sizes.push(size) - 1, size }
                if (action.answered) stream.write(item, () => answered.push(item.id))
                else stream.write(item)
                asked += Number(action.answered)
              }
            } else if (action.do === 'cork') stream.cork()
            else if (action.do === 'uncork') stream.uncork()
            else if (action.do === 'tick') clock.tick(action.ms)
            else if (action.do === 'settle') await settle()
            else if (action.do === 'flush') stream.flush()
            else if (action.do === 'pause') stream.pause()
            else if (action.do === 'resume') resume()
            else if (listens) stream.read()
            else take(stream.read())
            expect(stream.readableLength).to.be.at.most(1)
            expect(clock.countTimers()).to.be.at.most(1)
          }
          if (destroys) stream.destroy()
          else {
            stream.end()
            resume()
          }
          await settle()
          await settle()
          expect(clock.countTimers()).to.equal(0)
          expect(stream.closed).to.equal(true)
          expect(answered).to.have.length(asked)
          expect([...read.flat(), ...discarded]).to.deep.equal(sizes.map((_, id) => id))
          if (!destroys) expect(discarded).to.deep.equal([])
          for (const batch of read) {
            expect(batch.length).to.be.within(1, maxCount)
            const bytes = batch.reduce((sum, id) => sum + sizes[id]!, 0)
            if (maxBytes !== undefined && batch.length > 1) expect(bytes).to.be.at.most(maxBytes)
          }
          seen.batches += read.length
          seen.discarded += discarded.length
          seen.waited += events.filter(event => event.trigger === 'wait').length
        },
      ),
      { numRuns: RUNS },
    )
    expect(seen.batches).to.be.greaterThan(RUNS)
    expect(seen.discarded).to.be.greaterThan(RUNS / 5)
    expect(seen.waited).to.be.greaterThan(RUNS / 60)
  })
})
