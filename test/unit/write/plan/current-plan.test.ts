import { expect } from 'chai'
import sinon from 'sinon'
import { CurrentPlan, MIN_MS_BETWEEN_REFRESHES } from '../../../../lib/write/plan/current-plan.ts'
import type { IntrospectedPlan } from '../../../../lib/write/plan/introspect-plan.ts'

/** What the catalogue says; plans are compared by identity. */
function introspected(column: string): IntrospectedPlan<object> {
  return { plan: { column }, table: { columns: [column] } } as unknown as IntrospectedPlan<object>
}

describe('CurrentPlan', () => {
  const stop = new AbortController().signal
  let clock: sinon.SinonFakeTimers
  let ask: sinon.SinonStub<[], Promise<IntrospectedPlan<object>>>
  let current: CurrentPlan<object>

  // the clock is stopped: a wait would never end
  beforeEach(() => {
    clock = sinon.useFakeTimers()
    ask = sinon.stub<[], Promise<IntrospectedPlan<object>>>().callsFake(async () => introspected('a'))
    current = new CurrentPlan(introspected('a'), ask)
  })
  afterEach(() => clock.restore())

  it('asks the catalogue again at once when the stream fails otherwise', async () => {
    const { plan } = current
    expect(await current.replaces(plan, { urgent: true, stop })).to.equal(false)
    ask.callsFake(async () => introspected('b'))
    expect(await current.replaces(plan, { urgent: true, stop })).to.equal(true)
    expect(ask.callCount).to.equal(2)
    expect(current.plan).to.deep.equal({ column: 'b' })
  })

  it('asks at most every two seconds when the stream continues without an answer', async () => {
    const { plan } = current
    for (const _ of Array(3)) await current.replaces(plan, { urgent: false, stop })
    expect(ask.callCount).to.equal(1)
    clock.tick(MIN_MS_BETWEEN_REFRESHES)
    await current.replaces(plan, { urgent: false, stop })
    expect(ask.callCount).to.equal(2)
  })

  it('asks again where a question may have begun before the change, once for all that ask', async () => {
    const { plan } = current
    let answer!: (found: IntrospectedPlan<object>) => void
    ask.onFirstCall().returns(
      new Promise(resolve => {
        answer = resolve
      }),
    )
    ask.onSecondCall().callsFake(async () => introspected('b'))
    const idle = current.replaces(plan, { urgent: false, stop })
    const failed = [1, 2].map(() => current.replaces(plan, { urgent: true, stop }))
    answer(introspected('a'))
    expect(await idle).to.equal(false)
    expect(await Promise.all(failed)).to.deep.equal([true, true])
    expect(ask.callCount).to.equal(2)
  })

  it('no longer asks once the stream is destroyed', async () => {
    const { plan } = current
    expect(await current.replaces(plan, { urgent: true, stop: AbortSignal.abort() })).to.equal(false)
    expect(ask.callCount).to.equal(0)
  })
})
