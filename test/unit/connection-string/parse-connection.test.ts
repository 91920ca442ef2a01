import { expect } from 'chai'
import { parseConnection } from '../../../lib/connection-string/parse-connection.ts'

const parse = (text: string | undefined, env: Record<string, string> = {}) =>
  parseConnection(text, 'the URL', env)
const serversOf = (text: string | undefined, env?: Record<string, string>) => parse(text, env).servers

describe('parseConnection, of one server,', () => {
  it('reads the parts of a URL, percent-decoded', () => {
    expect(parse('postgres://m%40e:p%2Fw%25@db.example.com:5433/my%20shop')).to.deep.include({
      servers: [{ host: 'db.example.com', port: 5433 }],
      user: 'm@e',
      password: 'p/w%',
      database: 'my shop',
      tls: undefined,
      notes: [],
    })
    expect(parse('postgresql://u:a:b@h')).to.include({ user: 'u', password: 'a:b' })
    expect(parse('postgres://u:p@ss%zz@h/d')).to.deep.include({
      password: 'p@ss%zz',
      servers: [{ host: 'h' }],
    })
    expect(parse(' postgres://h/d\n')).to.deep.include({ servers: [{ host: 'h' }], database: 'd' })
    expect(serversOf('postgres://[2001:db8::1]:5433/d')).to.deep.equal([{ host: '2001:db8::1', port: 5433 }])
    expect(parse('postgres:///shop?host=/tmp&user=me')).to.deep.include({
      servers: [{ host: '/tmp' }],
      database: 'shop',
      user: 'me',
    })
  })

  it("reads libpq's keywords, and pg's forms of sockets", () => {
    expect(parse("host=h port = 5433 dbname='my shop' password='it\\'s a \\\\' user=m\\ e")).to.deep.include({
      servers: [{ host: 'h', port: 5433 }],
      database: 'my shop',
      password: "it's a \\",
      user: 'm e',
    })
    expect(parse('/run/pg shop')).to.deep.include({ servers: [{ host: '/run/pg' }], database: 'shop' })
    expect(parse('socket://me:pw@/run/pg?db=shop&encoding=utf8')).to.deep.include({
      servers: [{ host: '/run/pg' }],
      database: 'shop',
      user: 'me',
      password: 'pw',
    })
  })

  it('takes from the environment what the string does not name', () => {
    const env = {
      PGHOST: 'g',
      PGPORT: '1',
      PGUSER: 'me',
      PGDATABASE: 'd',
      PGAPPNAME: 'job',
      PGOPTIONS: '-c a=1',
    }
    expect(parse('postgres://h', env)).to.deep.include({
      servers: [{ host: 'h', port: 1 }],
      user: 'me',
      database: 'd',
      applicationName: 'job',
      options: '-c a=1',
    })
    expect(parse(undefined, env).servers).to.deep.equal([{ host: 'g', port: 1 }])
  })

  it('takes the settings that pg takes from a URL', () => {
    const url =
      'postgres://h/d?statement_timeout=5000&keepalives_idle=10&application_name=a&connect_timeout=3'
    expect(parse(url)).to.deep.include({
      clientSettings: { statement_timeout: 5000, keepAlive: true, keepAliveInitialDelayMillis: 10_000 },
      applicationName: 'a',
      connectTimeoutMs: 3000,
    })
  })
})

