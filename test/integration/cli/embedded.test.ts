import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import pg from 'pg'
import { type Running, run, start } from './support.ts'

describe('pg-batch --embedded', () => {
  let folder: string
  const env = () => ({ PG_BATCH_DATA: folder })
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'pg-batch-data-'))
    await chmod(folder, 0o755) // as root the server runs as the user postgres
  })
  after(() => rm(folder, { recursive: true, force: true }))

  /** `pg-batch server`, once it has printed how to reach it. */
  async function startServer(): Promise<Running & { url: string }> {
    const running = start(['server', '--port', '54399'], env())
    const url = await new Promise<string>((resolve, reject) => {
      let text = ''
      running.process.stdout!.on('data', chunk => {
        text += chunk
        const match = /(postgres:\/\/\S+)[\s\S]*Ctrl-C stops it/.exec(text)
        if (match) resolve(match[1]!)
      })
      running.ended.then(({ stderr }) => reject(new Error(stderr)))
    })
    return { ...running, url }
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

  it('starts a server of its own, says where its data lies, and stops it', async function () {
    this.timeout(60_000)
    const ended = await run(['load', '-', '-t', 'orders', '--embedded'], env(), 'id\n1\n')
    expect(ended.stderr).to.match(/^Using the embedded PostgreSQL, started for this load\.\n/)
    expect(ended.stderr).to.match(
      new RegExp(`Its data: ${folder}/postgresql-\\d+\\. To look at it: pg-batch server\n`),
    )
    expect(ended.stderr).to.match(
      /no table "orders" in the embedded PostgreSQL; there are no tables in it yet\n$/,
    )
    expect(ended.status).to.equal(1)
  })

  it('ends with status 2, before it reads the input, when it is not asked for and no database is named', async () => {
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

  it('uses the server that `pg-batch server` runs, whose data stays', async function () {
    this.timeout(60_000)
    const first = await startServer()
    await query(first.url, 'CREATE TABLE orders (id bigint PRIMARY KEY, total numeric)')
    const loaded = await run(['load', '-', '-t', 'orders', '--embedded'], env(), 'id,total\n1,0.10\n2,\n')
    expect(loaded.stderr).to.match(/which is running/)
    expect(loaded.stdout).to.match(/^orders: 2 rows committed in 1 batch/)
    expect((await run(['server'], env())).stdout).to.match(/^The embedded PostgreSQL is running already;/)
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
})
