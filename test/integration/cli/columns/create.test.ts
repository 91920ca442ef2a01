import { readFile } from 'node:fs/promises'
import { expect } from 'chai'
import { useFolder } from '../../../support/folder.ts'
import { useDatabase } from '../../../support/servers/database.ts'
import { until } from '../../../support/until.ts'
import { type Ended, run, start } from '../support.ts'

describe('pg-batch load --create', () => {
  const database = useDatabase()
  const file = useFolder()
  let table = 0

  const load = (words: readonly string[], input?: string): Promise<Ended> =>
    run(['load', ...words, '-t', `made_${table}`], { DATABASE_URL: database.connectionString }, input)

  beforeEach(() => {
    table++
  })

  const query = async (text: string) =>
    (
      await database.pool.query({
        text: text.replace(/\bTABLE\b(?! TABLE)/, `made_${table}`),
        rowMode: 'array',
      })
    ).rows
  const exists = async () =>
    (await query(`SELECT to_regclass('TABLE') IS NOT NULL`))[0]![0] as unknown as boolean

  it('creates a table with types from the data, prints the statement, and loads', async () => {
    const csv =
      'id,sku,price,"in stock",at,doc\n1,007,0.10,true,2026-11-23T10:00:00Z,"{""a"":1}"\n2,x,12,,2026-11-23T11:00:00+02,\n'
    const { status, stdout, stderr } = await load(['-', '--create', '--key', 'id', '--not-null'], csv)
    expect(stderr).to.equal(`CREATE TABLE "made_${table}" (
  "id"       integer,
  "sku"      text NOT NULL,
  "price"    numeric NOT NULL,
  "in stock" boolean,
  "at"       timestamptz NOT NULL,
  "doc"      jsonb,
  PRIMARY KEY ("id")
);
`)
    expect(stdout).to.match(/2 rows committed/)
    expect(status).to.equal(0)
    expect(
      await query(`SELECT id, sku, price::text, "in stock", extract(epoch FROM at)::int, doc FROM TABLE`),
    ).to.deep.equal([
      [1, '007', '0.10', true, Date.UTC(2026, 10, 23, 10) / 1000, { a: 1 }],
      [2, 'x', '12', null, Date.UTC(2026, 10, 23, 9) / 1000, null],
    ])
  })

  it('uses the types of --type and the names of --map, and skips columns that --columns does not name', async () => {
    const words = ['--create', '--map', 'The Id=id', '--type', 'v=numeric(10,2)', '-c', 'v,id']
    expect(await load(['-', ...words], '[{"The Id":1,"v":1.005,"x":1},{"v":2}]')).to.include({ status: 0 })
    expect(await query('SELECT * FROM TABLE')).to.deep.equal([
      ['1.01', 1],
      ['2.00', null],
    ])
  })

  const later = (value: string) => `n\n${'1\n'.repeat(1200)}${value}\n`

  for (const value of ['x', '007', '1.5', '3000000000']) {
    it(`fails on a later ${value} in a column of integers, names the option that helps, and removes the table again`, async () => {
      const { status, stderr } = await load(['-', '--create', '--batch-size', '2000'], later(value))
      expect(status).to.equal(1)
      expect(stderr).to.contain(
        'pg-batch: standard input: row 1,201 (line 1202): the value of "n" is not integer, the type inferred from the first 1,000 rows; ' +
          'infer from all rows with --infer all, or say --type "n=text"; nothing committed\n',
      )
      expect(stderr).to.contain('removed again')
      expect(await exists()).to.equal(false)
    })
  }

  for (const value of ['x', '007', '1.5', '3000000000']) {
    it(`rejects a later ${value} in a column of integers with --rejects, and loads the other rows`, async () => {
      const path = await file(`later-${value}.csv`, `${later(value)}2\n`)
      const rejects = `${path}.rejects`
      const { status, stdout, stderr } = await load([path, '--create', '--rejects', rejects, '--summary'])
      expect(status, stderr).to.equal(0)
      expect(stdout).to.match(/1,201 rows committed in \d+ batch(es)?, 1 rejected/)
      expect(stderr).to.match(/VALUE_NOT_ENCODABLE .* 1 .* row 1,201 /)
      expect(JSON.parse(await readFile(rejects, 'utf8'))).to.deep.include({
        code: 'VALUE_NOT_ENCODABLE',
        message: 'the value of "n" is not integer, the type inferred from the first 1,000 rows',
        column_name: 'n',
        source_partition: path,
        source_offset: '1201',
        row: { n: value },
      })
      expect(await query('SELECT count(*)::int, max(n) FROM TABLE')).to.deep.equal([[1201, 2]])
    })
  }

  it('rejects JSON rows with a value of another type or a new key, as they are in the file', async () => {
    const lines = `${'{"a":1}\n'.repeat(1100)}{"a":12345678901234567890}\n{"a":2,"b":{"c":1}}\n{"a":"3"}\n{"a":4}\n`
    const path = await file('later.ndjson', lines)
    const rejects = `${path}.rejects`
    const { status, stderr } = await load([path, '--create', '--rejects', rejects, '--resume', 'later'])
    expect(status, stderr).to.equal(0)
    const rejected = (await readFile(rejects, 'utf8'))
      .trim()
      .split('\n')
      .map(line => JSON.parse(line))
    expect(rejected.map(({ code, source_offset, row }) => [code, source_offset, row])).to.deep.equal([
      ['VALUE_NOT_ENCODABLE', '1101', { a: '12345678901234567890' }],
      ['ROW_INVALID', '1102', { a: 2, b: '{"c":1}' }],
      ['VALUE_NOT_ENCODABLE', '1103', { a: '3' }],
    ])
    expect(await query('SELECT count(*)::int, max(a) FROM TABLE')).to.deep.equal([[1101, 4]])
  })

  it('fails on more such rows than --reject-limit allows', async () => {
    const path = await file('limit.csv', `${later('x')}y\n`)
    const { status, stderr } = await load([path, '--create', '--reject-limit', '1'])
    expect(stderr).to.match(
      /row 1,202 \(line 1203\): the value of "n" is not integer, .*; infer from all .*; more than 1 row would be rejected; /,
    )
    expect(status).to.equal(1)
  })

  it('keeps the table if rows were committed', async () => {
    const words = ['load', '-', '--create', '-t', `made_${table}`]
    const running = start(words, { DATABASE_URL: database.connectionString })
    running.process.stdin!.write(`n\n${'1\n'.repeat(1200)}`)
    const committed = async () => (await exists()) && (await query('SELECT count(*)::int FROM TABLE'))[0]![0]
    await until('rows are committed', async () => Number(await committed()) > 1000)
    running.process.stdin!.end('x\n')
    const { status, stderr } = await running.ended
    expect(stderr).to.match(/row 1,201 \(line 1202\): .*; 1,\d\d\d rows? committed\n$/)
    expect(status).to.equal(1)
    expect(await committed()).to.be.within(1001, 1200)
  })

  it('stops at Ctrl-C while it waits for the rows that it infers types from', async () => {
    const words = ['load', '-', '--create', '-t', `made_${table}`]
    const running = start(words, { DATABASE_URL: database.connectionString })
    running.process.stdin!.write(`n\n${'1\n'.repeat(100)}`)
    const sessions = `SELECT count(*)::int FROM pg_stat_activity
      WHERE application_name = 'pg-batch' AND state = 'idle' AND query <> ''`
    await until('it has asked for the table', async () => (await query(sessions))[0]![0] === 1)
    running.process.kill('SIGINT')
    const { status, stderr } = await running.ended
    // the answer may still be on its way
    expect(stderr.replace(/^Stopping: waiting for the server, .*\n/, '')).to.equal(
      `pg-batch: made_${table}: interrupted; 0 rows committed\n`,
    )
    expect(status).to.equal(130)
  })

  it('looks at every row with --infer all, and keeps leading zeros', async () => {
    const path = await file('all.csv', later('007'))
    expect((await load([path, '--create', '--infer', 'all'])).status).to.equal(0)
    expect(await query("SELECT count(*)::int, max(n) FILTER (WHERE n <> '1') FROM TABLE")).to.deep.equal([
      [1201, '007'],
    ])
  })

  it('fails on a key that only later rows have', async () => {
    const lines = `${'{"a":1}\n'.repeat(1000)}{"a":1,"b":2}\n`
    const { stderr } = await load(['-', '--create'], lines)
    expect(stderr).to.match(
      /row 1,001 \(line 1001\): it has "b", which the first 1,000 rows do not have; .* --infer all/,
    )
  })

  const mistakes: [title: string, words: string[], input: string, status: number, line: RegExp][] = [
    ['--infer all of standard input', ['--create', '--infer', 'all'], '', 2, /which standard input cannot/],
    ['--key without --create', ['--key', 'a'], '', 2, /--key works only with --create/],
    ['--create with --truncate', ['--create', '--truncate'], '', 2, /nothing to --truncate/],
    [
      'a key that is no column',
      ['--create', '--key', 'idd'],
      'id\n1\n',
      1,
      /--key names "idd"; .* did you mean "id"/,
    ],
    [
      'a type that does not exist',
      ['--create', '--type', 'id=intt'],
      'id\n1\n',
      1,
      /cannot be created: type "intt" does not exist/,
    ],
    ['more than a type', ['--create', '--type', 'id=int); DROP TABLE x'], '', 2, /Expected "column=type"/],
    ['no rows to infer from', ['--create'], '[]', 1, /no rows to infer a table from/],
    [
      'a name that is too long',
      ['--create', '--strict-header'],
      `${'é'.repeat(32)}\n1\n`,
      1,
      /too long for the name of a column/,
    ],
  ]
  for (const [title, words, input, status, line] of mistakes) {
    it(`refuses ${title}`, async () => {
      const ended = await load(['-', ...words], input)
      expect(ended.stderr).to.match(line)
      expect(ended).to.include({ status, stdout: '' })
      expect(await exists()).to.equal(false)
    })
  }

  it('refuses a table that exists', async () => {
    await query('CREATE TABLE TABLE (id int)')
    const { status, stderr } = await load(['-', '--create'], 'id\n1\n')
    expect(stderr).to.equal(
      `pg-batch: the table "made_${table}" exists already; leave out --create to append to it\n`,
    )
    expect(status).to.equal(1)
  })
})

