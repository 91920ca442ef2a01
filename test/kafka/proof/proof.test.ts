import { expect } from 'chai'
import { Environment } from './environment.ts'
import { runTrial } from './trial.ts'
import { withoutFence } from './without-fence.ts'

/** One seed and few messages; `npm run test:kafka:proof` has more of everything. */
const MEASURE = { backlog: 6000, more: 500, kills: 1, stormSeconds: 8 }

describe('a group of sink processes', function () {
  this.timeout(240_000)
  let environment: Environment
  before(async function () {
    this.timeout(600_000) // a first run downloads the broker
    environment = await Environment.open()
  })
  after(() => environment?.close())

  it('stores each message once without a key, while one member joins and one is killed', async () => {
    const trial = await runTrial(environment, {
      disruption: 'members',
      delivery: 'exactly-once',
      seed: 1,
      measure: MEASURE,
    })
    expect(trial.complaints).to.deep.equal([])
    expect(trial).to.include({ produced: 7000, stored: 7000, distinct: 7000, kills: 1 })
    expect(trial.skipped, 'rows that two members had in hand').to.be.greaterThan(0)
  })

  it('stores some of them twice when the fence is taken out', async () => {
    const trial = await withoutFence(root =>
      runTrial(environment, {
        disruption: 'members',
        delivery: 'exactly-once',
        seed: 1,
        measure: { ...MEASURE, kills: 0 },
        root,
      }),
    )
    expect(trial.distinct).to.equal(trial.produced)
    expect(trial.complaints.join()).to.match(/^rows doubled: [1-9]/)
  })

  it('stays exact in a storm of rebalances, and continues', async () => {
    const trial = await runTrial(environment, {
      disruption: 'storm',
      delivery: 'exactly-once',
      seed: 1,
      measure: MEASURE,
    })
    expect(trial.complaints).to.deep.equal([])
    expect(trial.stored).to.equal(10_000)
    expect(trial.generations).to.be.at.least(3)
  })
})
