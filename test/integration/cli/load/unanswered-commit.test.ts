import { expect } from 'chai'
import { useFolder } from '../../../support/folder.ts'
import { FaultProxy } from '../../../support/network/proxy.ts'
import { useDatabase } from '../../../support/servers/database.ts'
import { rowsOf } from '../../../support/writing.ts'
import { start } from '../support.ts'

const COUNT = 3000

describe('pg-batch load, when the server commits and its answer does not come,', function () {
  this.timeout(60_000)
  const database = useDatabase()
  const file = useFolder()
  const role = 'unanswered_loader'
  let proxy: FaultProxy
  let path: string
  let env: NodeJS.ProcessEnv

  beforeEach(async () => {
    await database.pool.query(`
      DROP TABLE IF EXISTS t, pg_batch_resume, pg_batch_checkpoint;
      CREATE TABLE t (id int PRIMARY KEY);
      DROP ROLE IF EXISTS ${role};
      CREATE ROLE ${role} LOGIN SUPERUSER PASSWORD '${role}'`)
    const url = new URL(database.connectionString)
    proxy = await FaultProxy.start(Number(url.port))
    env = {
      DATABASE_URL: Object.assign(url, {
        hostname: '127.0.0.1',
        port: proxy.port,
        username: role,
        password: role,
      }).href,
    }
    path = await file('ids.csv', `id\n${rowsOf(COUNT, id => id).join('\n')}\n`)
  })
  afterEach(async () => {
    await proxy.stop()
    await database.pool.query(`DROP OWNED BY ${role}; DROP ROLE ${role}`)
  })

  const count = async (): Promise<number> =>
    (await database.pool.query('SELECT count(*)::int AS n FROM t')).rows[0].n

  for (const [words, next] of [
    [[], 'the same command loads them a second time'],
    [['--workers', '2'], 'the same command loads them a second time'],
    [['--single-transaction'], 'the same command loads them a second time'],
    [['--replace'], 'the same command replaces the rows again'],
    [['--on-conflict', 'id'], 'the same command starts again and updates the rows that are there'],
    [['--resume', 'ids'], 'the same command, with --resume ids, continues from there'],
  ] as const) {
    const command = () => start(['load', path, '-t', 't', ...words], env)
    const title = words.join(' ') || 'no options'
    /** Resolves once a COMMIT with rows has been answered, and the answer is dropped. */
    const answerIsLost = (action: 'stall' | 'cut') =>
      proxy.arm({
        direction: 'down',
        at: ({ name, text }) => name === 'CommandComplete' && text === 'COMMIT',
        action: { do: action },
      })

    it(`says at a signal that rows may be committed: ${title}`, async () => {
      const lost = answerIsLost('stall')
      const running = command()
      await lost
      running.process.kill('SIGTERM')
      const { status, stderr } = await running.ended
      expect(stderr).to.contain(
        `pg-batch: t: interrupted; 0 rows committed, and perhaps more: the server has not answered a COMMIT; ${next}`,
      )
      expect(status).to.equal(143)
      expect(await count()).to.be.above(0)
    })

    it(`says at a failure that rows may be committed: ${title}`, async () => {
      // the question for the outcome is refused
      const refused = proxy.arm({
        direction: 'up',
        at: ({ name, text }) => name === 'Query' && /COMMIT/.test(text),
        action: {
          do: 'call',
          run: async () => {
            await database.pool.query(`ALTER ROLE ${role} NOLOGIN`)
          },
        },
      })
      const lost = answerIsLost('cut')
      const { status, stderr, stdout } = await command().ended
      await Promise.all([refused, lost])
      expect(stderr).to.contain(
        `; 0 rows committed, and perhaps more: the server has not answered a COMMIT; ${next}`,
      )
      expect({ status, stdout }).to.deep.equal({ status: 1, stdout: '' })
      expect(await count()).to.be.above(0)
    })
  }
})
