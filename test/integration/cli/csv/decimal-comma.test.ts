import { readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { expect } from 'chai'
import { useFolder } from '../../../support/folder.ts'
import { useDatabase } from '../../../support/servers/database.ts'
import { run } from '../support.ts'

describe('pg-batch load --decimal-separator ,', () => {
  const database = useDatabase()
  const file = useFolder()
  const load = (words: readonly string[], input: string) =>
    run(
      ['load', '-', '-t', 't', '--decimal-separator', ',', ...words],
      { DATABASE_URL: database.connectionString },
      input,
    )
  const stored = async () =>
    (await database.pool.query('SELECT id, name, v::text, f, d::text FROM t ORDER BY id')).rows

  beforeEach(() =>
    database.pool.query(`
      DROP TABLE IF EXISTS t;
      DROP DOMAIN IF EXISTS price;
      CREATE DOMAIN price AS numeric(8,3);
      CREATE TABLE t (id int PRIMARY KEY, name text, v numeric, f float8, d price)`),
  )

  const TEXT = 'id;name;v;f;d\n1;1,5;12345678901234567890,10;-2,5e3;0,125\n2;3.4,5;;NaN;"7,5"\n3;x;,5;8;-1\n'
  const ROWS = [
    { id: 1, name: '1,5', v: '12345678901234567890.10', f: -2500, d: '0.125' },
    { id: 2, name: '3.4,5', v: null, f: Number.NaN, d: '7.500' },
    { id: 3, name: 'x', v: '0.5', f: 8, d: '-1.000' },
  ]

  for (const words of [[], ['--on-conflict', 'id'], ['--rejects', 'r.ndjson'], ['--batch-size', '1']]) {
    it(`reads the numbers of numeric columns alone, exactly (${words.join(' ') || 'plain'})`, async () => {
      const [option, value] = words
      const ways =
        option === '--rejects' ? [option, join(dirname(await file('x.csv', '')), 'r.ndjson')] : words
      const { status, stderr } = await load(ways.filter(Boolean), TEXT)
      expect(status, `${stderr} ${value}`).to.equal(0)
      expect(await stored()).to.deep.equal(ROWS)
    })
  }

  it('reads them where a rule of the table keeps rows from COPY', async () => {
    await database.pool.query(
      `CREATE VIEW seen AS SELECT * FROM t; CREATE RULE r AS ON INSERT TO t WHERE false DO INSTEAD NOTHING`,
    )
    const { status, stderr } = await load([], TEXT).finally(() => database.pool.query('DROP VIEW seen'))
    expect(status, stderr).to.equal(0)
    expect(await stored()).to.deep.equal(ROWS)
  })

  it('reads them in the text format of COPY', async () => {
    const { status, stderr } = await load(['--format', 'text'], '1\ta,b\t1,5\t2,5e1\t\\N\n')
    expect(status, stderr).to.equal(0)
    expect(await stored()).to.deep.equal([{ id: 1, name: 'a,b', v: '1.5', f: 25, d: null }])
  })

  it('asks whether a comma is the delimiter, unless quotes or an option show it', async () => {
    for (const input of ['price\n1,5\n2,25\n3,75\n', '1,5\n2,25\n3,75\n', 'v,f\n1,5\n2,25\n']) {
      const { status, stderr } = await load(['--create', '--dry-run'], input)
      expect(stderr).to.match(
        /commas seem to be between its fields, and --decimal-separator says they are in numbers; .* --delimiter ','; .* --delimiter tab/,
      )
      expect(status).to.equal(1)
    }
    await database.pool.query('DROP TABLE t')
    const one = await load(['--create', '--delimiter', 'tab'], 'price\n1,5\n2,25\n3,75\n')
    expect(one).to.include({ status: 0 })
    expect((await database.pool.query('SELECT sum(price)::text AS sum FROM t')).rows).to.deep.equal([
      { sum: '7.50' },
    ])
    await database.pool.query('DROP TABLE t')
    const quoted = await load(['--create'], 'v,f\n"1,5",1\n"2,25",2\n')
    expect(quoted).to.include({ status: 0 })
    expect(
      (await database.pool.query('SELECT sum(v)::text AS v, sum(f)::int AS f FROM t')).rows,
    ).to.deep.equal([{ v: '3.75', f: 3 }])
  })

  it('is refused for JSON, whose numbers have points', async () => {
    const { status, stderr } = await load([], '{"id":1,"name":"1,5","v":1.50}\n')
    expect(stderr).to.contain('--decimal-separator has no meaning for JSON')
    expect(status).to.equal(2)
    expect(await stored()).to.deep.equal([])
  })

  for (const number of ['1.234,56', '1.234', '1.5', '1,234,567', '1,5.']) {
    it(`refuses ${number}, and never guesses`, async () => {
      const { status, stderr } = await load([], `id;v\n1;1,5\n2;${number}\n`)
      expect(status).to.equal(1)
      expect(stderr).to.contain('row 2 (line 3): the value of "v" has a point, or two commas')
      expect(await stored()).to.deep.equal([])
    })
  }

  it('rejects them with the text of the file, and replay loads the corrected line', async () => {
    const rejects = join(dirname(await file('x.csv', '')), 'bad.ndjson')
    const { status, stderr } = await load(
      ['--rejects', rejects],
      'id;v;f\n1;1,5;1\n2;1.234,56;2,5\n3;x;2,5\n',
    )
    expect(status, stderr).to.equal(0)
    const rows = (await readFile(rejects, 'utf8')).trim().split('\n')
    expect(rows.map(line => JSON.parse(line).row)).to.deep.equal([
      { id: '2', v: '1.234,56', f: '2.5' },
      { id: '3', v: 'x', f: '2.5' },
    ])
    await writeFile(rejects, rows.join('\n').replace('1.234,56', '1234.56').replace('"x"', '"7"'))
    const again = await run(['replay', rejects, '-t', 't'], { DATABASE_URL: database.connectionString })
    expect(again.status, again.stderr).to.equal(0)
    expect((await stored()).map(({ v, f }) => [v, f])).to.deep.equal([
      ['1.5', 1],
      ['1234.56', 2.5],
      ['7', 2.5],
    ])
  })

  it('infers types with it, and text where the numbers have points', async () => {
    await database.pool.query('DROP TABLE t')
    const { status, stderr } = await load(['--create'], 'a;b;c;e\n1,50;2;1.5;1,5e+3\n-0,1;3;1,5;2\n')
    expect(status, stderr).to.equal(0)
    expect(stderr).to.contain('"a" numeric').and.contain('"b" integer').and.contain('"c" text')
    expect((await database.pool.query('SELECT a::text, c, e FROM t')).rows).to.deep.equal([
      { a: '1.50', c: '1.5', e: 1500 },
      { a: '-0.1', c: '1,5', e: 2 },
    ])
  })

  it('checks the rows after the sample', async () => {
    await database.pool.query('DROP TABLE t')
    const { status, stderr } = await load(['--create'], `a;b\n${'1,5;2\n'.repeat(1500)}1.5;2\n`)
    expect(status).to.equal(1)
    expect(stderr).to.contain('row 1,501').and.contain('the value of "a" is not numeric')
  })
})
