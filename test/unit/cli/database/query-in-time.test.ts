import { expect } from 'chai'
import sinon from 'sinon'
import type { QueryPool } from '../../../../lib/cli/database/query-pool.ts'
import { finishRecord } from '../../../../lib/cli/resume/resume-record.ts'
import { DeadlineError } from '../../../../lib/connection/deadline-error.ts'

describe('a statement about the progress of a load', () => {
  let clock: sinon.SinonFakeTimers
  beforeEach(() => {
    clock = sinon.useFakeTimers()
  })
  afterEach(() => clock.restore())

  it('fails after two minutes if the server is silent, and its connection is ended', async () => {
    const released: unknown[] = []
    const client = { query: () => new Promise(() => {}), release: (error: unknown) => released.push(error) }
    const pool = { connect: async () => client } as unknown as QueryPool
    let failure: unknown
    finishRecord(pool, 'load', 1).catch(error => {
      failure = error
    })
    await clock.tickAsync(119_000)
    expect(failure).to.equal(undefined)
    await clock.tickAsync(2000)
    expect(failure).to.be.instanceOf(DeadlineError)
    expect(released).to.deep.equal([failure])
  })
})
