import { expect } from 'chai'
import type pg from 'pg'
import { dropIfEmpty } from '../../../../lib/cli/database/table.ts'

describe('dropIfEmpty', () => {
  it('leaves the reason to the load that failed if no connection is available', async () => {
    const connect = () => Promise.reject(new Error('connect ECONNREFUSED'))
    expect(await dropIfEmpty({ connect } as unknown as pg.Pool, 't')).to.equal(false)
  })
})
