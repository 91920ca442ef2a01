import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect } from 'chai'
import { useDatabase } from '../support/servers/database.ts'

const DEMO = fileURLToPath(new URL('../examples/demo.ts', import.meta.url))

describe('npm run demo', () => {
  const database = useDatabase()

  const demo = () =>
    promisify(execFile)(process.execPath, ['--import', 'tsx', DEMO], {
      env: { ...process.env, DATABASE_URL: database.connectionString },
    })

  it('loads both files with typed columns, says what it did in 80 columns, and can be run again', async () => {
    await demo()
    const { stdout, stderr } = await demo()
    expect(stderr).to.equal('')
    expect(stdout).to.match(/birdstrikes\.csv .*\n {2}committed {2}10,000 rows in \d+ batches/)
    expect(stdout).to.match(/flights-200k\.json .*\n {2}committed {2}200,000 rows in \d+ batches/)
    expect(stdout.match(/count\(\*\) .*\(the same\)/g)).to.have.length(2)
    expect(Math.max(...stdout.split('\n').map(line => line.length))).to.be.at.most(80)

    const { rows } = await database.pool.query(`
      SELECT count(*)::int AS strikes, count(speed_knots)::int AS speeds, count(*) FILTER (WHERE damaged)::int AS damaged,
        sum(cost_dollars)::int AS cost, min(flown_on)::text AS first, (SELECT sum(distance_miles)::int FROM batch_demo.flights) AS miles
      FROM batch_demo.birdstrikes`)
    expect(rows).to.deep.equal([
      {
        strikes: 10_000,
        speeds: 7164,
        damaged: 1061,
        cost: 40_545_276,
        first: '1990-01-08',
        miles: 145_847_125,
      },
    ])
  })

  it('leaves a schema alone that is not its own', async () => {
    await database.pool.query('DROP SCHEMA IF EXISTS batch_demo CASCADE; CREATE SCHEMA batch_demo')
    const error = await demo().catch(error => error)
    expect(error).to.include({ code: 1 })
    expect(error.stderr).to.match(/^demo: The database has a schema batch_demo that is not the demo's/)
    const { rows } = await database.pool.query("SELECT FROM pg_tables WHERE schemaname = 'batch_demo'")
    expect(rows).to.deep.equal([])
  })
})
