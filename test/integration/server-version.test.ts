import { expect } from 'chai'
import { useDatabase } from '../support/servers/database.ts'

describe('the server under test', () => {
  const db = useDatabase()

  it('is of the major version that PG_BATCH_TEST_MAJOR asks for, and says so', async () => {
    const { rows } = await db.pool.query("SELECT current_setting('server_version') AS version")
    console.log(`    PostgreSQL ${rows[0].version}, Node ${process.version}`)
    if (!process.argv.some(argument => argument.includes('test/kafka')))
      console.log('    The tests on a Kafka broker need Java and are left out: npm run test:kafka')
    const wanted = process.env.PG_BATCH_TEST_MAJOR
    if (wanted) expect(Number.parseInt(rows[0].version, 10)).to.equal(Number(wanted))
    else expect(Number.parseInt(rows[0].version, 10)).to.be.at.least(14)
  })
})
