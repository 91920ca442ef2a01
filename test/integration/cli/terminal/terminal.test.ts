import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { useDatabase } from '../../../support/servers/database.ts'
import { type Ended, run } from '../support.ts'

/** Clears the screen, sets the title, moves the cursor, turns the direction of writing, and begins a line. */
const HOSTILE = '\x1b[2J\x1b]0;owned\x07\x9b1A\u202e\r\nx'

/** What a terminal would obey; the ends of the command's own lines are taken off before. */
const OBEYED = /[\p{Cc}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]/u
const ofOneLine = (text: string): string => text.replace(/[\n\t]/g, '')

describe('pg-batch on a terminal that obeys escapes', () => {
  const database = useDatabase()
  let folder: string
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'pg-batch-terminal-'))
  })
  after(() => rm(folder, { recursive: true, force: true }))
  beforeEach(() =>
    database.pool.query('DROP TABLE IF EXISTS t, made; CREATE TABLE t (id int PRIMARY KEY, name text)'),
  )

  const pgBatch = (words: readonly string[], input = '', env: NodeJS.ProcessEnv = {}): Promise<Ended> =>
    run(words, { DATABASE_URL: database.connectionString, ...env }, input)

  const csv = (name: string, value = '1') => `id,"${name}"\n1,"${value}"\n`
  const CASES: [title: string, words: () => Promise<readonly string[]>, input: string][] = [
    ['a header', async () => ['load', '-', '-t', 't', '-f', 'csv'], csv(HOSTILE)],
    [
      'a header that is created, in a dry run',
      async () => ['load', '-', '-t', 'made', '--create', '--dry-run', '-f', 'csv'],
      csv(HOSTILE),
    ],
    [
      'a header that is created',
      async () => ['load', '-', '-t', 'made', '--create', '-f', 'csv'],
      csv(HOSTILE),
    ],
    [
      'a value, in a dry run',
      async () => ['load', '-', '-t', 't', '--dry-run', '-f', 'csv'],
      csv('name', HOSTILE),
    ],
    [
      'a key of JSON',
      async () => ['load', '-', '-t', 't', '-f', 'ndjson'],
      `${JSON.stringify({ id: 1, [HOSTILE]: 2 })}\n`,
    ],
    [
      'a value that is refused',
      async () => ['load', '-', '-t', 't', '-f', 'ndjson'],
      `${JSON.stringify({ id: HOSTILE })}\n`,
    ],
    ['the name of a file that is not there', async () => ['load', `/no/such/${HOSTILE}.csv`, '-t', 't'], ''],
    [
      'the name of a file',
      async () => {
        const path = join(folder, `${HOSTILE.replaceAll('\0', '')}.csv`)
        await writeFile(path, 'id;name\n1;a\nx;b\n')
        return ['load', path, '-t', 't', '--summary', '--rejects', `${path}.ndjson`]
      },
      '',
    ],
    ['the name of a table', async () => ['load', '-', '-t', HOSTILE], 'id\n1\n'],
    ['an option', async () => ['load', '-', '-t', 't', `--${HOSTILE}`], ''],
    ["an option's value", async () => ['load', '-', '-t', 't', '--format', HOSTILE], ''],
    ['a column', async () => ['load', '-', '-t', 't', '--columns', HOSTILE], 'id\n1\n'],
    [
      'a URL',
      async () => ['load', '-', '-t', 't', '-d', `postgres://h/d?sslmode=${encodeURIComponent(HOSTILE)}`],
      '',
    ],
  ]
  for (const [title, words, input] of CASES) {
    for (const more of [[], ['--log', 'json']]) {
      it(`shows the escapes of ${title}${more.length > 0 ? ', in JSON' : ''}`, async () => {
        const { stdout, stderr } = await pgBatch([...(await words()), ...more], input)
        expect(ofOneLine(stdout + stderr)).not.to.match(OBEYED)
        if (!title.startsWith('a value')) expect(stdout + stderr).to.match(/\\+(x1b|u001b)/)
        if (more.length > 0) for (const line of stderr.split('\n').filter(Boolean)) JSON.parse(line)
        else if (!title.includes('dry run')) expect(stderr).not.to.match(/^x/m)
      })
    }
  }

  it('shows them in the file of metrics', async () => {
    const metrics = join(folder, 'metrics.prom')
    const path = join(folder, '\x1b[2J\n.csv')
    await writeFile(path, 'id\n1\n')
    expect((await pgBatch(['load', path, '-t', 't', '--metrics-file', metrics])).status).to.equal(0)
    expect(await readFile(metrics, 'utf8'))
      .to.contain('\\\\x1b[2J\\n.csv"}')
      .and.satisfy((text: string) => !OBEYED.test(ofOneLine(text)))
  })

  it('cuts a key, a header or a name of 5 MB, quickly', async () => {
    const long = 'k'.repeat(5_000_000)
    for (const [words, input] of [
      [['-f', 'ndjson'], `${JSON.stringify({ id: 1, [long]: 2 })}\n`],
      [['-f', 'csv'], csv(long)],
      [['-f', 'csv', '--dry-run'], csv(long)],
    ] as const) {
      for (const more of [[], ['--log', 'json']]) {
        const started = performance.now()
        const { stdout, stderr } = await pgBatch(['load', '-', '-t', 't', ...words, ...more], input)
        expect((stdout + stderr).length).to.be.below(6000)
        expect(stdout + stderr).to.match(/kkk… \(\d+ characters left out\) …/)
        expect(performance.now() - started).to.be.below(10_000)
      }
    }
  })
})

