import { execFileSync } from 'node:child_process'
import { chown, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import pg from 'pg'
import type { EmbeddedServer } from '../../../lib/embedded/embedded-server.ts'
import { startMemoryServer } from '../../support/servers/memory-server.ts'
import { failureOf, write } from '../../support/writing.ts'
import { run } from '../cli/support.ts'

/**
 * A server with TLS, a certificate for "localhost" that no authority signed, and roles that log in in every
 * way.
 */
describe('a connectionString with TLS', function () {
  this.timeout(60_000)
  let folder: string
  let certificate: string
  let server: EmbeddedServer
  let admin: pg.Client

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'pg-batch-tls-'))
    certificate = join(folder, 'server.crt')
    const options = `req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -keyout ${join(folder, 'server.key')}`
    execFileSync(
      'openssl',
      [...options.split(' '), '-out', certificate, '-addext', 'subjectAltName=DNS:localhost'],
      {
        stdio: 'pipe',
      },
    )
    server = await startMemoryServer({ settings: ['max_connections=20'] })
    admin = new pg.Client({ connectionString: server.connectionString })
    await admin.connect()
    const hba = join(server.dataDir, 'pg_hba.conf')
    const rules = [
      'host all plain all password',
      'host all hashed all md5',
      'host all trusted all trust',
      'host all scram all scram-sha-256',
    ]
    await writeFile(hba, `${rules.join('\n')}\n${await readFile(hba, 'utf8')}`)
    const { uid, gid } = await stat(server.dataDir)
    for (const name of ['server.crt', 'server.key']) {
      const path = join(server.dataDir, name)
      await writeFile(path, await readFile(join(folder, name)), { mode: 0o600 })
      await chown(path, uid, gid)
    }
    await admin.query(`
      CREATE TABLE t (id int);
      CREATE ROLE plain LOGIN PASSWORD 'swordfish'; CREATE ROLE scram LOGIN PASSWORD 'swordfish';
      CREATE ROLE trusted LOGIN PASSWORD 'swordfish';
      SET password_encryption = 'md5'; CREATE ROLE hashed LOGIN PASSWORD 'swordfish';
      GRANT ALL ON t TO plain, scram, trusted, hashed`)
    await admin.query('ALTER SYSTEM SET ssl = on')
    await admin.query('SELECT pg_reload_conf()')
  })
  after(async () => {
    await admin?.end()
    await server?.stop()
    await rm(folder, { recursive: true, force: true })
  })
  beforeEach(() => admin.query('TRUNCATE t'))

  const url = (role: string, query: string, host = 'localhost') =>
    `postgres://${role}:swordfish@${host}:${server.port}/postgres?${query}`
  const load = (connectionString: string) =>
    write([[{ id: 1 }]], { retry: false, connectionString, table: 't' })
  const stored = async () => (await admin.query('SELECT count(*)::int AS n FROM t')).rows[0].n

  it('is bound to its channel by channel_binding=require', async () => {
    await load(url('scram', 'sslmode=no-verify&channel_binding=require'))
    await load(url('scram', 'sslmode=no-verify&channel_binding=prefer'))
    expect(await stored()).to.equal(2)
    const args = ['load', '-', '-t', 't', '-d', url('scram', 'sslmode=no-verify&channel_binding=require')]
    expect(await run(args, {}, 'id\n3\n')).to.include({ status: 0, stderr: '' })
  })

  for (const [role, why] of [
    ['plain', /asks for a password without channel binding/],
    ['hashed', /asks for a password without channel binding/],
    ['trusted', /asks for no password, and so proves nothing/],
  ] as const) {
    it(`with channel_binding=require ends where the role ${role} logs in without`, async () => {
      await load(url(role, 'sslmode=no-verify'))
      const error = await failureOf(load(url(role, 'sslmode=no-verify&channel_binding=require')))
      expect(error).to.include({ code: 'CONNECTION', outcome: 'not-sent' })
      expect(error.message)
        .to.match(/channel_binding=require: the server /)
        .and.match(why)
      const env = { PGCHANNELBINDING: 'require', DATABASE_URL: url(role, 'sslmode=no-verify') }
      const { status, stderr } = await run(['load', '-', '-t', 't'], env, 'id\n3\n')
      expect(stderr)
        .to.match(why)
        .and.match(/^pg-batch: [^\n]+\n$/)
      expect(status).to.equal(1)
      expect(await stored()).to.equal(1)
    })
  }

  it('checks the certificate, against the authority of sslrootcert or PGSSLROOTCERT', async () => {
    const trusting = `sslmode=verify-full&sslrootcert=${encodeURIComponent(certificate)}`
    await load(url('scram', trusting))
    expect(await stored()).to.equal(1)
    for (const mode of ['prefer', 'require', 'verify-ca', 'verify-full']) {
      expect((await failureOf(load(url('scram', `sslmode=${mode}`)))).message).to.match(
        /self-signed certificate/,
      )
    }
    const args = ['load', '-', '-t', 't', '-d', url('scram', 'sslmode=verify-full')]
    expect(await run(args, { PGSSLROOTCERT: certificate }, 'id\n3\n')).to.include({ status: 0, stderr: '' })
    const missing = await run(args, { PGSSLROOTCERT: '/no/such.pem' }, 'id\n3\n')
    expect(missing.stderr).to.match(/^pg-batch: \/no\/such\.pem: [^\n]+\n$/)
    expect(missing.status).to.equal(2)
  })

  it('compares the certificate with host where hostaddr is connected to', async () => {
    const keywords = (host: string, mode: string) =>
      `host=${host} hostaddr=127.0.0.1 port=${server.port} user=scram password=swordfish dbname=postgres sslmode=${mode} sslrootcert=${certificate}`
    await load(keywords('localhost', 'verify-full'))
    expect(await stored()).to.equal(1)
    const error = await failureOf(load(keywords('db.example.com', 'verify-full')))
    expect(error.message).to.match(/Hostname\/IP does not match/)
    await load(`${keywords('db.example.com', 'verify-ca')} uselibpqcompat=true`)
    expect(await stored()).to.equal(2)
  })
})
