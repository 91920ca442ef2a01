import { execFileSync, spawnSync } from 'node:child_process'
import { chmod, mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { expect } from 'chai'
import pg from 'pg'
import { EmbeddedServerFailed } from '../../../../lib/embedded/embedded-errors.ts'
import { freePort, startEmbeddedServer } from '../../../../lib/embedded/embedded-server.ts'
import { type Running, run, start } from '../support.ts'

describe('pg-batch --embedded', () => {
  let folder: string
  const env = () => ({ PG_BATCH_DATA: folder })
  const dataDir = async () =>
    join(folder, (await readdir(folder)).find(name => /^postgresql-\d+$/.test(name))!)
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'pg-batch-data-'))
    await chmod(folder, 0o755) // as root the server runs as the user postgres
  })
  after(() => rm(folder, { recursive: true, force: true }))

  /** `pg-batch server`, once it has printed how to reach it. */
  async function startServer(): Promise<Running & { url: string; said(): string }> {
    const running = start(['server', '--port', String(await freePort())], env())
    let text = ''
    const url = await new Promise<string>((resolve, reject) => {
      running.process.stdout!.on('data', chunk => {
        text += chunk
        const match = /(postgres:\/\/\S+)[\s\S]*Ctrl-C stops the server/.exec(text)
        if (match) resolve(match[1]!)
      })
      running.ended.then(({ stderr }) => reject(new Error(stderr)))
    })
    return { ...running, url, said: () => text }
  }

  async function query(url: string, sql: string) {
    const client = new pg.Client({ connectionString: url })
    await client.connect()
    try {
      return (await client.query(sql)).rows
    } finally {
      await client.end()
    }
  }

  it('starts its own server, prints where its data is, and stops it', async function () {
    this.timeout(60_000)
    const ended = await run(['load', '-', '-t', 'orders', '--embedded'], env(), 'id\n1\n')
    expect(ended.stderr).to.match(/^Using the embedded PostgreSQL, started for this load\.\n/)
    expect(ended.stderr).to.match(
      new RegExp(`Its data: ${folder}/postgresql-\\d+\\. To look at it: pg-batch server\n`),
    )
    expect(ended.stderr).to.match(
      /the table "orders" does not exist in the embedded PostgreSQL, which has no tables yet; load --create makes it\n$/,
    )
    expect(ended.status).to.equal(1)
  })

  it('is not used without the option: with no database named the command ends with status 2 before it reads', async () => {
    for (const database of [{}, { DATABASE_URL: '' }]) {
      const running = start(['load', '-', '-t', 'orders'], { ...env(), ...database }) // whose input never comes
      const { status, stdout, stderr } = await running.ended
      expect(stderr).to.match(
        /^pg-batch: no database is named: set DATABASE_URL, .*--database.*--embedded[^\n]*\n$/,
      )
      expect({ status, stdout }).to.deep.equal({ status: 2, stdout: '' })
    }
    const both = await run(['load', '-', '-t', 't', '--embedded', '-d', 'postgres://h/d'], env())
    expect(both.stderr).to.equal('pg-batch: --embedded and --database contradict each other\n')
    expect(both.status).to.equal(2)
  })

  it('uses the server that `pg-batch server` runs, and keeps its data', async function () {
    this.timeout(60_000)
    const first = await startServer()
    await query(first.url, 'CREATE TABLE orders (id bigint PRIMARY KEY, total numeric)')
    const loaded = await run(['load', '-', '-t', 'orders', '--embedded'], env(), 'id,total\n1,0.10\n2,\n')
    expect(loaded.stderr).to.match(/which is running/)
    expect(loaded.stdout).to.match(/^orders: 2 rows committed in 1 batch/)
    expect((await run(['server'], env())).stdout).to.match(
      /^The embedded PostgreSQL is running already\. Clients connect with this URL:\n/,
    )
    first.process.kill('SIGINT')
    expect(await first.ended).to.include({ status: 0, stderr: 'Stopped.\n' })

    const alone = await run(['load', '-', '-t', 'orders', '--embedded'], env(), 'id\n3\n')
    expect(alone.status).to.equal(0)

    const second = await startServer()
    expect(await query(second.url, 'SELECT id, total FROM orders ORDER BY id')).to.deep.equal([
      { id: '1', total: '0.10' },
      { id: '2', total: null },
      { id: '3', total: null },
    ])
    second.process.kill('SIGTERM')
    expect((await second.ended).status).to.equal(0)
  })

  for (const pauseMs of [0, 150]) {
    it(`loads that start it for the first time, ${pauseMs} ms apart, share it`, async function () {
      this.timeout(120_000)
      const shared = { PG_BATCH_DATA: join(folder, `shared-${pauseMs}`) }
      const load = async (table: string, startMs: number) => {
        await delay(startMs)
        const running = start(['load', '-', '-t', table, '--create', '--embedded'], shared)
        running.process.stdin!.end('id\n1\n2\n')
        return running.ended
      }
      const loads = ['first', 'second', 'third', 'fourth'].map((table, i) => load(table, i * pauseMs))
      for (const ended of await Promise.all(loads)) {
        expect(ended.status, ended.stderr).to.equal(0)
        expect(ended.stdout).to.match(/: 2 rows committed/)
      }
      const names = await readdir(shared.PG_BATCH_DATA)
      expect(names.filter(name => name.includes('.new-'))).to.deep.equal([])
    })
  }

  it('does not start on data that another server has, and says so', async function () {
    this.timeout(60_000)
    const running = await startServer()
    const again = await startEmbeddedServer({ dataDir: await dataDir() }).catch(error => error)
    expect(again).to.be.instanceOf(EmbeddedServerFailed)
    expect(again.message).to.match(/did not start: .*FATAL: {2}lock file "postmaster.pid" already exists$/)
    running.process.kill('SIGINT')
    await running.ended
  })

  describe('has data that only its owner can reach:', () => {
    const passwordFile = async () => join(await dataDir(), 'pg-batch.password')

    it('each data directory has its own password, which no other user can read', async function () {
      this.timeout(60_000)
      const running = await startServer()
      const url = new URL(running.url)
      expect(url.password).to.match(/^[\w-]{32}$/)
      for (const guess of ['postgres', 'password', '', url.password.slice(1)]) {
        const other = new URL(url)
        other.password = guess
        const error = await query(other.href, 'SELECT 1').catch(error => error)
        expect(`${error.code} ${error.message}`).to.match(/^28P01|password must be/)
      }
      const path = await passwordFile()
      expect((await stat(path)).mode & 0o777).to.equal(0o600)
      expect(await readFile(path, 'utf8')).to.equal(`127.0.0.1:*:*:postgres:${url.password}\n`)
      // the words to copy name the file, and not the password, which others would see among the processes
      expect(running.said()).to.contain(`PGPASSFILE=${path} psql postgres://postgres@127.0.0.1:`)
      expect(await query(running.url, 'SHOW unix_socket_directories')).to.deep.equal([
        { unix_socket_directories: '' },
      ])
      if (process.getuid?.() === 0) {
        // only root can become another user; the file's mode was looked at above
        const ids = (flag: string) => Number(execFileSync('id', [flag, 'nobody'], { encoding: 'utf8' }))
        const nobody = { uid: ids('-u'), gid: ids('-g'), encoding: 'utf8' } as const
        expect(spawnSync('cat', [path], nobody).stderr).to.match(/Permission denied/)
        expect(spawnSync('ls', [await dataDir()], nobody).stderr).to.match(/Permission denied/)
      }
      running.process.kill('SIGINT')
      await running.ended
    })

    it('the password of deleted data is not used again', async function () {
      this.timeout(60_000)
      await run(['load', '-', '-t', 't', '--embedded'], env(), 'id\n1\n')
      const path = await passwordFile()
      const before = await readFile(path, 'utf8')
      await rm(await dataDir(), { recursive: true })
      const words = ['load', '-', '-t', 't', '--create', '--embedded']
      expect((await run(words, env(), 'id\n1\n')).status).to.equal(0)
      expect(await readFile(path, 'utf8')).not.to.equal(before)
    })

    it('data without a password keeps its rows and gets a new password', async function () {
      this.timeout(60_000)
      const first = await startServer()
      await query(first.url, "CREATE TABLE old AS SELECT 1 AS id; ALTER ROLE postgres PASSWORD 'postgres'")
      first.process.kill('SIGINT')
      await first.ended
      await rm(await passwordFile())

      const loaded = await run(['load', '-', '-t', 'old', '--embedded'], env(), 'id\n2\n')
      expect(loaded.status).to.equal(0)
      const second = await startServer()
      expect(new URL(second.url).password).not.to.equal('postgres')
      expect(await query(second.url, 'SELECT id FROM old ORDER BY id')).to.deep.equal([{ id: 1 }, { id: 2 }])
      const former = new URL(second.url)
      former.password = 'postgres'
      expect(await query(former.href, 'SELECT 1').catch(error => error.code)).to.equal('28P01')
      second.process.kill('SIGINT')
      await second.ended
    })
  })
})
