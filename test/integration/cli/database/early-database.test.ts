import { expect } from 'chai'
import { EarlyDatabase } from '../../../../lib/cli/database/early-database.ts'
import { findTable } from '../../../../lib/cli/database/table.ts'
import { useDatabase } from '../../../support/servers/database.ts'
import { lockTable, sessions, untilBlocked } from '../../../support/servers/pools.ts'
import { until } from '../../../support/until.ts'

describe('a table that is looked up while the input is opened', () => {
  const database = useDatabase()
  before(() => database.pool.query('CREATE TABLE t (id int DEFAULT 1)'))

  const connect = () => {
    const request = {
      url: database.connectionString,
      env: {},
      connections: 2,
      notify: () => {},
      signal: new AbortController().signal,
    }
    return new EarlyDatabase(request, 't')
  }

  it('is the answer to the first question about it, and a later question is asked anew', async () => {
    const early = await connect().take()
    const first = await findTable(early, 't')
    await database.pool.query('ALTER TABLE t ADD b text')
    const second = await findTable(early, 't')
    expect([first, second].map(({ columns }) => columns.map(({ name }) => name))).to.deep.equal([
      ['id'],
      ['id', 'b'],
    ])
    await early.close()
  })

  it('does not keep a command from ending while another session has locked it', async () => {
    const unlock = await lockTable(database, 't')
    const early = connect()
    await untilBlocked(database, 'pg-batch')
    await early.abandon()
    await unlock()
    await until('the session has ended', async () => (await sessions(database, 'pg-batch')) === 0)
  })
})
