import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { expect } from 'chai'
import pg from 'pg'
import { HostsPool } from '../../../lib/connection/pool/hosts-pool.ts'
import { sessionFault } from '../../../lib/connection/pool/session-attrs.ts'
import { parseConnection } from '../../../lib/connection-string/parse-connection.ts'
import { type EmbeddedServer, freePort } from '../../../lib/embedded/embedded-server.ts'
import { useDatabase } from '../../support/servers/database.ts'
import { startMemoryServer } from '../../support/servers/memory-server.ts'
import { settlesWithin, until } from '../../support/until.ts'
import { countOf, failureOf, write } from '../../support/writing.ts'
import { run } from '../cli/support.ts'

describe('a connectionString of several hosts', () => {
  const db = useDatabase()
  /** As a standby would, it takes sessions that cannot write. */
  let readOnly: EmbeddedServer
  let host: string
  let login: string
  let live: string
  let dead: string
  let quiet: string
  const sockets: Socket[] = []
  const mute = createServer(socket => sockets.push(socket.on('error', () => {})))

  before(async function () {
    this.timeout(60_000)
    readOnly = await startMemoryServer({
      settings: ['default_transaction_read_only=on', 'max_connections=20'],
    })
    const { host: its, username, password } = new URL(db.directConnectionString)
    login = `${username}:${password}`
    live = its
    host = await prepareReadOnly()
    dead = `127.0.0.1:${await freePort()}`
    await once(mute.listen(0, '127.0.0.1'), 'listening')
    quiet = `127.0.0.1:${(mute.address() as AddressInfo).port}`
  })
  after(async () => {
    for (const socket of sockets) socket.destroy()
    mute.close()
    await readOnly?.stop()
  })
  beforeEach(() => db.pool.query('DROP TABLE IF EXISTS t; CREATE TABLE t (id int PRIMARY KEY)'))

  const url = (hosts: string[], query = '') => `postgres://${login}@${hosts.join(',')}/${db.name}?${query}`

  /** Both servers of a list are reached with one login, and by the same database. */
  async function prepareReadOnly(): Promise<string> {
    const client = new pg.Client({ connectionString: readOnly.connectionString })
    await client.connect()
    const [user, password] = login.split(':').map(decodeURIComponent)
    await client.query('SET default_transaction_read_only = off')
    await client.query(`ALTER ROLE ${user} PASSWORD '${password}'`)
    await client.query(`CREATE DATABASE ${db.name}`)
    await client.end()
    return `127.0.0.1:${readOnly.port}`
  }

  it('reaches the first that answers', async () => {
    const connectionString = url([dead, live])
    await write([[{ id: 1 }]], { retry: false, connectionString, table: 't' })
    await write([[{ id: 2 }]], { retry: false, connectionString: url([live, dead]), table: 't' })
    expect(await countOf(db.pool, 't')).to.equal(2)
  })

  it('gives up a silent one after connect_timeout', async () => {
    const connectionString = url([quiet, live], 'connect_timeout=1')
    await settlesWithin(5000, write([[{ id: 1 }]], { retry: false, connectionString, table: 't' }))
    expect(await countOf(db.pool, 't')).to.equal(1)
  })

  it('skips a read-only one, unless any will do', async () => {
    await write([[{ id: 1 }]], { retry: false, connectionString: url([host, live]), table: 't' })
    expect(await countOf(db.pool, 't')).to.equal(1)
    const wanted = async (attrs: string) => {
      const parameters = parseConnection(url([live, host], `target_session_attrs=${attrs}`), 'it', {})
      const pool = new HostsPool(parameters, { pg, max: 1, connectTimeoutMs: 5000 })
      try {
        const { rows } = await pool.query<{ port: string }>('SHOW port')
        return Number(rows[0]!.port) === readOnly.port ? 'read-only' : 'live'
      } finally {
        await pool.end()
      }
    }
    expect(await wanted('any')).to.equal('live')
    expect(await wanted('primary')).to.equal('live')
    expect(await wanted('read-only')).to.equal('read-only')
    expect(await wanted('prefer-standby')).to.equal('live') // neither is one
    const error = await wanted('standby').catch(error => error)
    expect(error.message).to.match(/^\S+: the server is not a standby; \S+: the server is not a standby$/)
  })

  it('fails with the error of each, retries while one may come back, and shows no password', async () => {
    const retries: number[] = []
    const options = {
      retry: { retries: 2, minDelayMs: 1, shouldRetry: () => retries.push(1) > 0 },
      connectionString: url([dead, host]),
      table: 't',
    }
    const error = await failureOf(write([[{ id: 1 }]], options))
    expect(error).to.include({ code: 'CONNECTION', outcome: 'not-sent' })
    expect(error.message)
      .to.contain(`${dead}: connect ECONNREFUSED`)
      .and.contain(`${host}: the session is read-only`)
    expect(error.message).not.to.contain(login.split(':')[1])
    expect(retries).to.have.length(2)
  })

  it('does not ask another one when a password is wrong', async () => {
    const [user] = login.split(':')
    const connectionString = `postgres://${user}:wrong@${live},${dead}/${db.name}`
    const error = await failureOf(write([[{ id: 1 }]], { retry: false, connectionString, table: 't' }))
    expect(error.sqlState).to.equal('28P01')
    expect(error.message).to.contain(`${live}: password authentication failed`)
  })

  it('begins with any of them with load_balance_hosts=random', async () => {
    const query = 'load_balance_hosts=random&target_session_attrs=any'
    const pool = new HostsPool(parseConnection(url([live, host], query), 'it', {}), {
      pg,
      max: 20,
      connectTimeoutMs: 5000,
    })
    const clients = await Promise.all(Array.from({ length: 16 }, () => pool.connect()))
    const ports = await Promise.all(
      clients.map(async client => (await client.query('SHOW port')).rows[0]!.port),
    )
    for (const client of clients) client.release()
    await pool.end()
    expect(new Set(ports)).to.have.length(2) // 16 times the same: once in 32,768 runs
  })

  it('counts who waits for a client, so that transactions may begin early', async () => {
    const parameters = parseConnection(url([dead, live]), 'a test', {})
    const pool = new HostsPool(parameters, { pg, max: 1, connectTimeoutMs: 10_000 })
    const first = await pool.connect()
    expect(pool.waitingCount).to.equal(0)
    const second = pool.connect()
    await until('the second call waits', () => pool.waitingCount === 1)
    first.release()
    ;(await second).release()
    expect(pool.waitingCount).to.equal(0)
    await pool.end()
  })

  it('is accepted by pg-batch as well, from --database, DATABASE_URL and PGHOST', async () => {
    const load = (args: string[], env: NodeJS.ProcessEnv, id: number) =>
      run(['load', '-', '-t', 't', ...args], env, `id\n${id}\n`)
    expect(await load(['-d', url([dead, host, live])], {}, 1)).to.include({ status: 0, stderr: '' })
    expect(await load([], { DATABASE_URL: url([dead, live]) }, 2)).to.include({ status: 0, stderr: '' })
    const [hosts, ports] = [0, 1].map(part => [dead, live].map(each => each.split(':')[part]).join(','))
    const [PGUSER, PGPASSWORD] = login.split(':')
    const env = { PGHOST: hosts, PGPORT: ports, PGUSER, PGPASSWORD, PGDATABASE: db.name }
    expect(await load([], env, 3)).to.include({ status: 0, stderr: '' })
    expect(await countOf(db.pool, 't')).to.equal(3)
    const { status, stderr } = await load(['-d', url([dead, host])], {}, 4)
    expect(status).to.equal(1)
    expect(stderr).to.match(
      /^pg-batch: cannot connect to database "\w+" on 127\S+, 127\S+: \S+: connect ECONNREFUSED \S+; \S+: the session is read-only\n$/,
    )
  })
})

describe('target_session_attrs', () => {
  const on = (standby: string, read_only: string) => ({
    query: async () => ({ rows: [{ standby, read_only }], rowCount: 1 }),
    release: () => {},
  })
  const KINDS = {
    primary: on('false', 'off'),
    readOnlyPrimary: on('false', 'on'),
    standby: on('true', 'off'),
  }
  const SUITED = {
    any: ['primary', 'readOnlyPrimary', 'standby'],
    'read-write': ['primary'],
    'read-only': ['readOnlyPrimary', 'standby'],
    primary: ['primary', 'readOnlyPrimary'],
    standby: ['standby'],
  } as const

  for (const [wanted, suited] of Object.entries(SUITED)) {
    it(`${wanted} is ${suited.join(' or ')}`, async () => {
      for (const [kind, client] of Object.entries(KINDS)) {
        const fault = await sessionFault(client, wanted as keyof typeof SUITED)
        expect(fault === undefined).to.equal((suited as readonly string[]).includes(kind))
      }
    })
  }
})