describe('pg-batch --log json', () => {
  const database = useDatabase()
  const events = (stderr: string) =>
    stderr
      .trim()
      .split('\n')
      .map(line => JSON.parse(line))

  const FAILURES: [title: string, words: string[], env: NodeJS.ProcessEnv, status: number, error: RegExp][] =
    [
      ['an unknown option', ['load', '-', '-t', 't', '--tabel', 'x'], {}, 2, /^unknown option '--tabel'/],
      ['a missing table', ['load', '-'], {}, 2, /^name the table/],
      ['no database', ['load', '-', '-t', 't'], { DATABASE_URL: '' }, 2, /^no database is named/],
      ['a wrong URL', ['load', '-', '-t', 't', '-d', 'x'], {}, 2, /^Expected --database/],
      ['a missing file', ['load', '/no/such.csv', '-t', 't'], {}, 2, /no such file/],
      [
        'a missing table of the database',
        ['load', '-', '-t', 'nowhere'],
        {},
        1,
        /the table "nowhere" does not exist/,
      ],
      [
        'a server that is not there',
        ['load', '-', '-t', 't', '-d', 'postgres://127.0.0.1:1/d'],
        {},
        1,
        /^cannot connect/,
      ],
    ]
  for (const [title, words, env, status, error] of FAILURES) {
    for (const log of [['--log', 'json'], ['--log=json']]) {
      it(`reports in JSON that there is ${title} (${log.join(' ')})`, async () => {
        const ended = await run(
          [...words, ...log],
          { DATABASE_URL: database.connectionString, ...env },
          'id\n1\n',
        )
        const end = events(ended.stderr).at(-1)
        expect(end).to.include({ event: 'end', outcome: 'failed', status })
        expect(end.error).to.match(error)
        expect(ended).to.include({ status, stdout: '' })
      })
    }
  }
})

describe('warnings of pg and of Node.js', () => {
  const database = useDatabase()
  beforeEach(() => database.pool.query('DROP TABLE IF EXISTS t; CREATE TABLE t (id int)'))

  /** pg warns of these meanings of sslmode, Node.js of the variable. */
  const env = () => ({
    DATABASE_URL: `${database.connectionString}?sslmode=require`,
    NODE_TLS_REJECT_UNAUTHORIZED: '0',
    NODE_OPTIONS: `--import data:text/javascript,${encodeURIComponent("process.once('beforeExit', () => process.emitWarning('from\\x1b[2J elsewhere'))")}`,
  })
  const load = (...words: string[]) => run(['load', '-', '-t', 't', ...words], env(), 'id\n1\n')

  it('are one line each', async () => {
    const { stderr } = await load()
    expect(stderr).to.match(/^pg-batch: warning: from\\x1b\[2J elsewhere$/m)
    for (const line of stderr.trim().split('\n')) expect(line).to.match(/^pg-batch: /)
  })

  it('are events with --log json', async () => {
    const lines = (await load('--log', 'json')).stderr
      .trim()
      .split('\n')
      .map(line => JSON.parse(line))
    expect(lines.map(({ event, message }) => `${event} ${message}`)).to.include('note from\x1b[2J elsewhere')
  })

  it('are not printed with --quiet', async () => {
    expect((await load('--quiet')).stderr).to.match(/^pg-batch: cannot connect to [^\n]*\n$/)
  })
})