describe('parseConnection, of several servers,', () => {
  const two = [
    { host: 'a', port: 1 },
    { host: 'b', port: 2 },
  ]

  it('reads their lists from URLs, keywords and the environment', () => {
    expect(serversOf('postgres://u:p@a:1,b:2/d')).to.deep.equal(two)
    expect(serversOf('postgres://u:p@/d?host=a,b&port=1,2')).to.deep.equal(two)
    expect(serversOf('host=a,b port=1,2')).to.deep.equal(two)
    expect(serversOf(undefined, { PGHOST: 'a,b', PGPORT: '1,2' })).to.deep.equal(two)
    expect(serversOf('postgres://a,[::1]:2/d')).to.deep.equal([{ host: 'a' }, { host: '::1', port: 2 }])
    expect(serversOf('host=a,b port=7').map(({ port }) => port)).to.deep.equal([7, 7])
    expect(serversOf('host=a,b hostaddr=10.0.0.1,::1')).to.deep.equal([
      { host: 'a', hostaddr: '10.0.0.1' },
      { host: 'b', hostaddr: '::1' },
    ])
    expect(serversOf('hostaddr=10.0.0.1,10.0.0.2')).to.have.length(2)
  })

  it('asks for read-write sessions, unless target_session_attrs is set; with one server for any', () => {
    expect(parse('postgres://a,b/d').sessionAttrs).to.equal('read-write')
    expect(parse('postgres://a/d').sessionAttrs).to.equal('any')
    expect(parse('postgres://a,b/d?target_session_attrs=any').sessionAttrs).to.equal('any')
    expect(parse('postgres://a/d', { PGTARGETSESSIONATTRS: 'primary' }).sessionAttrs).to.equal('primary')
    expect(() => parse('postgres://a,b/d?target_session_attrs=master')).to.throw(
      'Expected target_session_attrs of the URL to be any or read-write or read-only or primary or ' +
        'standby or prefer-standby, got "master"',
    )
  })

  it('reads load_balance_hosts', () => {
    expect(parse('postgres://a,b/d').loadBalance).to.equal(false)
    expect(parse('postgres://a,b/d?load_balance_hosts=random').loadBalance).to.equal(true)
    expect(parse('postgres://a,b/d', { PGLOADBALANCEHOSTS: 'random' }).loadBalance).to.equal(true)
    expect(() => parse('postgres://a,b/d?load_balance_hosts=yes')).to.throw(/disable or random, got "yes"/)
  })

  it('refuses lists that do not fit', () => {
    expect(() => parse('host=a,b,c port=1,2')).to.throw(/to be one, or as many as the 3 hosts, got 2/)
    expect(() => parse('host=a,b hostaddr=10.0.0.1')).to.throw(
      /to be as many as host of the URL, got 1 for 2/,
    )
    expect(() => parse('hostaddr=db.example.com')).to.throw(/to be IP addresses, got "db.example.com"/)
    expect(() => parse('host=a,b port=1,99999')).to.throw(/from 1 to 65535, got "1,99999"/)
  })
})

