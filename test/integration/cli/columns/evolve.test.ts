import { expect } from 'chai'
import { useFolder } from '../../../support/folder.ts'
import { parquetOf } from '../../../support/parquet.ts'
import { useDatabase } from '../../../support/servers/database.ts'
import { type Ended, run } from '../support.ts'

const ID = { name: 'id', data: [1, 2], schema: [{ type: 'INT32' }] } as const
const AMOUNT = { name: 'amount', data: [0.5, 1.5], schema: [{ type: 'DOUBLE' }] } as const

describe('pg-batch load --evolve', function () {
  this.timeout(60_000)
  const database = useDatabase()
  const file = useFolder()
  let table = ''
  let count = 0

  const load = (words: readonly string[], input?: string): Promise<Ended> =>
    run(
      ['load', ...(input === undefined ? [] : ['-']), ...words, '-t', table],
      { DATABASE_URL: database.connectionString },
      input,
    )
  const query = async (text: string) => (await database.pool.query({ text, rowMode: 'array' })).rows
  const columns = async (): Promise<Record<string, string>> =>
    Object.fromEntries(
      await query(
        `SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute
         WHERE attrelid = '${table}'::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum`,
      ),
    )

  beforeEach(async () => {
    table = `t_${++count}`
    await query(`CREATE TABLE ${table} (id int, user_name text)`)
  })

  const CSV = 'id,UserName,price,"in stock",note\n1,Ada,0.10,true,\n2,Bob,12,,\n'
  const ALTER = () =>
    `ALTER TABLE "public"."${table}"
  ADD COLUMN IF NOT EXISTS "price" numeric,
  ADD COLUMN IF NOT EXISTS "in stock" boolean,
  ADD COLUMN IF NOT EXISTS "note" text;
`

  it('adds columns for names in the header of a CSV file, with types from its first rows', async () => {
    const { status, stderr, stdout } = await load(['--evolve'], CSV)
    expect(stderr).to.equal(`standard input: took "UserName" for column "user_name"\n${ALTER()}`)
    expect(stdout).to.match(/2 rows committed/)
    expect(status).to.equal(0)
    expect(
      await query(`SELECT id, user_name, price::text, "in stock", note FROM ${table} ORDER BY id`),
    ).to.deep.equal([
      [1, 'Ada', '0.10', true, null],
      [2, 'Bob', '12', null, null],
    ])
  })

  it('shows the statement with --dry-run, and changes nothing', async () => {
    for (const input of [CSV, '{"id":1,"price":1.5}\n{"id":2,"doc":{"a":1}}\n']) {
      const { status, stdout } = await load(['--evolve', '--dry-run'], input)
      expect(stdout).to.include('ADD COLUMN IF NOT EXISTS "price" numeric')
      expect(stdout).to.include('2 would be written')
      expect(status).to.equal(0)
    }
    expect(await columns()).to.deep.equal({ id: 'integer', user_name: 'text' })
  })

  it('takes the types of --type and the names of --map', async () => {
    const words = ['--evolve', '--type', 'price=numeric(10,2)', '--map', 'note=remark']
    expect(await load(words, CSV)).to.include({ status: 0 })
    expect(await columns()).to.deep.equal({
      id: 'integer',
      user_name: 'text',
      price: 'numeric(10,2)',
      'in stock': 'boolean',
      remark: 'text',
    })
  })

  const later = (value: string) => `id,n\n${'1,1\n'.repeat(1200)}2,${value}\n`

  it('refuses a later cell that does not fit the inferred type, or rejects its row', async () => {
    const { status, stderr } = await load(['--evolve'], later('007'))
    expect(status).to.equal(1)
    expect(stderr).to.include(
      'row 1,201 (line 1202): the value of "n" is not integer, the type inferred from',
    )
    const rejects = `${await file('rejects', '')}.ndjson`
    await query(`ALTER TABLE ${table} DROP COLUMN n`)
    expect(await load(['--evolve', '--rejects', rejects], later('007'))).to.include({ status: 0 })
    expect(await query(`SELECT count(*)::int, count(n)::int FROM ${table}`)).to.deep.equal([[1200, 1200]])
    await query(`ALTER TABLE ${table} DROP COLUMN n`)
    const whole = await file('whole.csv', later('1.5'))
    expect(await load([whole, '--evolve', '--infer', 'all'])).to.include({ status: 0 })
    expect(await columns()).to.include({ n: 'numeric' })
  })

  for (const from of ['a pipe', 'a file'])
    it(`adds columns for keys of JSON rows of ${from}, those after the first 1,000 too, and keeps numbers and JSON`, async () => {
      const lines = [
        '{"id":1,"doc":{"b":1.0,"a":[1]},"price":10.50,"at":"2026-03-01T10:00:00Z","none":null}',
        ...Array.from({ length: 1100 }, () => '{"id":2}'),
        '{"id":3,"late":12345678901234567890.5,"more":{"x":1.10},"word":"7"}',
        '{"id":4,"late":1,"more":"5","word":"x"}',
      ]
      const text = `${lines.join('\n')}\n`
      const words = ['--evolve', '--batch-size', '50']
      const { status, stderr } = await (from === 'a pipe'
        ? load(words, text)
        : load([await file('rows.ndjson', text), ...words]))
      expect(stderr.match(/^ALTER TABLE/gm)).to.have.lengthOf(2)
      expect(status).to.equal(0)
      expect(await columns()).to.deep.equal({
        id: 'integer',
        user_name: 'text',
        doc: 'jsonb',
        price: 'numeric',
        at: 'timestamp with time zone',
        late: 'numeric',
        more: 'text',
        word: 'text',
      })
      expect(
        await query(
          `SELECT id, doc, price::text, late::text, more, word FROM ${table} WHERE id <> 2 ORDER BY id`,
        ),
      ).to.deep.equal([
        [1, { a: [1], b: 1 }, '10.50', null, null, null],
        [3, null, null, '12345678901234567890.5', '{"x":1.10}', '7'],
        [4, null, null, '1', '5', 'x'],
      ])
    })

  /** A row with the key among the first 1,000 rows, or after them, and a later row with another value. */
  const jsonRows = (first: string, later: string, before: number): string =>
    [
      ...Array.from({ length: before }, () => '{"id":1}'),
      ...Array.from({ length: 1200 }, () => `{"id":2,"v":${first}}`),
      `{"id":3,"v":${later}}`,
      '',
    ].join('\n')

  const MISFITS = [
    ['"2026-01-05"', '"2026-01-05T23:30:00"', 'date'],
    ['"2026-01-05T12:00:00"', '"2026-01-05T12:00:00+02:00"', 'timestamp'],
    ['true', '"yes"', 'boolean'],
    ['1', '"007"', 'integer'],
    ['1e-7', '0.12345678901234567890', 'double precision'],
    ['{"a":1}', '{"a":1,"a":2}', 'jsonb'],
  ] as const

  for (const before of [0, 1100])
    it(`refuses a later value of JSON that does not fit a type inferred after ${before} rows`, async () => {
      for (const [first, later, type] of MISFITS) {
        await query(`ALTER TABLE ${table} DROP COLUMN IF EXISTS v`)
        const path = await file('later.ndjson', jsonRows(first, later, before))
        const words = [path, '--evolve', '--batch-size', '100']
        const { status, stderr } = await load(words)
        expect(status, type).to.equal(1)
        expect(stderr).to.include(`the value of "v" is not ${type}, the type inferred from the first`)
        expect(stderr).to.include('; drop the column, and infer from all rows with --infer all')
        await query(`TRUNCATE ${table}; ALTER TABLE ${table} DROP COLUMN v`)
        const rejects = `${await file('rejects', '')}.${type}.ndjson`
        expect(await load([...words, '--rejects', rejects])).to.include({ status: 0 })
        expect(
          await query(`SELECT id, count(v)::int FROM ${table} WHERE id > 1 GROUP BY id`),
          type,
        ).to.deep.equal([[2, 1200]])
      }
    })

  for (const from of ['a pipe', 'a file'])
    it(`gives a key that comes late in JSON of ${from} the type of --type`, async () => {
      const text = jsonRows('"2026-01-05"', '"2026-01-05T23:30:00"', 1100)
      const words = ['--evolve', '--type', 'v=text', '--batch-size', '100']
      const { status, stderr } = await (from === 'a pipe'
        ? load(words, text)
        : load([await file('typed.ndjson', text), ...words]))
      expect(stderr.match(/^ALTER TABLE/gm)).to.have.lengthOf(1)
      expect(status).to.equal(0)
      expect(await columns()).to.include({ v: 'text' })
      expect(await query(`SELECT v FROM ${table} WHERE id = 3`)).to.deep.equal([['2026-01-05T23:30:00']])
    })

  it('makes a json column of JSON with a key twice, which jsonb would drop', async () => {
    const path = await file('twice.ndjson', '{"id":1,"v":{"a":1,"a":2}}\n{"id":2,"v":"x"}\n')
    for (const option of ['--evolve', '--create']) {
      if (option === '--create') await query(`DROP TABLE ${table}`)
      expect(await load([path, option])).to.include({ status: 0 })
      expect(await columns()).to.include({ v: 'json' })
      expect(await query(`SELECT v::text FROM ${table} ORDER BY id`)).to.deep.equal([
        ['{"a":1,"a":2}'],
        ['"x"'],
      ])
    }
  })

  for (const [format, before] of [
    ['csv', 0],
    ['ndjson', 0],
    ['ndjson', 1100],
  ] as const)
    it(`compares later values of ${format}, of a column added after ${before} rows, when --resume continues`, async () => {
      const ids = Array.from({ length: before + 3000 }, (_, id) => id)
      const lines =
        format === 'csv'
          ? ['id,v', ...ids.map(id => `${id},5`), '9999,007']
          : [...ids.map(id => JSON.stringify({ id, v: id < before ? null : 5 })), '{"id":9999,"v":"007"}']
      const path = await file(`resumed-${before}.${format}`, `${lines.join('\n')}\n`)
      const words = [path, '--evolve', '--resume', `${table}-run`, '--batch-size', '100']
      await query(`ALTER TABLE ${table} ADD CONSTRAINT few CHECK (id < ${before + 2500})`)
      expect(await load(words)).to.include({ status: 1 })
      await query(`ALTER TABLE ${table} DROP CONSTRAINT few`)
      const { status, stderr } = await load(words)
      expect(stderr).to.include('the value of "v" is not integer, the type inferred from the first rows')
      expect(status).to.equal(1)
      await query(`ALTER TABLE ${table} ALTER COLUMN v TYPE text`)
      expect(await load(words)).to.include({ status: 0 })
      expect(await query(`SELECT count(*)::int, max(v) FROM ${table}`)).to.deep.equal([[ids.length + 1, '5']])
      expect(await query(`SELECT v FROM ${table} WHERE id = 9999`)).to.deep.equal([['007']])
    })

  it('adds columns with the types of a Parquet file', async () => {
    const path = await file('typed.parquet', parquetOf([ID, AMOUNT]))
    expect(await load([path, '--evolve'])).to.include({ status: 0 })
    expect(await columns()).to.deep.equal({ id: 'integer', user_name: 'text', amount: 'double precision' })
    expect(await query(`SELECT id, amount FROM ${table} ORDER BY id`)).to.deep.equal([
      [1, 0.5],
      [2, 1.5],
    ])
  })

  it('adds no column for a key of JSON that another spelling of a column is', async () => {
    const text = '{"ID":1,"userName":"Ada","extra":1}\n'
    const path = await file('spelled.ndjson', text)
    for (const words of [[path], ['-']]) {
      const { status } = await run(
        ['load', ...words, '--evolve', '--map', 'extra=more', '-t', table],
        { DATABASE_URL: database.connectionString },
        text,
      )
      expect(status).to.equal(0)
    }
    expect(await columns()).to.deep.equal({ id: 'integer', user_name: 'text', more: 'integer' })
    expect(await query(`SELECT * FROM ${table}`)).to.deep.equal([
      [1, 'Ada', 1],
      [1, 'Ada', 1],
    ])
  })

  it('adds columns for later keys to a table that --create has made', async () => {
    table = `made_${count}`
    const lines = [...Array.from({ length: 1100 }, () => '{"id":2}'), '{"id":3,"late":{"a":"b"}}']
    expect(await load(['--create', '--evolve'], `${lines.join('\n')}\n`)).to.include({ status: 0 })
    expect(await columns()).to.deep.equal({ id: 'integer', late: 'jsonb' })
  })

  it('adds no more columns than --max-new-columns', async () => {
    const csv = await load(['--evolve', '--max-new-columns', '2'], CSV)
    expect(csv.status).to.equal(1)
    expect(csv.stderr).to.include(
      `${table} lacks 3 columns: price, in stock, note; --evolve adds up to 2, see --max-new-columns`,
    )
    const json = await load(['--evolve', '--max-new-columns', '1'], '{"id":1,"a":1}\n{"id":2,"b":1}\n')
    expect(json.status).to.equal(1)
    expect(json.stderr).to.include('cannot be added: --max-new-columns allows 1 new columns')
  })

  it('names what cannot become a column, and options that contradict it', async () => {
    const long = await load(['--evolve'], `id,${'x'.repeat(64)}\n1,1\n`)
    expect(long.stderr).to.include('longer than 63 bytes; give another with --map')
    expect((await load(['--evolve'], 'id,ctid\n1,1\n')).stderr).to.include('system column')
    expect((await load(['--evolve', '--columns', 'id'], CSV)).stderr).to.include('leave out --columns')
    expect((await load(['--evolve', '--no-header'], '1,2\n')).stderr).to.include('--evolve needs the names')
    expect((await load(['--max-new-columns', '5'], CSV)).stderr).to.include('works only with --evolve')
    await query(`CREATE VIEW v_${table} AS SELECT * FROM ${table}`)
    table = `v_${table}`
    expect((await load(['--evolve'], CSV)).stderr).to.include(
      `--evolve alters tables, and ${table} is a view`,
    )
  })

  it('reads a file again in a single transaction when a later row has a new key', async () => {
    const lines = [...Array.from({ length: 1100 }, () => '{"id":2}'), '{"id":3,"late":1}']
    const path = await file('late.ndjson', `${lines.join('\n')}\n`)
    const words = ['--evolve', '--single-transaction', '--batch-size', '100']
    expect(await load([path, ...words])).to.include({ status: 0 })
    expect(await query(`SELECT count(*)::int, count(late)::int FROM ${table}`)).to.deep.equal([[1101, 1]])
  })
})
