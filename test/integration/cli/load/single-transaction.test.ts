import { expect } from 'chai'
import { useFolder } from '../../../support/folder.ts'
import { FaultProxy } from '../../../support/network/proxy.ts'
import { useDatabase } from '../../../support/servers/database.ts'
import { until } from '../../../support/until.ts'
import { countOf, rowsOf } from '../../../support/writing.ts'
import { run, start } from '../support.ts'

const ROWS = 60_000

describe('pg-batch load --single-transaction', () => {
  const database = useDatabase()
  const makeFile = useFolder()
  let proxy: FaultProxy

  beforeEach(async () => {
    await database.pool.query(`
      DROP TABLE IF EXISTS t;
      CREATE TABLE t (id int PRIMARY KEY, note text, parent int REFERENCES t DEFERRABLE)`)
    proxy = await FaultProxy.start(Number(new URL(database.directConnectionString).port))
  })
  afterEach(() => proxy.stop())

  const file = (lines: readonly string[]): Promise<string> =>
    makeFile('rows.csv', `id,note,parent\n${lines.join('\n')}\n`)
  const lines = (count = ROWS) => rowsOf(count, id => `${id},note ${id},`)
  const load = (words: readonly string[], input?: string) =>
    run([...words, '-t', 't', '--single-transaction'], { DATABASE_URL: database.connectionString }, input)
  const throughProxy = (): string => {
    const url = new URL(database.directConnectionString)
    Object.assign(url, { hostname: '127.0.0.1', port: String(proxy.port) })
    return url.href
  }

  it('commits all rows at once, rows that refer to later ones among them', async () => {
    const children = rowsOf(12_000, id => `${id},x,${id < 11_999 ? id + 1 : ''}`)
    const { status, stdout } = await load(['load', await file(children)])
    expect(stdout).to.match(/^t: 12,000 rows committed in 3 batches/)
    expect(status).to.equal(0)
    expect(await countOf(database.pool, 't WHERE parent IS NOT NULL')).to.equal(11_999)
  })

  it('leaves nothing when the last row is bad, and names it', async () => {
    const { status, stderr } = await load(['load', await file([...lines(12_000), '7,again,'])])
    expect(stderr).to.match(/rows\.csv: row 12,001 .*23505.*; nothing committed\n$/)
    expect(status).to.equal(1)
    expect(await countOf(database.pool, 't')).to.equal(0)
  })

  it('judges a share of rejected rows before COMMIT', async () => {
    const bad = [...lines(2000), ...rowsOf(300, id => `x${id},bad,`)]
    const path = await file(bad)
    const few = await load(['load', path, '--reject-limit', '10%'])
    expect(few.stderr).to.match(/300 of 2,300 rows rejected, more than 10%; nothing committed\n$/)
    expect([few.status, await countOf(database.pool, 't')]).to.deep.equal([1, 0])
    const many = await load(['load', path, '--reject-limit', '20%'])
    expect(many.stdout).to.match(/2,000 rows committed in 1 batch, 300 rejected/)
    expect(many.status).to.equal(0)
  })

  it('reads its file again after the connection has broken', async () => {
    const path = await file(lines())
    proxy.arm({ direction: 'up', afterBytes: 700_000, action: { do: 'reset' } })
    const { status, stdout, stderr } = await run(['load', path, '-t', 't', '--single-transaction'], {
      DATABASE_URL: throughProxy(),
    })
    expect(stderr).to.match(/^t: The connection failed.*; nothing is committed; reading .*rows\.csv again/)
    expect(stdout).to.match(/^t: 60,000 rows committed in 12 batches/)
    expect([status, await countOf(database.pool, 't')]).to.deep.equal([0, ROWS])
  })

  it('fails where it cannot read again, as from standard input', async () => {
    proxy.arm({ direction: 'up', afterBytes: 700_000, action: { do: 'reset' } })
    const words = ['load', '-', '-t', 't', '--single-transaction']
    const input = `id,note,parent\n${lines().join('\n')}\n`
    const { status, stderr } = await run(words, { DATABASE_URL: throughProxy() }, input)
    expect(stderr).to.match(/^pg-batch: .*The connection failed.*; nothing committed\n$/)
    expect([status, await countOf(database.pool, 't')]).to.deep.equal([1, 0])
  })

  it('leaves nothing after Ctrl-C', async () => {
    const running = start(['load', '-', '-t', 't', '--single-transaction', '--format', 'ndjson'], {
      DATABASE_URL: database.connectionString,
    })
    running.process.stdin!.write('{"id":1}\n{"id":2}\n')
    await until('the rows are sent', async () => {
      const copying = `pg_stat_activity WHERE datname = current_database() AND query LIKE '%COPY%FROM STDIN%'
        AND wait_event = 'ClientRead' AND pid <> pg_backend_pid()`
      return (await countOf(database.pool, copying)) > 0
    })
    running.process.kill('SIGINT')
    const { status, stderr } = await running.ended
    expect(stderr).to.equal(
      'Stopping: rolling back; Ctrl-C again stops at once.\n' +
        'pg-batch: t: interrupted; 0 rows committed\n',
    )
    expect([status, await countOf(database.pool, 't')]).to.deep.equal([130, 0])
  })

  for (const [words, message] of [
    [['--concurrency', '2'], /^pg-batch: --single-transaction writes on one connection; leave out/],
    [['--resume', 'x'], /^pg-batch: --resume continues after the rows that are committed; with --single-/],
  ] as const) {
    it(`refuses ${words[0]} beside it`, async () => {
      const { status, stderr } = await load(['load', 'missing.csv', ...words])
      expect(stderr).to.match(message)
      expect(status).to.equal(2)
    })
  }
})
