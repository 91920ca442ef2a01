import { expect } from 'chai'
import { connectionConfig, embeddedConfig } from '../../../../lib/cli/database/connection-config.ts'
import { chooseDatabase } from '../../../../lib/cli/database/database.ts'
import { dataHome } from '../../../../lib/embedded/data-home.ts'

describe('chooseDatabase', () => {
  const url = 'postgres://me:secret@h/d'

  const taken = (option: string | undefined, env: NodeJS.ProcessEnv) => {
    const choice = chooseDatabase({ url: option }, env)
    return choice.kind === 'embedded' ? 'embedded' : (choice.config.servers[0]?.host ?? 'PG*')
  }

  it('takes --database before DATABASE_URL before PG*', () => {
    const other = 'postgresql://other/d'
    expect(taken(url, { DATABASE_URL: other, PGHOST: 'g' })).to.equal('h')
    expect(taken(undefined, { DATABASE_URL: other, PGHOST: 'g' })).to.equal('other')
    expect(taken(undefined, { PGHOST: 'g' })).to.equal('g')
    for (const name of ['PGPORT', 'PGUSER', 'PGDATABASE']) {
      expect(taken(undefined, { [name]: '1', DATABASE_URL: '' })).to.equal('PG*')
    }
  })

  it('fails if nothing names a database, and lists the options that do', () => {
    for (const env of [{}, { DATABASE_URL: '' }, { PGPASSWORD: 'x' }, { PGHOST: '', PGSSLMODE: 'require' }]) {
      expect(() => chooseDatabase({}, env))
        .to.throw(/^no database is named: .*DATABASE_URL.*PGHOST.*--database URL \(-d\).*--embedded/)
        .with.property('status', 2)
    }
  })

  it('uses the embedded server only with --embedded, even if the environment names a database', () => {
    const env = { DATABASE_URL: url, PGHOST: 'h', PGSERVICE: 'shop' }
    expect(chooseDatabase({ embedded: true }, env)).to.deep.equal({ kind: 'embedded' })
  })

  it('refuses an empty --database: an unset variable must not lead into another database', () => {
    expect(() => chooseDatabase({ url: '' }, { DATABASE_URL: url })).to.throw(
      /^Expected --database .* got nothing/,
    )
    for (const empty of ['postgres://', 'postgresql://', 'postgres:///']) {
      expect(() => chooseDatabase({ url: empty }, {})).to.throw(/^Expected --database .* only its beginning$/)
      expect(() => chooseDatabase({}, { DATABASE_URL: empty })).to.throw(/^Expected DATABASE_URL /)
    }
  })

  it('refuses a text that is not a URL, without repeating it', () => {
    for (const wrong of ['mysql://me:secret@h/d', 'secret', 'postgres://me:secret@h:port/d']) {
      expect(() => chooseDatabase({ url: wrong }, {})).to.throw(/^Expected --database to look like/)
      expect(() => chooseDatabase({}, { DATABASE_URL: wrong })).to.throw(
        /^Expected DATABASE_URL to look like/,
      )
    }
  })

  it('accepts the URL of a socket, which has another form', () => {
    for (const socket of [
      'postgres://me:secret@/d?host=/tmp',
      'postgres:///d?host=/tmp',
      'postgres://%2Ftmp/d',
      'host=/tmp dbname=d',
    ]) {
      expect(taken(socket, {})).to.equal('/tmp')
    }
  })

  it('refuses a service instead of using another database', () => {
    expect(() => chooseDatabase({}, { PGSERVICE: 'shop' })).to.throw(/^PGSERVICE names a service/)
    expect(() => chooseDatabase({ url: 'postgres://?service=shop' }, {})).to.throw(
      /^--database names a service/,
    )
    expect(taken(undefined, { PGSERVICE: 'shop', PGHOST: 'h' })).to.equal('h')
  })
})

