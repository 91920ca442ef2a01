import { availableParallelism } from 'node:os'
import { expect } from 'chai'
import { batchLimitsOf } from '../../../../lib/cli/arguments/run-options.ts'
import { countWorkers, wantedWorkers, whyOneWorker } from '../../../../lib/cli/workers/count-workers.ts'

describe('the number of workers', () => {
  type Plan = Parameters<typeof countWorkers>[0]

  const planOf = (args: object, more: object = {}): Plan =>
    ({
      ...{ records: { csv: {} }, source: { format: 'csv' }, meter: { bytesTotal: 2 ** 30 } },
      table: { name: 't', selfReferences: [] },
      args,
      ...more,
    }) as unknown as Plan

  const byDefault = availableParallelism() >= 4 ? 4 : 1

  it('is what the user asks for, whatever the size and the order', () => {
    const small = { meter: { bytesTotal: 10 } }
    expect(countWorkers(planOf({ workers: 3 }, small))).to.equal(3)
    expect(countWorkers(planOf({ workers: 3, onConflict: ['id'] }))).to.equal(3)
    expect(countWorkers(planOf({ workers: 1 }))).to.equal(1)
  })

  it('is four for a large file on four cores, also one that can be resumed', () => {
    expect(countWorkers(planOf({}))).to.equal(byDefault)
    expect(countWorkers(planOf({ resume: 'x' }))).to.equal(byDefault)
  })

  it('is one by default for a small file, a pipe, several connections, and where order decides', () => {
    expect(countWorkers(planOf({}, { meter: { bytesTotal: 2 ** 20 } }))).to.equal(1)
    expect(countWorkers(planOf({}, { meter: { bytesTotal: undefined } }))).to.equal(1)
    expect(countWorkers(planOf({ concurrency: 4 }))).to.equal(1)
    expect(countWorkers(planOf({ onConflict: ['id'] }))).to.equal(1)
    expect(countWorkers(planOf({ onConflict: ['id'], resume: 'x' }))).to.equal(1)
  })

  it('is known to be one, for the size of batches, before a file of one transaction is opened', () => {
    for (const args of [{ dryRun: true }, { singleTransaction: true }]) {
      const { args: all, meter } = planOf({ workers: 2, ...args })
      expect(wantedWorkers(all, meter)).to.equal(1)
    }
  })

  it('is one where workers cannot write, and says why', () => {
    const plans: [Plan, RegExp][] = [
      [planOf({ workers: 2 }, { trial: {} }), /dry run/],
      [planOf({ workers: 2, singleTransaction: true }), /one transaction/],
      [planOf({ workers: 2 }, { records: undefined, source: { format: 'parquet' } }), /are parquet/],
      [planOf({ workers: 2 }, { records: {} }), /t does not take the bytes of records by COPY/],
      [
        planOf({ workers: 2 }, { table: { name: 't', selfReferences: [{}] } }),
        /rows of t may refer to later/,
      ],
    ]
    for (const [plan, why] of plans) {
      expect(countWorkers(plan)).to.equal(1)
      expect(whyOneWorker(plan)).to.match(why)
    }
    expect(whyOneWorker(planOf({}))).to.equal(undefined)
  })

  it('makes their batches larger than those of one thread, unless the user says how large', () => {
    const [one, two] = [1, 2].map(workers => batchLimitsOf({}, workers))
    expect(two!.rows).to.be.greaterThan(one!.rows)
    expect(two!.bytes).to.be.greaterThan(one!.bytes)
    expect(batchLimitsOf({ batchSize: 7 }, 2)).to.deep.equal({ ...two, rows: 7 })
  })
})
