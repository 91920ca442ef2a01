import { expect } from 'chai'
import { useFolder } from '../../../support/folder.ts'
import { FaultProxy } from '../../../support/network/proxy.ts'
import { useDatabase } from '../../../support/servers/database.ts'
import { until } from '../../../support/until.ts'
import { countOf, rowsOf, valuesOf } from '../../../support/writing.ts'
import { run, start } from '../support.ts'

const ROWS = 30_000

describe('pg-batch load --replace', () => {
  const database = useDatabase()
  const makeFile = useFolder()

  beforeEach(() =>
    database.pool.query(`
      DROP TABLE IF EXISTS t CASCADE;
      CREATE TABLE t (id int PRIMARY KEY, note text);
      INSERT INTO t SELECT n, 'old' FROM generate_series(1, ${ROWS}) n`),
  )

  const file = (count: number, note = 'new'): Promise<string> =>
    makeFile('rows.csv', `id,note\n${rowsOf(count, n => `${n + 1},${note}\n`).join('')}`)
  const load = (words: readonly string[], url = database.connectionString) =>
    run(['load', ...words, '-t', 't', '--replace'], { DATABASE_URL: url })
  const notes = () => valuesOf(database.pool, 'SELECT note, count(*)::int FROM t GROUP BY 1 ORDER BY 1')

  it('replaces all rows, and counts those that were there', async () => {
    const changed = await load([await file(20_000)])
    expect(changed.stdout).to.match(/^t: 20,000 rows committed in 4 batches, \d/)
    expect([changed.status, await notes()]).to.deep.equal([0, [['new', 20_000]]])
    const same = await load([await file(20_000)])
    expect(same.stdout).to.match(/^t: 0 rows committed in 4 batches, 20,000 unchanged/)
  })

  it('keeps the old rows when fewer than half would remain, unless that is allowed', async () => {
    const path = await file(14_999)
    const refused = await load([path])
    expect(refused.stderr).to.match(
      /t has 30,000 rows, and 14,999 would remain; if the file is complete, add --allow-shrink; nothing committed\n$/,
    )
    expect([refused.status, await notes()]).to.deep.equal([1, [['old', ROWS]]])
    const allowed = await load([path, '--allow-shrink'])
    expect([allowed.status, await notes()]).to.deep.equal([0, [['new', 14_999]]])
  })

  it('keeps the old rows when the file has none', async () => {
    const path = await file(0)
    const refused = await load([path])
    expect(refused.stderr).to.include('t has 30,000 rows, and none would remain; ')
    expect([refused.status, await countOf(database.pool, 't')]).to.deep.equal([1, ROWS])
    expect((await load([path, '--allow-shrink'])).status).to.equal(0)
    expect(await countOf(database.pool, 't')).to.equal(0)
  })

  it('reads its file again after the connection has broken', async () => {
    const proxy = await FaultProxy.start(Number(new URL(database.directConnectionString).port))
    try {
      const url = new URL(database.directConnectionString)
      Object.assign(url, { hostname: '127.0.0.1', port: String(proxy.port) })
      proxy.arm({ direction: 'up', afterBytes: 150_000, action: { do: 'reset' } })
      const { status, stderr } = await load([await file(ROWS)], url.href)
      expect(stderr).to.match(/nothing is committed; reading .* again from the first row\n/)
      expect([status, await notes()]).to.deep.equal([0, [['new', ROWS]]])
    } finally {
      await proxy.stop()
    }
  })

  it('leaves the old rows or the new ones, wherever it is killed', async () => {
    const [path, env] = [await file(ROWS), { DATABASE_URL: database.connectionString }]
    const sessions = "pg_stat_activity WHERE datname = current_database() AND application_name = 'pg-batch'"
    const points = [
      'true',
      "query LIKE '%COPY%'",
      "query LIKE '%LOCK%'",
      "query LIKE '%INSERT INTO%'",
      'false',
    ]
    for (const point of points) {
      await database.pool.query("UPDATE t SET note = 'old'")
      const running = start(['load', path, '-t', 't', '--replace'], env)
      const isOver = () => running.process.exitCode !== null
      await until(
        `it is at the point ${point}`,
        async () => isOver() || (await countOf(database.pool, `${sessions} AND ${point}`)) > 0,
      )
      running.process.kill('SIGKILL')
      await running.ended
      await until('the server has noticed', async () => (await countOf(database.pool, sessions)) === 0)
      const [[note, count], ...others] = (await notes()) as [[string, number]]
      expect([others, count]).to.deep.equal([[], ROWS])
      expect(note).to.be.oneOf(point === 'false' ? ['new'] : ['old', 'new'])
    }
  })

  it('shows in a dry run what it would do, and does nothing', async () => {
    const { status, stdout } = await load([await file(20_000), '--dry-run'])
    expect(stdout).to.include('t, replaced by these rows')
    expect([status, await notes()]).to.deep.equal([0, [['old', ROWS]]])
  })

  it('says which rows of another table are in the way', async () => {
    await database.pool.query(
      'CREATE TABLE child (t int REFERENCES t ON DELETE CASCADE); INSERT INTO child VALUES (29999)',
    )
    const { status, stderr } = await load([await file(20_000)])
    expect(stderr).to.match(/child still refers, by "child_t_fkey", to rows of .*"t" that the new data lacks/)
    expect([status, await countOf(database.pool, 'child')]).to.deep.equal([1, 1])
  })

  for (const [what, sql, rows, advice] of [
    ['a key that comes twice', '', '1,a\n1,b', /\(23505\); --rejects FILE keeps such rows/],
    ['another value that comes twice', 'ALTER TABLE t ADD UNIQUE (note)', '1,a\n2,a', /\(23505\); nothing/],
    [
      'a NULL',
      'ALTER TABLE t ALTER note SET NOT NULL',
      '1,a\n2,',
      /\(23502\).*; --rejects FILE finds the row/,
    ],
    [
      'a CHECK',
      "ALTER TABLE t ADD CHECK (note <> 'b')",
      '1,a\n2,b',
      /\(23514\); --rejects FILE finds the row/,
    ],
    [
      'rows that are referred to',
      'CREATE TABLE child (t int REFERENCES t); INSERT INTO child VALUES (5)',
      '1,a',
      /\((?:23503|23001)\); rows of "child" refer to rows that the new data lacks; nothing/,
    ],
    [
      'a partition',
      'CREATE TABLE root (LIKE t) PARTITION BY RANGE (id); ALTER TABLE root ATTACH PARTITION t FOR VALUES FROM (0) TO (9)',
      '1,a\n9,b',
      /\(23514\); nothing/,
    ],
  ] as const) {
    it(`gives advice that helps about ${what}`, async () => {
      await database.pool.query(
        `DROP TABLE IF EXISTS child, root; TRUNCATE t; INSERT INTO t VALUES (5, 'z'); ${sql}`,
      )
      const { status, stderr } = await load([await makeFile('few.csv', `id,note\n${rows}\n`)])
      expect(stderr).to.match(advice)
      expect([status, await notes()]).to.deep.equal([1, [['z', 1]]])
    })
  }

  for (const [words, message] of [
    [['--truncate'], /--truncate and --replace contradict each other/],
    [['--create'], /--create makes a new table; there is nothing to --replace/],
    [['--resume', 'x'], /with --replace it is all or none/],
    [['--on-conflict', 'id'], /--replace compares rows by the primary key/],
    [['--concurrency', '2'], /--replace writes on one connection/],
  ] as const) {
    it(`refuses ${words[0]} beside it`, async () => {
      const { status, stderr } = await load(['missing.csv', ...words])
      expect(stderr).to.match(message)
      expect(status).to.equal(2)
    })
  }
})
