import { randomBytes } from 'node:crypto'
import { createServer, Socket } from 'node:net'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { inspect } from 'node:util'
import { expect } from 'chai'
import sinon from 'sinon'
import { PgBatchWritable } from '../../../lib/writable/pg-batch-writable.ts'
import { aroundThePooler } from '../../support/servers/around-pooler.ts'
import { useDatabase } from '../../support/servers/database.ts'
import { connectionStringNamed, sessions } from '../../support/servers/pools.ts'
import { settlesWithin, until } from '../../support/until.ts'
import { countOf, failureOf, rowsOf, write } from '../../support/writing.ts'

describe('a stream with a connectionString', () => {
  const db = useDatabase()
  let name: string
  let connectionString: string

  beforeEach(async () => {
    name = `own_${randomBytes(6).toString('hex')}`
    connectionString = connectionStringNamed(db, name)
    await db.pool.query('DROP TABLE IF EXISTS t; CREATE TABLE t (id int PRIMARY KEY)')
  })

  const untilGone = () => until('its sessions are gone', async () => (await sessions(db, name)) === 0)

  it('ends its pool when all is written', async () => {
    const batches = rowsOf(10, batch => rowsOf(100, id => ({ id }), batch * 100))
    await write(batches, { retry: false, connectionString, table: 't', concurrency: 3 })
    await untilGone()
    expect(await countOf(db.pool, 't')).to.equal(1000)
  })

  it('opens no connection before its first write', async () => {
    const writable = new PgBatchWritable({ retry: false, connectionString, table: 't' })
    expect(await sessions(db, name)).to.equal(0)
    writable.destroy()
    await until('closed', () => writable.closed)
  })

  it('has TCP notice a host that has disappeared, unless keepalives are switched off', async () => {
    const url = (settings: object) => {
      const changed = new URL(connectionString)
      for (const [key, value] of Object.entries(settings)) changed.searchParams.set(key, value)
      return changed.href
    }
    for (const [settings, expected] of [
      [{}, [[true, 60_000]]],
      [{ keepalives_idle: '10' }, [[true, 10_000]]],
      [{ keepalives: '0' }, []],
    ] as const) {
      const calls = sinon.stub(Socket.prototype, 'setKeepAlive').returnsThis()
      try {
        await write([[]], { retry: false, connectionString: url(settings), table: 't' })
        expect(calls.args).to.deep.equal(expected)
      } finally {
        calls.restore()
      }
    }
  })

  it('ends its pool when a row is refused', async () => {
    await failureOf(write([[{ id: 1 }], [{ id: 1 }]], { retry: false, connectionString, table: 't' }))
    await untilGone()
    expect(await countOf(db.pool, 't')).to.equal(1)
  })

  it('ends its pool when it is destroyed midway', async () => {
    const writable = new PgBatchWritable({ retry: false, connectionString, table: 't', concurrency: 2 })
    async function* endless() {
      for (let id = 0; ; id++) yield [{ id }]
    }
    const done = pipeline(Readable.from(endless()), writable)
    done.catch(() => {})
    await until('commits', () => writable.stats.transactions > 2)
    writable.destroy()
    await until('closed', () => writable.closed, 1000)
    await untilGone()
    expect(await countOf(db.pool, 't')).to.equal(writable.stats.rowsCommitted)
  })

  const WRONG: readonly [what: string, change: (url: URL) => void, sqlState?: string][] = [
    [
      'password',
      url => {
        url.password = 'hunter2'
      },
      '28P01',
    ],
    [
      'database',
      url => {
        url.pathname = '/no_such_database'
      },
      '3D000',
    ],
    [
      'port',
      url => {
        url.port = '1'
      },
    ],
  ]
  for (const [what, change, sqlState] of WRONG) {
    it(`fails with CONNECTION within a second for a wrong ${what}, without the password`, async () => {
      const role = `login_${randomBytes(4).toString('hex')}`
      await db.pool.query(`CREATE ROLE ${role} LOGIN PASSWORD 'swordfish'`)
      try {
        const url = new URL(aroundThePooler(db, 'a wrong login'))
        url.username = role
        url.password = 'swordfish'
        change(url)
        const options = { retry: false, connectionString: url.href, table: 't' } as const
        const error = await failureOf(settlesWithin(1000, write([[{ id: 1 }]], options)))
        expect(error).to.include({ code: 'CONNECTION', outcome: 'not-sent' })
        expect(error.sqlState).to.equal(sqlState)
        expect(`${error.message} ${inspect(error)}`).not.to.match(/hunter2|swordfish/)
      } finally {
        await db.pool.query(`DROP ROLE ${role}`)
      }
    })
  }

  describe('checks it when the stream is constructed, and', () => {
    const made = (text: string) => () => new PgBatchWritable({ connectionString: text, table: 't' })

    it('refuses what is not a URL, without quoting it', () => {
      expect(made('postgres://u:hunter2@h:port/d'))
        .to.throw(TypeError, /^Expected `connectionString` to look like postgres:/)
        .with.property('message')
        .that.does.not.contain('hunter2')
    })

    it('refuses unknown parameters and those of security that cannot be honoured', () => {
      expect(made('postgres://h/d?sslmod=verify-full')).to.throw(
        TypeError,
        '`connectionString` has an unknown parameter "sslmod"; did you mean sslmode',
      )
      expect(made('postgres://h/d?gssencmode=require')).to.throw(
        TypeError,
        'gssencmode of `connectionString` cannot be honoured',
      )
      process.env.PGREQUIREAUTH = 'scram-sha-256'
      try {
        expect(made('postgres://h/d')).to.throw(TypeError, 'PGREQUIREAUTH cannot be honoured')
        expect(() => new PgBatchWritable({ pool: db.pool, table: 't' })).not.to.throw()
      } finally {
        delete process.env.PGREQUIREAUTH
      }
    })

    it("warns once of other libraries' parameters, by name, and writes", async () => {
      const warnings: (Error & { code?: string })[] = []
      const onWarning = (warning: Error) => warnings.push(warning)
      process.on('warning', onWarning)
      try {
        const url = new URL(connectionString)
        url.searchParams.set('pgbouncer', 'true')
        await write([[{ id: 1 }]], { retry: false, connectionString: url.href, table: 't' })
        await write([[{ id: 2 }]], { retry: false, connectionString: url.href, table: 't' })
      } finally {
        process.off('warning', onWarning)
      }
      expect(warnings.map(({ code, message }) => [code, message])).to.deep.equal([
        ['PG_BATCH_PARAMETER_IGNORED', "`connectionString`: ignored, as another library's: pgbouncer"],
      ])
      expect(await countOf(db.pool, 't')).to.equal(2)
    })
  })

  it('closes within a second of destroy() while a server takes the connection and never answers', async () => {
    const sockets: Socket[] = []
    const mute = createServer(socket => sockets.push(socket.on('error', () => {})))
    await new Promise<void>(resolve => mute.listen(0, '127.0.0.1', resolve))
    try {
      const { port } = mute.address() as { port: number }
      const writable = new PgBatchWritable({
        retry: false,
        connectionString: `postgres://u:p@127.0.0.1:${port}/d`,
        table: 't',
      })
      writable.on('error', () => {})
      writable.write([{ id: 1 }])
      await until('the stream connects', () => sockets.length > 0)
      writable.destroy()
      await until('closed', () => writable.closed, 1000)
    } finally {
      for (const socket of sockets) socket.destroy()
      mute.close()
    }
  })
})
