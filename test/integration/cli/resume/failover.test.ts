import { expect } from 'chai'
import { useFolder } from '../../../support/folder.ts'
import { FaultProxy } from '../../../support/network/proxy.ts'
import { ReplicatedServer } from '../../../support/servers/standby.ts'
import { until } from '../../../support/until.ts'
import { rowsOf } from '../../../support/writing.ts'
import { run, start } from '../support.ts'

const ROWS = 300_000
/** The rows that wait until the test releases them. */
const GATES = [150_000, 250_000] as const

describe('pg-batch load --resume, through an asynchronous failover that loses commits', function () {
  this.timeout(180_000)
  const file = useFolder()
  let server: ReplicatedServer
  let proxy: FaultProxy

  beforeEach(async () => {
    server = await ReplicatedServer.start()
    proxy = await FaultProxy.start(server.primaryPort)
    await server.primary.query(`
      CREATE TABLE events (id int, note text); -- no key: a row that is written twice stays twice
      CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN PERFORM pg_advisory_xact_lock_shared(NEW.id); RETURN NEW; END $$;
      CREATE TRIGGER wait BEFORE INSERT ON events FOR EACH ROW
        WHEN (NEW.id IN (${GATES.join(', ')})) EXECUTE FUNCTION wait()`)
  })
  afterEach(async () => {
    await proxy?.stop()
    await server?.stop()
  })

  const count = async (pool: ReplicatedServer['primary']): Promise<number> =>
    // the replica may not even have the table yet
    pool.query('SELECT count(*)::int FROM events').then(
      ({ rows }) => rows[0].count,
      () => 0,
    )

  for (const runs of ['one run', 'two runs']) {
    it(`ends with every row once: ${runs}`, async () => {
      const text = `id,note\n${rowsOf(ROWS, n => `${n + 1},"row ${n + 1}"`).join('\n')}\n`
      const path = await file('events.csv', text)
      const url = new URL(server.connectionString)
      url.port = String(proxy.port)
      const env = { DATABASE_URL: url.href }
      const words = ['load', path, '-t', 'events', '--resume', 'events']
      const operator = await server.primary.connect()
      operator.on('error', () => {}) // its server dies
      for (const gate of GATES) await operator.query('SELECT pg_advisory_lock($1)', [gate])
      const waits = (gate: number) =>
        until(
          `row ${gate} to wait`,
          async () => {
            const { rows } = await server.primary.query(
              `SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND objid = $1`,
              [gate],
            )
            return rows.length === 1
          },
          60_000,
        )

      const running = start(words, env)
      await waits(GATES[0])
      const replicated = await count(server.primary)
      await until(
        'the replica to have what is committed',
        async () => (await count(server.standby)) === replicated,
        30_000,
      )
      await server.disconnect()
      await operator.query('SELECT pg_advisory_unlock($1)', [GATES[0]])
      await waits(GATES[1])
      const committed = await count(server.primary)
      expect(committed, 'rows that the replica does not have').to.be.above(replicated)
      if (runs === 'two runs') {
        running.process.kill('SIGKILL')
        await running.ended
      }
      server.kill()
      await server.promote()
      operator.release(true)
      proxy.leadTo(server.standbyPort)
      proxy.cutAll()

      const ended = runs === 'one run' ? await running.ended : await run(words, env)
      expect(ended.status, ended.stderr).to.equal(0)
      const from = replicated.toLocaleString('en')
      const said = replicated === 0 ? /./s : new RegExp(`(reading again|continuing) after row ${from}\n`)
      expect(ended.stderr).to.match(said)
      const { rows } = await server.standby.query(
        'SELECT count(*)::int AS rows, count(DISTINCT id)::int AS distinct, max(id) AS last FROM events',
      )
      expect(rows).to.deep.equal([{ rows: ROWS, distinct: ROWS, last: ROWS }])
    })
  }
})
