import { type AddressInfo, connect, createServer } from 'node:net'
import { expect } from 'chai'
import { useFolder } from '../../../support/folder.ts'
import { FaultProxy } from '../../../support/network/proxy.ts'
import { useDatabase } from '../../../support/servers/database.ts'
import { until } from '../../../support/until.ts'
import { type Ended, run } from '../support.ts'

describe('pg-batch load, when its connection breaks before the first row,', function () {
  this.timeout(60_000)
  const database = useDatabase()
  const file = useFolder()
  let proxy: FaultProxy
  let path: string

  beforeEach(async () => {
    await database.pool.query(`
      DROP TABLE IF EXISTS made, t, pg_batch_resume, pg_batch_checkpoint;
      CREATE TABLE t (id int PRIMARY KEY, n text)`)
    proxy = await FaultProxy.start(Number(new URL(database.connectionString).port))
    path = await file('rows.csv', 'id,n\n1,a\n2,b\n')
  })
  afterEach(() => proxy.stop())

  const urlOf = (port: number): string =>
    Object.assign(new URL(database.connectionString), { hostname: '127.0.0.1', port }).href

  /** Loads, and breaks the connection once, at a statement that the server gets or does not get. */
  async function loadBroken(words: string, statement: RegExp, pass: number): Promise<Ended> {
    let fired = false
    proxy
      .arm({
        direction: 'up',
        at: ({ name, text }) => /^(Query|Parse)$/.test(name) && statement.test(text),
        pass,
        action: { do: 'cut' },
      })
      .then(() => {
        fired = true
      })
    const ended = await run(['load', path, ...words.split(' ')], { DATABASE_URL: urlOf(proxy.port) })
    expect(fired, `no statement was ${statement}: ${ended.stderr}`).to.equal(true)
    return ended
  }

  async function stored(table: string): Promise<number[]> {
    const { rows } = await database.pool.query(`SELECT id FROM ${table} ORDER BY id`)
    return rows.map(({ id }) => id)
  }

  for (const [words, statement] of [
    ['-t t', /WITH RECURSIVE target/],
    ['-t made --create', /WITH RECURSIVE target/],
    ['-t made --create', /CREATE TABLE "?made/],
    ['-t t --truncate', /TRUNCATE/],
    ['-t t --on-conflict id', /pg_index/],
    ['-t t --resume load', /to_regclass\('pg_batch_resume'\)/],
    ['-t t --resume load', /CREATE TABLE IF NOT EXISTS pg_batch_resume/],
    ['-t t --resume load', /INSERT INTO pg_batch_resume/],
    ['-t t --resume load', /FROM pg_batch_resume/],
    ['-t t --resume load', /UPDATE pg_batch_resume/],
    ['-t t --evolve --map n=other', /ALTER TABLE/],
  ] as const) {
    for (const [what, pass] of [
      ['does not get', 0],
      ['gets', 1],
    ] as const) {
      it(`tries again: ${words}, at ${statement}, which the server ${what}`, async () => {
        const table = words.includes('made') ? 'made' : 't'
        const { status, stderr } = await loadBroken(words, statement, pass)
        expect({ status, stderr }).to.have.property('status', 0)
        expect(stderr).to.match(
          new RegExp(`^${table}\\b.*; trying again in \\d\\.\\d s \\(attempt 2\\)$`, 'm'),
        )
        expect(stderr).not.to.contain(`${table}: ${table}`)
        expect(await stored(table)).to.deep.equal([1, 2])
      })
    }
  }

  it('tries again after a statement has failed, in a session that survives', async () => {
    const client = await database.pool.connect()
    try {
      await client.query('BEGIN; LOCK TABLE t')
      const loading = run(['load', path, '-t', 't', '--truncate'], {
        DATABASE_URL: database.connectionString,
        PGOPTIONS: '-c lock_timeout=200',
      })
      const blocked = `SELECT 1 FROM pg_locks WHERE NOT granted AND relation = 't'::regclass`
      await until('a statement that waits', async () => (await client.query(blocked)).rows.length > 0)
      await until('it has failed', async () => (await client.query(blocked)).rows.length === 0)
      await client.query('COMMIT')
      const { status, stderr } = await loading
      expect(stderr).to.match(
        /^t .*canceling statement due to lock timeout; trying again in .*\(attempt 2\)$/m,
      )
      expect(stderr).not.to.contain('current transaction is aborted')
      expect(status).to.equal(0)
      expect(await stored('t')).to.deep.equal([1, 2])
    } finally {
      client.release()
    }
  })

  it('fails at once in a session that may only read', async () => {
    const { status, stderr } = await run(['load', path, '-t', 'made', '--create'], {
      DATABASE_URL: database.connectionString,
      PGOPTIONS: '-c default_transaction_read_only=on',
    })
    expect(stderr).to.contain(
      'made cannot be created: cannot execute CREATE TABLE in a read-only transaction',
    )
    expect(stderr).not.to.contain('trying again')
    expect(status).to.equal(1)
  })

  it('tries again in a dry run, which leaves nothing', async () => {
    const { status, stdout } = await loadBroken('-t made --create --dry-run', /CREATE TABLE "?made/, 1)
    expect(status).to.equal(0)
    expect(stdout).to.contain('2 would be written')
    expect(await database.pool.query(`SELECT to_regclass('made') AS made`)).to.have.deep.property('rows', [
      { made: null },
    ])
  })

  for (const [words, done] of [
    ['-t made --create', 'created'],
    ['-t t --truncate', 'emptied'],
  ] as const) {
    it(`does not repeat a COMMIT whose answer is lost: ${words}`, async () => {
      const { status, stderr } = await loadBroken(words, /^COMMIT/, 1)
      expect(stderr).to.match(
        new RegExp(`may or may not have been ${done}: the connection broke during COMMIT`),
      )
      expect(stderr).not.to.contain('trying again')
      expect(status).to.equal(1)
    })
  }

  for (const [code, message] of [
    ['57P03', 'the database system is starting up'],
    ['57P01', 'terminating connection due to administrator command'],
    ['53300', 'sorry, too many clients already'],
  ] as const) {
    it(`connects again after SQLSTATE ${code}`, async () => {
      const fields = ['SFATAL', 'VFATAL', `C${code}`, `M${message}`].map(field => `${field}\0`).join('')
      const length = Buffer.alloc(4)
      length.writeInt32BE(fields.length + 5)
      const refusal = Buffer.concat([Buffer.from('E'), length, Buffer.from(`${fields}\0`)])
      let refused = 0
      const server = createServer(socket => {
        socket.on('error', () => {})
        if (refused++ < 2) socket.once('data', () => socket.end(refusal))
        else socket.pipe(connect(proxy.port, '127.0.0.1').on('error', () => {})).pipe(socket)
      })
      await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
      const { port } = server.address() as AddressInfo
      const { status, stderr } = await run(['load', path, '-t', 't'], { DATABASE_URL: urlOf(port) })
      server.close()
      expect(stderr).to.match(
        new RegExp(`^cannot connect to .*: ${message}; trying again in .*attempt 3`, 'm'),
      )
      expect(status).to.equal(0)
      expect(await stored('t')).to.deep.equal([1, 2])
    })
  }
})
