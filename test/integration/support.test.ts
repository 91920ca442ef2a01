import { expect } from 'chai'
import pg from 'pg'
import { useDatabase } from '../support/servers/database.ts'
import { keptSessions } from '../support/servers/kept-sessions.ts'
import { until } from '../support/until.ts'

describe('test support', () => {
  const db = useDatabase()

  it('gives each file a real PostgreSQL database', async () => {
    const { rows } = await db.pool.query(
      "SELECT current_database() AS name, current_setting('server_version_num')::int AS version",
    )
    expect(rows[0].name).to.match(/^test_/)
    expect(rows[0].version).to.be.at.least(140000)
  })

  describe('sessions of a stock', () => {
    const stream = keptSessions()

    /** Runs a statement in a client of its own. Resolves to the session's process, and to what it has set. */
    async function inClient(name: string, statement: string) {
      const config = { connectionString: db.directConnectionString, application_name: name, stream }
      const client = new pg.Client(config)
      await client.connect()
      await client.query(statement)
      const { rows } =
        await client.query(`SELECT pg_backend_pid() AS pid, current_setting('TimeZone') AS zone,
        to_regclass('pg_temp.own') AS own, current_setting('application_name') AS name`)
      await client.end()
      return rows[0]
    }

    it('are those of earlier clients, and nothing of them is left', async () => {
      const first = await inClient('first', "SET TimeZone = 'Asia/Tokyo'; CREATE TEMP TABLE own (id int)")
      expect(first).to.include({ zone: 'Asia/Tokyo', own: 'own', name: 'first' })
      const { zone } = (await db.pool.query("SELECT current_setting('TimeZone') AS zone")).rows[0]
      expect(await inClient('second', '')).to.deep.equal({ pid: first.pid, zone, own: null, name: 'second' })
    })

    it('end with a client that leaves a transaction open', async () => {
      const { pid } = await inClient('third', 'BEGIN')
      await until('the session is gone', async () => {
        return (await db.pool.query('SELECT FROM pg_stat_activity WHERE pid = $1', [pid])).rowCount === 0
      })
      expect((await inClient('fourth', '')).pid).to.not.equal(pid)
    })
  })
})
