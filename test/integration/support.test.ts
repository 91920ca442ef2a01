import { expect } from 'chai'
import { useDatabase } from '../support/servers/database.ts'

describe('test support', () => {
  const db = useDatabase()

  it('gives each file a real PostgreSQL database', async () => {
    const { rows } = await db.pool.query(
      "SELECT current_database() AS name, current_setting('server_version_num')::int AS version",
    )
    expect(rows[0].name).to.match(/^test_/)
    expect(rows[0].version).to.be.at.least(140000)
  })
})