describe('connectionConfig', () => {
  const config = (url: string | undefined, env: NodeJS.ProcessEnv = {}) =>
    connectionConfig(url, '--database', env)

  it('refuses an invalid port, from the URL and from PGPORT', () => {
    for (const port of ['abc', '0', '99999', '5432,5433', '1e3']) {
      const message = `to be from 1 to 65535, got "${port}"`
      expect(() => config(undefined, { PGPORT: port })).to.throw(`Expected PGPORT ${message}`)
      expect(() => config('postgres://h/d', { PGPORT: port })).to.throw(`Expected PGPORT ${message}`)
      expect(() => config(`postgres://h/d?port=${port}`)).to.throw(
        `Expected the port of --database ${message}`,
      )
    }
    expect(config('postgres://me:1@h:5432/d', { PGPORT: 'abc' }).servers).to.deep.equal([
      { host: 'h', port: 5432 },
    ])
  })

  it('refuses an sslmode that pg would treat as no TLS', () => {
    expect(() => config('postgres://h/d?sslmode=bogus')).to.throw(
      /^Expected sslmode of --database to be disable or .*, got "bogus"$/,
    )
    expect(() => config(undefined, { PGSSLMODE: 'bogus' })).to.throw(/^Expected PGSSLMODE to be/)
    expect(() => config('postgres://h/d?sslmode=no-verify', { PGSSLMODE: 'bogus' })).not.to.throw()
  })

  it('waits for a connection as long as the URL or PGCONNECT_TIMEOUT says', () => {
    expect(config('postgres://h/d').connectTimeoutMs).to.equal(undefined)
    expect(config('postgres://h/d?connect_timeout=5', { PGCONNECT_TIMEOUT: '7' }).connectTimeoutMs).to.equal(
      5000,
    )
    expect(config('postgres://h/d', { PGCONNECT_TIMEOUT: '7' }).connectTimeoutMs).to.equal(7000)
    for (const endless of ['0', '-1', '999999999']) {
      expect(config('postgres://h/d', { PGCONNECT_TIMEOUT: endless }).connectTimeoutMs).to.equal(2 ** 31 - 1)
    }
    expect(() => config('postgres://h/d?connect_timeout=5s')).to.throw(/to be whole seconds, got "5s"$/)
    expect(() => config(undefined, { PGCONNECT_TIMEOUT: 'x' })).to.throw(/^Expected PGCONNECT_TIMEOUT/)
  })

  it('adds PGTZ and PGDATESTYLE to the options of the session', () => {
    const env = { PGTZ: 'Europe/Berlin', PGDATESTYLE: 'ISO, DMY', PGOPTIONS: '-c work_mem=8MB' }
    const session = '-c TimeZone=Europe/Berlin -c DateStyle=ISO,\\ DMY'
    expect(config(undefined, env).options).to.equal(`-c work_mem=8MB ${session}`)
    expect(config(undefined, { PGTZ: '', PGDATESTYLE: '' })).to.not.have.property('options')
    expect(config('postgres://h/d', env).options).to.equal(`-c work_mem=8MB ${session}`)
    const own = config('postgres://me:1@/d?host=/tmp&options=-c%20geqo=off#x', env)
    expect(own).to.include({ database: 'd', options: `-c geqo=off ${session}` })
    expect(own.servers).to.deep.equal([{ host: '/tmp' }])
  })

  it('takes only the settings that say how values are read for the embedded server', () => {
    const env = { PGHOST: 'h', PGSSLMODE: 'require', PGREQUIREAUTH: 'none', PGDATABASE: 'd', PGTZ: 'UTC' }
    const embedded = embeddedConfig('postgres://me:1@127.0.0.1:5432/postgres', env)
    expect(embedded.servers).to.deep.equal([{ host: '127.0.0.1', port: 5432 }])
    expect(embedded).to.include({ database: 'postgres', tls: undefined, options: '-c TimeZone=UTC' })
  })
})

describe('dataHome', () => {
  it("is the user's data directory, and /var/lib as root, who has none that the server's user can reach", () => {
    expect(dataHome(18, { XDG_DATA_HOME: '/home/me/data' }, 1000)).to.equal(
      '/home/me/data/pg-batch/postgresql-18',
    )
    expect(dataHome(18, {}, 1000)).to.match(/\/\.local\/share\/pg-batch\/postgresql-18$/)
    expect(dataHome(18, { XDG_DATA_HOME: '/root/data' }, 0)).to.equal('/var/lib/pg-batch/postgresql-18')
    expect(dataHome(15, { PG_BATCH_DATA: '/data' }, 0)).to.equal('/data/postgresql-15')
  })
})