describe('pg-batch load', () => {
  const database = useDatabase()
  const load = (words: readonly string[], input: string): Promise<Ended> =>
    run(['load', '-', '-t', 'things', ...words], { DATABASE_URL: database.connectionString }, input)
  const things = async () => (await database.pool.query('SELECT * FROM things ORDER BY 1')).rows

  beforeEach(() =>
    database.pool.query(
      "DROP TABLE IF EXISTS things; CREATE TABLE things (id int, name text); INSERT INTO things VALUES (1, 'old')",
    ),
  )

  it('empties the table first with --truncate, and reports it', async () => {
    const { status, stderr } = await load(['--truncate'], 'id,name\n2,new\n')
    expect({ status, stderr }).to.deep.equal({ status: 0, stderr: 'things: emptied\n' })
    expect(await things()).to.deep.equal([{ id: 2, name: 'new' }])
  })

  it('does not empty the table for a file whose columns are wrong', async () => {
    expect((await load(['--truncate'], 'id,nope\n2,new\n')).status).to.equal(1)
    expect(await things()).to.have.length(1)
  })

  it('prints the plan with --dry-run, and writes nothing', async () => {
    const { status, stdout, stderr } = await load(
      ['--dry-run', '--truncate'],
      'ID;name\n2;a\u001b[31mb\n3;\n',
    )
    expect(stderr.split('\n')).to.have.length(3)
    expect(status).to.equal(0)
    expect(stdout).to.contain('Dry run: nothing is written.\n')
    expect(stdout).to.contain('standard input (csv, utf-8, semicolons between fields, a header)')
    expect(stdout).to.contain('things, emptied first (TRUNCATE)').and.contain('"ID" = id')
    expect(stdout)
      .to.match(/│ 2 +│ a \[31mb +│/)
      .and.match(/│ 3 +│ NULL +│/)
    expect(await things()).to.deep.equal([{ id: 1, name: 'old' }])
  })

  it('creates no table with --dry-run --create, and prints the statement', async () => {
    const words = ['load', '-', '-t', 'others', '--create', '--dry-run']
    const { stdout } = await run(words, { DATABASE_URL: database.connectionString }, 'id\n1\n')
    expect(stdout).to.contain('CREATE TABLE "others" (\n  "id" integer\n);')
    const { rows } = await database.pool.query("SELECT to_regclass('others') AS made")
    expect(rows).to.deep.equal([{ made: null }])
  })
})