describe('parseConnection, of TLS and authentication,', () => {
  const verify = (query: string, env?: Record<string, string>) =>
    parse(`postgres://h/d?${query}`, env).tls?.verify

  it("gives sslmode pg's meanings, or libpq's with uselibpqcompat", () => {
    for (const mode of ['allow', 'prefer', 'require', 'verify-ca', 'verify-full']) {
      expect(verify(`sslmode=${mode}`)).to.equal('full')
    }
    expect(verify('sslmode=disable')).to.equal(undefined)
    expect(verify('sslmode=no-verify')).to.equal('none')
    expect(verify('ssl=true')).to.equal('full')
    expect(verify('ssl=false')).to.equal(undefined)
    expect(verify('sslrootcert=/ca.pem')).to.equal('full')
    expect(verify('', { PGSSLMODE: 'require' })).to.equal('full')
    expect(verify('', { PGSSLMODE: 'allow' })).to.equal(undefined)
    const compat = 'uselibpqcompat=true'
    expect(verify(`sslmode=require&${compat}`)).to.equal('none')
    expect(verify(`sslmode=require&${compat}&sslrootcert=/ca.pem`)).to.equal('ca')
    expect(verify(`sslmode=verify-ca&${compat}&sslrootcert=/ca.pem`)).to.equal('ca')
    expect(verify(`sslmode=verify-full&${compat}`)).to.equal('full')
    expect(() => verify(`sslmode=verify-ca&${compat}`)).to.throw(/^Expected sslrootcert with sslmode/)
  })

  it('takes certificates of the environment, and none on Unix sockets', () => {
    expect(
      parse('postgres://h/d?sslmode=verify-full', { PGSSLROOTCERT: '/ca.pem', PGSSLKEY: '/k' }).tls,
    ).to.include({
      rootCertFile: '/ca.pem',
      keyFile: '/k',
    })
    expect(parse('postgres://h/d?sslmode=verify-full&sslrootcert=system').tls).to.not.have.property(
      'rootCertFile',
    )
    expect(parse('postgres:///d?host=/tmp', { PGSSLMODE: 'require' }).tls).to.equal(undefined)
  })

  it('takes channel_binding with TLS only', () => {
    expect(parse('postgres://h/d?sslmode=require&channel_binding=require').channelBinding).to.equal('require')
    expect(parse('postgres://h/d').channelBinding).to.equal(undefined)
    for (const url of [
      'postgres://h/d?',
      'postgres:///d?host=/tmp&sslmode=require&',
      'postgres://h/d?sslmode=disable&',
    ]) {
      expect(() => parse(`${url}channel_binding=require`)).to.throw(/^Expected sslmode with channel_binding/)
    }
    expect(() => parse('postgres://h/d', { PGCHANNELBINDING: 'require' })).to.throw(
      /^Expected sslmode with PGCHANNELBINDING "require"/,
    )
    expect(() => parse('postgres://h/d?channel_binding=requir')).to.throw(/, got "requir"$/)
    expect(() => parse('postgres://h/d?sslmode=')).to.throw(/^Expected sslmode of the URL to be .*, got ""$/)
  })

  const REFUSED: [parameter: string, variable: string | undefined, value: string][] = [
    ['gssencmode', 'PGGSSENCMODE', 'require'],
    ['require_auth', 'PGREQUIREAUTH', 'scram-sha-256'],
    ['requirepeer', 'PGREQUIREPEER', 'postgres'],
    ['requiressl', 'PGREQUIRESSL', '1'],
    ['sslcrl', 'PGSSLCRL', '/crl.pem'],
    ['sslcrldir', 'PGSSLCRLDIR', '/crl'],
    ['sslcertmode', 'PGSSLCERTMODE', 'require'],
    ['sslsni', 'PGSSLSNI', '0'],
    ['ssl_min_protocol_version', 'PGSSLMINPROTOCOLVERSION', 'TLSv1.3'],
    ['ssl_max_protocol_version', 'PGSSLMAXPROTOCOLVERSION', 'TLSv1.2'],
    ['min_protocol_version', 'PGMINPROTOCOLVERSION', '3.2'],
    ['scram_client_key', undefined, 'x'],
    ['passfile', undefined, '/pass'],
    ['replication', undefined, 'database'],
    ['sslaccept', undefined, 'strict'],
    ['targetServerType', undefined, 'primary'],
    ['search_path', undefined, 'sales'],
  ]
  for (const [name, variable, value] of REFUSED) {
    it(`refuses ${name}${variable ? ` and ${variable}` : ''}`, () => {
      const says = (whose: string) =>
        new RegExp(`^${whose} cannot be honoured.*, and is not ignored; leave it out`)
      expect(() => parse(`postgres://h/d?${name}=${value}`)).to.throw(says(`${name} of the URL`))
      expect(() => parse(`host=h ${name}=${value}`)).to.throw(says(`${name} of the URL`))
      if (!variable) return
      expect(() => parse('postgres://h/d', { [variable]: value })).to.throw(says(variable))
      expect(() => parse(undefined, { [variable]: value })).to.throw(says(variable))
      expect(() => parse('postgres://h/d', { [variable]: '' })).not.to.throw()
    })
  }

  it('takes values that ask for nothing, and the string before the environment', () => {
    for (const pair of [
      'gssencmode=disable',
      'gssencmode=prefer',
      'sslcertmode=allow',
      'sslsni=1',
      'require_auth=',
    ]) {
      expect(parse(`postgres://h/d?${pair}`).notes).to.deep.equal([])
    }
    expect(() => parse('postgres://h/d?gssencmode=disable', { PGGSSENCMODE: 'require' })).not.to.throw()
  })
})

