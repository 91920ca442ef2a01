import { setTimeout as delay } from 'node:timers/promises'
import { gzipSync } from 'node:zlib'
import { expect } from 'chai'
import { run, start } from '../support.ts'
import { usePriced } from './priced.ts'

describe('pg-batch load --workers', () => {
  const { database, file, env, load, csv, stored, storedByOne } = usePriced()

  for (const workers of ['2', '3']) {
    it(`stores what one thread stores, with ${workers} workers`, async () => {
      const path = await file('rows.csv', csv(2345))
      const expected = await storedByOne(path)
      expect(expected.rows).to.equal(2345)
      const { status, stdout, stderr } = await load(path, '--workers', workers)
      expect(stderr).to.equal('')
      expect(stdout).to.match(/^t: 2,345 rows committed in 24 batches, /)
      expect(status).to.equal(0)
      expect(await stored()).to.deep.equal(expected)
    })
  }

  it('writes larger batches than one thread, with the same rows', async () => {
    const path = await file('large.csv', csv(45_000))
    const expected = await storedByOne(path)
    const { stdout, stderr } = await run(['load', path, '-t', 't', '--workers', '2'], env())
    expect(stderr).to.equal('')
    expect(stdout).to.match(/^t: 45,000 rows committed in 3 batches, /)
    expect(await stored()).to.deep.equal(expected)
  })

  it('uses a session for each worker', async () => {
    await database.pool.query('ALTER TABLE t ADD session int DEFAULT pg_backend_pid()')
    await load(await file('sessions.csv', csv(1000)), '--workers', '3')
    const { rows } = await database.pool.query(
      'SELECT count(DISTINCT session)::int AS sessions, count(*)::int AS rows FROM t',
    )
    expect(rows[0]).to.deep.equal({ sessions: 3, rows: 1000 })
  })

  it('reads compressed files, several files and standard input', async () => {
    const expected = await storedByOne(await file('whole.csv', csv(900)))
    const packed = await file('whole.csv.gz', gzipSync(csv(900)))
    const parts = [
      await file('part-1.csv', csv(250)),
      await file('part-2.csv', csv(50, 251)),
      await file('part-3.csv', csv(600, 301)),
    ]
    for (const words of [[packed], parts]) {
      expect((await load(...words, '--workers', '2')).status).to.equal(0)
      expect(await stored()).to.deep.equal(expected)
      await database.pool.query('TRUNCATE t')
    }
    const words = ['load', '-', '-t', 't', '--batch-size', '100', '--workers', '2']
    const piped = await run(words, env(), csv(900))
    expect(piped.status, piped.stderr).to.equal(0)
    expect(await stored()).to.deep.equal(expected)
  })

  it('loads no rows', async () => {
    const { status, stdout } = await load(await file('none.csv', 'id,price,note\n'), '--workers', '2')
    expect(stdout).to.match(/^t: 0 rows committed/)
    expect(status).to.equal(0)
  })

  it('fails at a bad row with the message of one thread', async () => {
    const path = await file('bad.csv', csv(1000).replace('\n777,', '\nx777,'))
    const one = await load(path, '--workers', '1')
    const two = await load(path, '--workers', '3')
    const withoutCount = ({ stderr }: { stderr: string }) => stderr.replace(/; [^;]* committed\n$/, '')
    expect(withoutCount(two)).to.equal(withoutCount(one))
    expect(withoutCount(two)).to.match(/bad\.csv: row 777 \(line \d+\): not a valid integer for "id"/)
    expect(two.status).to.equal(1)
  })

  it('fails at a malformed record after the rows before it', async () => {
    const path = await file('open.csv', csv(500).replace('\n450,', '\n450,1,"a"b\n451,'))
    const { status, stderr } = await load(path, '--workers', '2')
    expect(stderr).to.match(/line \d+ has text after a closing quote/)
    expect(status).to.equal(1)
  })

  it('counts repairs as one thread does', async () => {
    const path = await file('lenient.csv', csv(500).replace('342.5,plain', '342.5,6" pipe'))
    const one = await load(path, '--workers', '1', '--lenient')
    const two = await load(path, '--workers', '2', '--lenient')
    expect(two.stderr).to.equal(one.stderr)
    expect((await stored()).rows).to.be.greaterThan(500)
  })

  it('makes a table, and checks each value against its types', async () => {
    const path = await file('made.csv', csv(1500).replace('\n1200,', '\nlate,'))
    const words = ['--create', '--workers', '2', '--reject-limit', '1', '--batch-size', '100']
    const { status, stdout, stderr } = await run(['load', path, '-t', 'made', ...words], env())
    expect(status, stderr).to.equal(0)
    expect(stdout).to.match(/^made: 1,499 rows committed in 15 batches, 1 rejected/)
  })

  it('reports commits and rejected rows while it runs, and the counts at the end', async () => {
    await database.pool.query('ALTER TABLE t ADD CHECK (id <> 55)')
    const path = await file('log.csv', csv(1000))
    const { stderr } = await load(path, '--workers', '2', '--reject-limit', '1', '--log', 'json')
    const events = stderr
      .trim()
      .split('\n')
      .map(each => JSON.parse(each))
    expect(events.find(({ event }) => event === 'reject')).to.include({ row: 55, code: '23514' })
    expect(events.at(-1)).to.include({
      ...{ event: 'end', outcome: 'done', rowsRead: 1000, rowsCommitted: 999, rowsRejected: 1 },
      batches: 10,
    })
  })

  it('writes again what a broken connection has rolled back', async () => {
    const lock = await database.pool.connect()
    await lock.query('BEGIN; LOCK TABLE t IN EXCLUSIVE MODE')
    const path = await file('broken.csv', csv(1500))
    const running = start(['load', path, '-t', 't', '--batch-size', '100', '--workers', '2'], env())
    const waiting = `datname = current_database() AND application_name = 'pg-batch'
      AND wait_event_type = 'Lock'`
    for (let count = 0; count < 2 && running.process.exitCode === null; await delay(10)) {
      const found = await database.pool.query(
        `SELECT count(*)::int AS n FROM pg_stat_activity WHERE ${waiting}`,
      )
      count = found.rows[0].n
    }
    const ended = await database.pool.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE ${waiting} LIMIT 1`,
    )
    expect(ended.rowCount).to.equal(1)
    await lock.query('COMMIT')
    lock.release()
    const { status, stderr } = await running.ended
    expect(stderr).to.match(/^t: .*trying again in/)
    expect(status).to.equal(0)
    expect(await stored()).to.include({ rows: 1500, distinct: 1500 })
  })

  it('commits the rows that were read at Ctrl-C', async () => {
    const lock = await database.pool.connect()
    await lock.query('BEGIN; LOCK TABLE t IN EXCLUSIVE MODE')
    const running = start(['load', '-', '-t', 't', '--batch-size', '100', '--workers', '2'], env())
    running.process.stdin!.write(csv(1000))
    const { rows: none } = await database.pool.query('SELECT 0 AS n')
    for (let count = none[0].n; count === 0 && running.process.exitCode === null; await delay(10)) {
      const found = await database.pool.query(
        `SELECT count(*)::int AS n FROM pg_stat_activity
         WHERE datname = current_database() AND wait_event_type = 'Lock'`,
      )
      count = found.rows[0].n
    }
    running.process.kill('SIGINT')
    await new Promise(resolve =>
      running.process.stderr!.on('data', text => /Stopping/.test(text) && resolve(0)),
    )
    await lock.query('COMMIT')
    lock.release()
    const { status, stderr } = await running.ended
    const said = Number(/interrupted; ([\d,]+) rows committed/.exec(stderr)![1]!.replaceAll(',', ''))
    expect(status).to.equal(130)
    expect(said).to.be.greaterThan(0)
    expect(await stored()).to.include({ rows: said, distinct: said })
  })

  it('says that one thread writes what workers cannot', async () => {
    const json = await file('rows.ndjson', '{"id":1}\n{"id":2}\n')
    const { status, stdout, stderr } = await load(json, '--workers', '2')
    expect(stderr).to.equal(
      '--workers: one thread writes, since workers read records of CSV, and these rows are ndjson\n',
    )
    expect(stdout).to.match(/^t: 2 rows committed/)
    expect(status).to.equal(0)
  })

  it('has batches of one thread where one thread writes', async () => {
    const lines = Array.from({ length: 7000 }, (_, index) => `{"id":${index + 1}}\n`)
    const path = await file('many.ndjson', lines.join(''))
    const { stdout } = await run(['load', path, '-t', 't', '--workers', '2'], env())
    expect(stdout).to.match(/^t: 7,000 rows committed in 2 batches, /)
  })

  const mistakes: [words: string[], line: RegExp][] = [
    [['--concurrency', '2'], /--workers and --concurrency contradict each other/],
    [['--single-transaction'], /--single-transaction writes on one connection; leave out --workers/],
    [['--replace'], /--replace writes on one connection; leave out --workers/],
  ]
  for (const [words, line] of mistakes) {
    it(`refuses ${words[0]} beside it`, async () => {
      const { status, stderr } = await load('rows.csv', '--workers', '2', ...words)
      expect(stderr).to.match(line)
      expect(status).to.equal(2)
    })
  }
})
