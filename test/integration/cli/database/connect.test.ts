import { once } from 'node:events'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { expect } from 'chai'
import { useFolder } from '../../../support/folder.ts'
import { useDatabase } from '../../../support/servers/database.ts'
import { type Ended, run, start } from '../support.ts'

describe('pg-batch load, while it connects,', () => {
  const database = useDatabase()
  const file = useFolder()
  const words = ['load', '-', '-t', 't']
  beforeEach(() =>
    database.pool.query('DROP TABLE IF EXISTS t; CREATE TABLE t (id int, at timestamptz, day date)'),
  )

  const load = (url: string, env: NodeJS.ProcessEnv = {}, input = 'id\n1\n'): Promise<Ended> =>
    run([...words, '-d', url], env, input)

  async function stored(): Promise<unknown[]> {
    return (await database.pool.query('SELECT id, at, day::text FROM t')).rows
  }

  describe('to a peer that is not PostgreSQL,', () => {
    const servers: Server[] = []
    const sockets = new Set<Socket>()
    afterEach(async () => {
      for (const socket of sockets) socket.destroy()
      for (const server of servers.splice(0)) await new Promise(resolve => server.close(resolve))
    })

    async function peer(answer: (socket: Socket) => void): Promise<{ url: string; server: Server }> {
      const server = createServer(socket => {
        sockets.add(socket.on('error', () => {}))
        answer(socket)
      })
      servers.push(server)
      await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
      const { port } = server.address() as AddressInfo
      return { url: `postgres://me:secret@127.0.0.1:${port}/shop`, server }
    }

    const oneLine = /^pg-batch: cannot connect to database "shop" on 127\.0\.0\.1:\d+: [^\n]+\n$/

    it('reports in one line that the peer closes the connection', async () => {
      const { url } = await peer(socket => socket.destroy())
      const { status, stderr } = await load(url)
      expect(stderr).to.match(oneLine).and.not.contain('secret')
      expect(status).to.equal(1)
    })

    it('reports in one line that the peer does not answer in time', async () => {
      const { url } = await peer(() => {})
      for (const [timed, env] of [
        [`${url}?connect_timeout=1`, {}],
        [url, { PGCONNECT_TIMEOUT: '1' }],
      ] as const) {
        const { status, stderr } = await load(timed, env)
        expect(stderr).to.match(oneLine).and.contain('it did not answer within 1 s')
        expect(status).to.equal(1)
      }
    })

    it('reports that a password is missing', async () => {
      const answers = ['R\0\0\0\x17\0\0\0\x0aSCRAM-SHA-256\0\0', 'R\0\0\0\x0f\0\0\0\x0br=1,s=1']
      const { url } = await peer(socket =>
        socket.on('data', () => socket.write(answers.shift() ?? '', 'latin1')),
      )
      const { stderr } = await load(url.replace(':secret', ''), { PGPASSWORD: '', PGPASSFILE: '/dev/null' })
      expect(stderr).to.match(oneLine)
      expect(stderr).to.contain('it asks for a password, and none is given; set PGPASSWORD')
    })

    it('reports what is wrong with the file without waiting for the peer', async () => {
      let connections = 0
      const closed: Promise<unknown>[] = []
      const { url } = await peer(socket => {
        connections++
        closed.push(once(socket.resume(), 'close'))
      })
      const path = await file('twice.csv', 'id,id\n1,2\n')
      const { status, stderr } = await run(['load', path, '-t', 't', '-d', url])
      expect(stderr).to.match(/^pg-batch: .*twice\.csv: the header names "id" twice/)
      expect(status).to.equal(1)
      expect(connections).to.equal(1)
      await Promise.all(closed)
    })

    for (const [signal, expected] of [
      ['SIGINT', 130],
      ['SIGTERM', 143],
    ] as const) {
      it(`ends at ${signal} without waiting for the peer`, async () => {
        const { url, server } = await peer(() => {})
        const running = start([...words, '-d', url], {}, 'id\n1\n')
        await once(server, 'connection')
        running.process.kill(signal)
        const { status, stderr } = await running.ended
        expect(stderr).to.match(/^pg-batch: interrupted while connecting to database "shop" on [^\n]+\n$/)
        expect(status).to.equal(expected)
      })
    }
  })

  it('reports an interruption before the start as an event with --log json', async () => {
    const silent = createServer(() => {})
    await once(silent.listen(0, '127.0.0.1'), 'listening')
    const { port } = silent.address() as AddressInfo
    const running = start(
      [...words, '--log', 'json', '-d', `postgres://127.0.0.1:${port}/shop`],
      {},
      'id\n1\n',
    )
    await once(silent, 'connection')
    running.process.kill('SIGTERM')
    const { status, stderr } = await running.ended
    silent.close()
    expect(JSON.parse(stderr)).to.include({ event: 'end', outcome: 'interrupted', status: 143 })
    expect(status).to.equal(143)
  })

  for (const [title, url, message] of [
    [
      'no server listens',
      'postgres://me@127.0.0.1:1/shop',
      'database "shop" on 127.0.0.1:1: connect ECONNREFUSED 127.0.0.1:1; ' +
        'no server listens there: check the host and the port',
    ],
    [
      'a folder has no socket',
      'postgres://me@%2Fnowhere/shop',
      'database "shop" on /nowhere:5432: connect ENOENT /nowhere/.s.PGSQL.5432; ' +
        'no server has its socket there: check the folder and the port',
    ],
  ] as const) {
    it(`reports in one line that ${title}, and what to check`, async () => {
      const { status, stderr } = await load(url)
      expect({ status, stderr }).to.deep.equal({
        status: 1,
        stderr: `pg-batch: cannot connect to ${message}\n`,
      })
    })
  }

  it('reports in one line that the database does not exist, and how to see those that do', async () => {
    const url = new URL(database.connectionString)
    url.pathname = '/shpo'
    const { status, stderr } = await load(url.href)
    const reason = 'database "shpo" does not exist; check its name; psql --list shows the databases'
    expect(stderr).to.match(new RegExp(`^pg-batch: cannot connect to .*: ${reason}\\n$`))
    expect(status).to.equal(1)
  })

  it('reports in one line that the server has no TLS', async () => {
    const { status, stderr } = await load(`${database.connectionString}?sslmode=no-verify`)
    const reason = 'The server does not support SSL connections; sslmode=disable connects without it'
    expect(stderr).to.match(new RegExp(`^pg-batch: cannot connect to .*: ${reason}\\n$`))
    expect(status).to.equal(1)
  })

  it('reports a wrong setting in one line, with status 2', async () => {
    const url = database.connectionString
    for (const [named, env, message] of [
      ['', { DATABASE_URL: url }, /Expected --database to look like .* got nothing/],
      ['postgres://', { DATABASE_URL: url }, /Expected --database to look like/],
      [`${url}?sslmode=bogus`, {}, /Expected sslmode of --database/],
      [`${url}?port=99999`, {}, /Expected the port of --database/],
      [
        `${url}?sslmod=verify-full`,
        {},
        /--database has an unknown parameter "sslmod"; did you mean sslmode\?/,
      ],
      [`${url}?gssencmode=require`, {}, /gssencmode of --database cannot be honoured/],
      [`${url}?channel_binding=require`, {}, /Expected sslmode with channel_binding/],
      [url, { PGREQUIREAUTH: 'scram-sha-256' }, /PGREQUIREAUTH cannot be honoured/],
      [url, { PGSSLCRL: '/crl.pem' }, /PGSSLCRL cannot be honoured/],
      [
        url.replace('@', '/@'),
        {},
        /percent-encode these characters of a user or a password: @ is %40, \/ is %2F, /,
      ],
    ] as const) {
      const { status, stderr } = await load(named, env)
      expect(stderr)
        .to.match(message)
        .and.match(/^pg-batch: [^\n]+\n$/)
      expect(status).to.equal(2)
    }
    for (const env of [{ PGPORT: 'abc' }, { PGHOST: '127.0.0.1', PGPORT: '99999' }, { PGSERVICE: 'shop' }]) {
      const { status, stderr } = await run(words, env, 'id\n1\n')
      expect(stderr).to.match(/^pg-batch: (Expected )?PG(PORT|SERVICE) [^\n]+\n$/)
      expect(status).to.equal(2)
    }
    expect(await stored()).to.deep.equal([])
  })

  it('names the parameters of other libraries that it ignores, unless --quiet', async () => {
    const url = `${database.connectionString}?schema=public&pgbouncer=true&connection_limit=1`
    expect(await load(url)).to.include({
      status: 0,
      stderr: "--database: ignored, as another library's: schema, pgbouncer, connection_limit\n",
    })
    const { status, stderr } = await run([...words, '--quiet'], { DATABASE_URL: url }, 'id\n2\n')
    expect({ status, stderr }).to.deep.equal({ status: 0, stderr: '' })
    expect(await stored()).to.have.length(2)
  })

  it('accepts a URL with its host in a parameter', async () => {
    const { hostname, port, username, password, pathname } = new URL(database.connectionString)
    const url = `postgres://${username}:${password}@${pathname}?host=${hostname}&port=${port}`
    expect(await load(url)).to.include({ status: 0, stderr: '' })
    expect(await stored()).to.deep.equal([{ id: 1, at: null, day: null }])
  })

  it('reads dates and times by PGTZ and PGDATESTYLE, like psql', async () => {
    const env = { PGTZ: 'America/New_York', PGDATESTYLE: 'ISO, DMY', PGOPTIONS: '-c extra_float_digits=1' }
    const input = 'id,at,day\n1,2026-01-05 10:00,01/02/2026\n'
    expect(await load(database.connectionString, env, input)).to.include({ status: 0, stderr: '' })
    expect(await stored()).to.deep.equal([{ id: 1, at: new Date('2026-01-05T15:00Z'), day: '2026-02-01' }])
  })
})