describe('parseConnection, of names,', () => {
  it('refuses an unknown one, with the one that was meant', () => {
    for (const [wrong, meant] of [
      ['sslmod', 'sslmode'],
      ['SSLMODE', 'sslmode'],
      ['ssl_mode', 'sslmode'],
      ['chanel_binding', 'channel_binding'],
      ['target_session_attr', 'target_session_attrs'],
      ['conect_timeout', 'connect_timeout'],
    ]) {
      for (const text of [`postgres://me:pw@h/d?${wrong}=x`, `host=h password=pw ${wrong}=x`]) {
        expect(() => parse(text)).to.throw(
          `the URL has an unknown parameter "${wrong}"; did you mean ${meant}`,
        )
      }
    }
    expect(() => parse('postgres://h/d?colour=blue')).to.throw(/^the URL has an unknown parameter "colour"$/)
  })

  it('refuses one that comes twice with different values', () => {
    expect(() => parse('postgres://h/d?sslmode=disable&sslmode=verify-full')).to.throw(/to name sslmode once/)
    expect(() => parse('sslmode=disable sslmode=verify-full')).to.throw(/to name sslmode once/)
    expect(() => parse('postgres://h/d?ssl=1&ssl=1')).not.to.throw()
  })

  it("notes other libraries' by name, and ignores them", () => {
    expect(parse('postgres://h/d?schema=public&pgbouncer=true&connection_limit=1').notes).to.deep.equal([
      "the URL: ignored, as another library's: schema, pgbouncer, connection_limit",
    ])
    for (const name of [
      'pool_size',
      'max_overflow',
      'prepareThreshold',
      'pool_max_conns',
      'pool',
      'tcp_user_timeout',
    ]) {
      expect(parse(`postgres://h/d?${name}=5`).notes).to.deep.equal([
        `the URL: ignored, as another library's: ${name}`,
      ])
    }
    expect(parse('postgres://h/d?schema=sales').notes).to.have.length(2)
    expect(parse('postgres://h/d', { PGCLIENTENCODING: 'LATIN1' }).notes).to.deep.equal([
      'PGCLIENTENCODING is ignored: what is sent is UTF-8',
    ])
    expect(parse('postgres://h/d', { PGCLIENTENCODING: 'UTF8' }).notes).to.deep.equal([])
  })

  it('refuses services', () => {
    expect(() => parse('postgres://h/d?service=shop')).to.throw(/^the URL names a service/)
    expect(() => parse('service=shop')).to.throw(/^the URL names a service/)
  })
})

describe('parseConnection, of what it cannot read,', () => {
  const password = 'hunter2'
  const MALFORMED = [
    'mysql://me:hunter2@h/d',
    'jdbc:postgresql://me:hunter2@h/d',
    'postgresql+psycopg2://me:hunter2@h/d',
    'hunter2',
    'postgres:me:hunter2@h',
    'postgres://me:hunter2@h:port/d',
    'postgres://me:hun/ter2@h/d',
    'postgres://me:1/hunter2@h/d',
    'postgres://me:hun?ter2@h/d',
    'postgres://me:1?hunter2@h/d',
    'postgres://me:1?hunter2=x@h/d',
    'postgres://me:hun#ter2@h/d',
    'postgres://me:1#hunter2@h/d',
    'postgres://me:hunter2%00@h/d',
    'postgres://me:hunter2%ff@h/d',
    'postgres://me:hunter2',
    'postgres://hunter2:hunter2:hunter2/d',
    'postgres://me:hunter2@[::1/d',
    'host=h password=hun ter2 user=me',
    'host=h password=hun hunter2=x user=me',
    "host=h password='hunter2",
  ]
  for (const text of MALFORMED) {
    it(`repeats nothing of ${text.replaceAll(password, '…')}`, () => {
      expect(() => parse(text))
        .to.throw()
        .with.property('message')
        .that.matches(/the URL/)
        .and.does.not.match(/hun|ter2/)
    })
  }

  it('names the scheme of another database, and quotes that do not belong to the URL', () => {
    const expected = 'Expected the URL to look like postgres://user:password@host:5432/database, '
    for (const [text, why] of [
      ['mysql://me:hunter2@h/d', 'not to begin with mysql:'],
      ['mongodb+srv://h/d', 'not to begin with mongodb+srv:'],
      ['jdbc:postgresql://me:hunter2@h/d', 'not to begin with jdbc:postgresql:'],
      ["'postgres://me:hunter2@h/d'", 'without quotes around it'],
      ['"postgres://h/d"', 'without quotes around it'],
      ['h:5432/d', 'with postgres:// at its beginning'],
      ['postgers://me:hunter2@h/d', 'with postgres:// at its beginning'],
      ['$DATABASE_URL', 'got the name of a variable (single quotes around it?)'],
    ] as const) {
      expect(() => parse(text))
        .to.throw()
        .with.property('message', `${expected}${why}`)
    }
  })

  it('says which characters to write another way', () => {
    expect(() => parse('postgres://me:a/b@h/d')).to.throw(
      /percent-encode these characters of a user or a password: @ is %40, \/ is %2F, : is %3A/,
    )
  })
})
