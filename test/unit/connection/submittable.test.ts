import { expect } from 'chai'
import type { PgClientLike } from '../../../lib/connection/pg-types.ts'
import { SimpleQuery } from '../../../lib/connection/simple-query.ts'

/** Takes a query and never sends it. */
const client = { query: () => {} } as unknown as PgClientLike

describe('a statement that pg and agents look at', () => {
  it('reports its end once, also when the answer comes after a time-out', () => {
    const query = SimpleQuery.open(client, 'SELECT 1')
    query.settled.catch(() => {})
    const reports: unknown[] = []
    query.callback = error => reports.push(['callback', error])
    query.on('error', error => reports.push(['error', error])).on('end', () => reports.push(['end']))
    const timeout = new Error('Query read timeout')
    query.handleError(timeout)
    query.handleReadyForQuery()
    expect(reports).to.deep.equal([
      ['callback', timeout],
      ['error', timeout],
    ])
  })

  it('is settled although what an agent does at its end throws', async () => {
    const query = SimpleQuery.open(client, 'SELECT 1')
    query.callback = () => {
      throw new Error("an agent's own")
    }
    expect(() => query.handleReadyForQuery()).to.throw("an agent's own")
    await query.settled
  })
})
