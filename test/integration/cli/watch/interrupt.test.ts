import { existsSync, readFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { expect } from 'chai'
import { useFolder } from '../../../support/folder.ts'
import { useDatabase } from '../../../support/servers/database.ts'
import { start } from '../support.ts'

const COUNT = 15_000

describe('Ctrl-C at pg-batch load', () => {
  const database = useDatabase()
  const inFolder = useFolder()
  beforeEach(() => database.pool.query('DROP TABLE IF EXISTS t; CREATE TABLE t (id int)'))

  const begin = (...words: string[]) =>
    start(['load', '-', '-t', 't', ...words], { DATABASE_URL: database.connectionString })

  async function sessions(state: string): Promise<number> {
    const { rows } = await database.pool.query(
      `SELECT count(*)::int AS n FROM pg_stat_activity
       WHERE datname = current_database() AND application_name = 'pg-batch' AND ${state}`,
    )
    return rows[0].n
  }

  it('commits the rows in flight first', async () => {
    const lock = await database.pool.connect()
    await lock.query('BEGIN; LOCK TABLE t IN EXCLUSIVE MODE')
    const running = begin('--summary')
    running.process.stdin!.write('{"id":1}\n{"id":2}\n')
    while ((await sessions("wait_event_type = 'Lock'")) === 0 && running.process.exitCode === null)
      await delay(10)
    const said = new Promise<string>(resolve => running.process.stderr!.once('data', resolve))
    running.process.kill('SIGINT')
    expect(await said).to.equal('Stopping: writing the rows that were read; Ctrl-C again stops at once.\n')
    await lock.query('COMMIT')
    lock.release()
    const { status, stderr } = await running.ended
    expect(stderr).to.match(/rows read +│ +2 │/)
    expect(stderr).to.match(
      /\npg-batch: t: interrupted; 2 rows committed; the same command loads them a second time, unless --on-conflict names a unique key\n$/,
    )
    expect(status).to.equal(130)
  })

  for (const words of [[], ['--workers', '2'], ['--concurrency', '2'], ['--on-conflict', 'id']]) {
    const title = words.join(' ') || 'one connection'
    it(`rolls back rows that take long, and loses none when the load continues: ${title}`, async () => {
      const rows = Array.from({ length: COUNT }, (_, id) => `${id},${id % 3 === 0 ? -1 : id}\n`)
      const file = await inFolder('slow.csv', `id,n\n${rows.join('')}`)
      const rejects = `${file}.${words.length}.${words[0]}.rejects`
      await database.pool.query(`DROP TABLE t; CREATE TABLE t (id int PRIMARY KEY, n int CHECK (n >= 0));
        CREATE OR REPLACE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS
          $$ BEGIN IF NEW.id > 5100 THEN PERFORM pg_sleep(0.01); END IF; RETURN NEW; END $$;
        CREATE TRIGGER wait BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION wait()`)
      const resume = words.includes('--concurrency') ? [] : ['--resume', `slow ${title}`]
      const command = ['load', file, '-t', 't', '--rejects', rejects, ...resume, ...words]
      const running = start(command, { DATABASE_URL: database.connectionString })
      while ((await sessions("wait_event = 'PgSleep'")) === 0 && running.process.exitCode === null)
        await delay(10)
      const started = performance.now()
      running.process.kill('SIGTERM')
      const { status, stderr } = await running.ended
      expect(stderr).to.include('The rows that are being written take long: rolling them back\n')
      expect(status).to.equal(143)
      // all rows would take 100 seconds
      expect(performance.now() - started).to.be.below(15_000)
      const ids = async (): Promise<number[]> => {
        const { rows } = await database.pool.query('SELECT id FROM t')
        const lines = existsSync(rejects) ? readFileSync(rejects, 'utf8').split('\n').filter(Boolean) : []
        const rejected = lines.map(line => Number(JSON.parse(line).row.id))
        expect(rejected.every(id => id % 3 === 0)).to.equal(true)
        return [...rows.map(({ id }) => id as number), ...rejected].sort((a, b) => a - b)
      }
      const before = await ids()
      expect(new Set(before).size).to.equal(before.length)
      expect(before.length).to.be.below(COUNT)
      if (resume.length === 0) return
      await database.pool.query('DROP TRIGGER wait ON t')
      expect((await start(command, { DATABASE_URL: database.connectionString }).ended).status).to.equal(0)
      expect(await ids()).to.deep.equal([...Array(COUNT).keys()])
    })
  }

  it('ends the command at once when it is repeated', async () => {
    const lock = await database.pool.connect()
    await lock.query('BEGIN; LOCK TABLE t IN EXCLUSIVE MODE')
    const running = begin()
    running.process.stdin!.write('{"id":1}\n')
    while ((await sessions("wait_event_type = 'Lock'")) === 0 && running.process.exitCode === null)
      await delay(10)
    const said = new Promise<string>(resolve => running.process.stderr!.once('data', resolve))
    running.process.kill('SIGINT')
    await said
    running.process.kill('SIGINT')
    expect(await running.ended).to.include({ status: 130, stdout: '' })
    await lock.query('ROLLBACK')
    lock.release()
    while ((await sessions('true')) > 0) await delay(10)
    expect((await database.pool.query('SELECT count(*)::int AS n FROM t')).rows[0].n).to.equal(0)
  })

  it('ends the wait for the first bytes of standard input', async () => {
    for (const words of [[], ['--format', 'csv'], ['--dry-run'], ['--format', 'ndjson', '--create']]) {
      // otherwise the load may end because the table exists already
      if (words.includes('--create')) await database.pool.query('DROP TABLE t')
      const running = begin(...words)
      // more than a pipe holds: once it is gone, the command is reading
      await new Promise(resolve => running.process.stdin!.write('\n'.repeat(1 << 18), resolve))
      running.process.kill('SIGINT')
      const { status, stderr } = await running.ended
      expect(stderr).to.match(
        // a busy machine may take so long that the command says what it still waits for
        /^(Stopping: .*\n)?pg-batch: (t: interrupted; 0 rows committed|interrupted while connecting .*)\n$/,
      )
      expect(status).to.equal(130)
    }
  })

  it('prints what the command waits for after all rows were read', async () => {
    const lock = await database.pool.connect()
    await lock.query('BEGIN; LOCK TABLE t IN EXCLUSIVE MODE')
    const running = begin()
    running.process.stdin!.end('id\n1\n')
    while ((await sessions("wait_event_type = 'Lock'")) === 0 && running.process.exitCode === null)
      await delay(10)
    const said = new Promise<string>(resolve => running.process.stderr!.once('data', resolve))
    running.process.kill('SIGTERM')
    expect(await said).to.equal('Stopping: writing the last rows; a second SIGTERM stops at once.\n')
    await lock.query('COMMIT')
    lock.release()
    const { status, stdout } = await running.ended
    expect(stdout).to.match(/^t: 1 row committed/)
    expect(status).to.equal(0)
  })

  it('prints what the command waits for while the table is locked, and ends with the status of the signal', async () => {
    const lock = await database.pool.connect()
    await lock.query('BEGIN; LOCK TABLE t IN EXCLUSIVE MODE')
    const running = begin('--truncate')
    running.process.stdin!.end('id\n1\n')
    while ((await sessions("wait_event_type = 'Lock'")) === 0 && running.process.exitCode === null)
      await delay(10)
    const said = new Promise<string>(resolve => running.process.stderr!.once('data', resolve))
    running.process.kill('SIGHUP')
    expect(await said).to.equal(
      'Stopping: waiting for the server, which works or waits for a lock; a second SIGHUP stops at once.\n',
    )
    running.process.kill('SIGHUP')
    expect(await running.ended).to.include({ status: 129, stdout: '' })
    await lock.query('ROLLBACK')
    lock.release()
  })
})
