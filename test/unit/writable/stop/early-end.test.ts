import { expect } from 'chai'
import { PgBatchError } from '../../../../lib/errors.ts'
import { EarlyEnd } from '../../../../lib/writable/stop/early-end.ts'
import { Stopping } from '../../../../lib/writable/stop/stopping.ts'

const failure = new Error('a lane has failed')
const asked = new Error('asked to end')
const stopped = new PgBatchError('ABORTED', 'The transaction was stopped', { outcome: 'rolled-back' })

describe('the early end of a stream', () => {
  function setUp(failures: readonly Error[] = []) {
    let stop!: (failures: readonly Error[]) => void
    const lanes = new Promise<readonly Error[]>(resolve => {
      stop = resolve
    })
    const stopping = new Stopping()
    const destroyed: Error[] = []
    const early = new EarlyEnd({ stopping, stopLanes: () => lanes, destroy: e => destroyed.push(e) })
    const end = async (rowsPending: number) => {
      expect(stopping.hasBegun).to.equal(true)
      expect(destroyed).to.deep.equal([]) // the lanes have not stopped
      stop(failures)
      const error = await early.error(rowsPending)
      stopping.done()
      return { error, destroyed }
    }
    return { early, end }
  }

  it('does not come by itself', async () => {
    expect(await setUp().early.error(1)).to.equal(undefined)
  })

  for (const rowsPending of [0, 1]) {
    it(`fails with the failure of a lane, ${rowsPending} rows pending`, async () => {
      const { early, end } = setUp([failure])
      early.fail(failure)
      early.fail(new Error('of another lane'))
      expect(await end(rowsPending)).to.deep.equal({ error: failure, destroyed: [failure] })
    })
  }

  it('fails with the request, if rows are left', async () => {
    const { early, end } = setUp([stopped])
    early.ask(asked)
    expect(await end(1)).to.deep.equal({ error: asked, destroyed: [asked] })
  })

  it('is a success, if all rows were written in spite of the request', async () => {
    const { early, end } = setUp()
    early.ask(asked)
    expect((await end(0)).error).to.equal(undefined)
  })

  it('fails with the failure of a lane after a request', async () => {
    const { early, end } = setUp([stopped, failure])
    early.ask(asked)
    expect(await end(0)).to.deep.equal({ error: failure, destroyed: [failure] })
  })
})
