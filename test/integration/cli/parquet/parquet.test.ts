import { readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect } from 'chai'
import { parquetReadObjects } from 'hyparquet'
import { compressors } from 'hyparquet-compressors'
import { useFolder } from '../../../support/folder.ts'
import { type MadeColumn, numbered, parquetOf } from '../../../support/parquet.ts'
import { useDatabase } from '../../../support/servers/database.ts'
import { run } from '../support.ts'

const FLIGHTS = fileURLToPath(
  new URL('../../../../node_modules/vega-datasets/data/flights-3m.parquet', import.meta.url),
)

describe('pg-batch load of Parquet', () => {
  const database = useDatabase()
  const file = useFolder()

  beforeEach(() =>
    database.pool.query(`
      DROP TABLE IF EXISTS made, events, pg_batch_resume, pg_batch_checkpoint;
      CREATE TABLE events ("Event Id" int, note text)`),
  )

  const load = (...words: string[]) => run(['load', ...words], { DATABASE_URL: database.connectionString })
  const query = async (text: string) =>
    (await database.pool.query({ text, rowMode: 'array' })).rows as unknown[][]
  const counts = async (table: string, id = 'id') =>
    (await query(`SELECT count(*)::int, count(DISTINCT ${id})::int, sum(${id})::int FROM ${table}`))[0]
  const exactly = (n: number) => [n, n, (n * (n + 1)) / 2]

  const text = { type: 'BYTE_ARRAY', converted_type: 'UTF8' } as const
  const column = (name: string, element: MadeColumn['schema'][number], ...data: unknown[]): MadeColumn => ({
    name,
    schema: [element],
    data,
  })
  const listOf = (element: MadeColumn['schema'][number]): MadeColumn['schema'] => [
    { converted_type: 'LIST', num_children: 1 },
    { name: 'list', repetition_type: 'REPEATED', num_children: 1 },
    { name: 'element', ...element },
  ]
  const NANOS = { type: 'TIMESTAMP', unit: 'NANOS', isAdjustedToUTC: false } as const

  const everything: MadeColumn[] = [
    column('id', { type: 'INT32', repetition_type: 'REQUIRED' }, 1, 2),
    column('big', { type: 'INT64' }, 9007199254740993n, null),
    column('unsigned', { type: 'INT64', converted_type: 'UINT_64' }, 2n ** 64n - 1n, null),
    column(
      'price',
      { type: 'BYTE_ARRAY', converted_type: 'DECIMAL', precision: 38, scale: 4 },
      -(10n ** 30n + 1n),
      null,
    ),
    column('ratio', { type: 'DOUBLE' }, Number.NaN, null),
    column('ok', { type: 'BOOLEAN' }, true, null),
    column('day', { type: 'INT32', converted_type: 'DATE' }, -719529, null),
    column('at', { type: 'INT64', converted_type: 'TIMESTAMP_MICROS' }, -1n, null),
    column('local', { type: 'INT64', logical_type: NANOS }, 1_000n, null),
    column('clock', { type: 'INT32', converted_type: 'TIME_MILLIS' }, 1001, null),
    column('name', text, "it's\t\\N", null),
    column('doc', { type: 'BYTE_ARRAY', converted_type: 'JSON' }, { b: 1, a: [null] }, null),
    column('raw', { type: 'BYTE_ARRAY' }, Uint8Array.of(0, 92, 255), null),
    column(
      'uid',
      { type: 'FIXED_LEN_BYTE_ARRAY', type_length: 16, logical_type: { type: 'UUID' } },
      '00112233-4455-6677-8899-aabbccddeeff',
      null,
    ),
    { name: 'tags', schema: listOf(text), data: [['a', null, '{"}'], null] },
    { name: 'bigs', schema: listOf({ type: 'INT64' }), data: [[2n ** 62n], []] },
    {
      name: 'pair',
      schema: [{ num_children: 2 }, { name: 'x', type: 'INT64' }, { name: 'y', ...text }],
      data: [{ x: 2n ** 62n, y: null }, null],
    },
  ]

  it('creates a table with the types of the file, and stores every value as it is', async () => {
    const path = await file('all.parquet', parquetOf(everything))
    const { status, stderr, stdout } = await load(path, '-t', 'made', '--create', '--key', 'id')
    expect(
      stderr,
    ).to.equal(`${path}: "local" may have nanoseconds, which are rounded to microseconds (--type "local=text" keeps them)
CREATE TABLE "made" (
  "id"       integer,
  "big"      bigint,
  "unsigned" numeric(20,0),
  "price"    numeric(38,4),
  "ratio"    double precision,
  "ok"       boolean,
  "day"      date,
  "at"       timestamptz,
  "local"    timestamp,
  "clock"    time,
  "name"     text,
  "doc"      jsonb,
  "raw"      bytea,
  "uid"      uuid,
  "tags"     text[],
  "bigs"     bigint[],
  "pair"     jsonb,
  PRIMARY KEY ("id")
);
`)
    expect(stdout).to.match(/^made: 2 rows committed/)
    expect(status).to.equal(0)
    const names = everything.map(({ name }) => (name === 'at' ? 'extract(epoch FROM at)' : name))
    const [first, second] = await query(
      `SELECT ${names.map(name => `${name}::text`).join()} FROM made ORDER BY id`,
    )
    expect(first).to.deep.equal([
      '1',
      '9007199254740993',
      '18446744073709551615',
      '-100000000000000000000000000.0001',
      'NaN',
      'true',
      '0002-12-31 BC',
      '-0.000001',
      '1970-01-01 00:00:00.000001',
      '00:00:01.001',
      "it's\t\\N",
      '{"a": [null], "b": 1}',
      '\\x005cff',
      '00112233-4455-6677-8899-aabbccddeeff',
      '{a,NULL,"{\\"}"}',
      '{4611686018427387904}',
      '{"x": 4611686018427387904, "y": null}',
    ])
    expect(second).to.deep.equal(['2', ...Array(13).fill(null), null, '{}', null])
  })

  it('stores JSON, lists and bytes in text and jsonb columns', async () => {
    await database.pool.query(
      'CREATE TABLE made (id text, big jsonb, ratio jsonb, doc text, raw text, tags jsonb, pair text, price float8, uid text)',
    )
    const some = everything.filter(({ name }) =>
      ['id', 'big', 'ratio', 'doc', 'tags', 'pair', 'price', 'uid'].includes(name),
    )
    const path = await file('other.parquet', parquetOf(some))
    const { status, stderr } = await load(path, '-t', 'made')
    expect({ status, stderr }).to.deep.equal({ status: 0, stderr: '' })
    expect(
      (await query('SELECT id, big::text, ratio::text, doc, tags, pair, price, uid FROM made'))[0],
    ).to.deep.equal([
      '1',
      '9007199254740993',
      '"NaN"',
      '{"b":1,"a":[null]}',
      ['a', null, '{"}'],
      '{"x":4611686018427387904,"y":null}',
      -1e26,
      '00112233-4455-6677-8899-aabbccddeeff',
    ])
  })

  it('shows the plan with --dry-run', async () => {
    const path = await file(
      'dry.parquet',
      parquetOf(everything.filter(({ name }) => ['id', 'raw', 'doc'].includes(name))),
    )
    const { status, stdout } = await load(path, '-t', 'made', '--create', '--not-null', '--dry-run')
    expect(status).to.equal(0)
    expect(stdout)
      .to.contain(`${path} (parquet)`)
      .and.contain('"id"  integer NOT NULL,')
      .and.contain('"doc" jsonb,')
    expect(stdout).to.match(/│ 1 +│ \{"b":1,"a":\[null\]\} +│ \\x005cff +│/)
  })

  it('matches names, with --columns and --map, several files and patterns', async () => {
    const part = (from: number) => {
      const ids = Array.from({ length: 1500 }, (_, i) => from + i)
      return parquetOf([
        column('EVENT_id', { type: 'INT32' }, ...ids),
        column('note', text, ...ids.map(String)),
      ])
    }
    await file('part-1.parquet', part(1))
    const last = await file('part-2.parquet', part(1501))
    const { status, stderr } = await load(
      `${dirname(last)}/part-*.parquet`,
      '-t',
      'events',
      '--map',
      'note=note',
    )
    expect(status, stderr).to.equal(0)
    expect(stderr).to.match(/took "EVENT_id" for column "Event Id"\n$/)
    expect(await counts('events', '"Event Id"')).to.deep.equal(exactly(3000))
    const chosen = await load(
      last,
      '-t',
      'made',
      '--create',
      '-c',
      'n',
      '--map',
      'EVENT_id=n',
      '--type',
      'n=bigint',
    )
    expect(chosen.stderr).to.equal('CREATE TABLE "made" (\n  "n" bigint\n);\n')
    expect((await counts('made', 'n'))![0]).to.equal(1500)
  })

  it('creates columns that are wide enough for the values of all files', async () => {
    const a = await file(
      'wide-1.parquet',
      parquetOf([column('n', { type: 'INT32' }, 1), column('r', { type: 'FLOAT' }, 1.5)]),
    )
    const b = await file(
      'wide-2.parquet',
      parquetOf([column('r', { type: 'DOUBLE' }, 0.1), column('n', { type: 'INT64' }, 2n ** 40n)]),
    )
    const { stderr } = await load(a, b, '-t', 'made', '--create')
    expect(stderr).to.contain('"n" bigint,\n  "r" double precision\n')
    expect(await query('SELECT n, r FROM made ORDER BY n')).to.deep.equal([
      ['1', 1.5],
      [String(2n ** 40n), 0.1],
    ])
  })

  it('rejects rows with their number in the file and their bytes, for replay', async () => {
    await database.pool.query('CREATE TABLE made (id int CHECK (id <> 1203), raw bytea)')
    const ids = Array.from({ length: 2000 }, (_, i) => i + 1)
    const raw = ids.map(id => Uint8Array.of(id & 255))
    const columns = [column('id', { type: 'INT32' }, ...ids), column('raw', { type: 'BYTE_ARRAY' }, ...raw)]
    const path = await file('bad.parquet', parquetOf(columns, { rowGroupSize: 700 }))
    const rejects = `${path}.rejects`
    const { status, stdout } = await load(path, '-t', 'made', '--rejects', rejects)
    expect(status).to.equal(0)
    expect(stdout).to.match(/^made: 1,999 rows committed .* 1 rejected/)
    const line = JSON.parse(await readFile(rejects, 'utf8'))
    expect(line).to.deep.include({
      source_offset: '1203',
      source_partition: path,
      row: { id: '1203', raw: '\\xb3' },
    })
    await database.pool.query('ALTER TABLE made DROP CONSTRAINT made_id_check')
    const replay = await run(['replay', rejects, '-t', 'made'], { DATABASE_URL: database.connectionString })
    expect(replay.status, replay.stderr).to.equal(0)
    expect(await query('SELECT raw FROM made WHERE id = 1203')).to.deep.equal([[Buffer.of(0xb3)]])
  })

  it('continues with --resume in the middle of a row group', async () => {
    await database.pool.query('CREATE TABLE made (id int CONSTRAINT bad CHECK (id <> 2222), note text)')
    const path = await file('resume.parquet', numbered(5000, { rowGroupSize: 1300 }))
    const words = [path, '-t', 'made', '--resume', 'parquet', '--batch-size', '1000']
    const first = await load(...words)
    expect(first.stderr).to.match(/row 2,222: .*; 2,000 rows committed\n$/)
    await database.pool.query('ALTER TABLE made DROP CONSTRAINT bad')
    const second = await load(...words)
    expect(second.stderr).to.contain('continuing after row 2,000')
    expect(await counts('made')).to.deep.equal(exactly(5000))
    expect((await load(...words)).stdout).to.match(/is complete: all 5,000 rows/)
    await writeFile(path, numbered(5001, { rowGroupSize: 1300 }))
    expect((await load(...words)).stderr).to.match(/has changed since the load parquet began/)
  })

  it('creates an empty table for a file without rows', async () => {
    const path = await file('empty.parquet', numbered(0))
    const { status, stdout, stderr } = await load(path, '-t', 'made', '--create')
    expect(status, stderr).to.equal(0)
    expect(stdout).to.match(/^made: 0 rows committed/)
    expect(await query('SELECT count(*)::int FROM made')).to.deep.equal([[0]])
  })

  it('ends at a damaged page, and reports where it is and how many rows are in the table', async () => {
    const made = numbered(30_000, { rowGroupSize: 10_000, codec: 'GZIP' })
    made.fill(0xff, made.length - (made.length >> 3), made.length - (made.length >> 3) + 100)
    const path = await file('damaged.parquet', made)
    await database.pool.query('CREATE TABLE made (id int, note text)')
    const { status, stderr } = await load(path, '-t', 'made', '--batch-size', '1000')
    const said =
      /damaged\.parquet: row group 3, column "(?:id|note)": the data are damaged or cut off; (nothing|[\d,]+ rows?) committed\n$/
    expect(stderr).to.match(said)
    expect(status).to.equal(1)
    const committed = Number.parseInt(said.exec(stderr)![1]!.replace(',', ''), 10) || 0
    const [rows, distinct] = (await counts('made')) as number[]
    expect({ rows, distinct }).to.deep.equal({ rows: committed, distinct: committed })
    expect(committed).to.be.at.most(20_000)
  })

  it('loads the three million flights of vega-datasets, as hyparquet itself reads them', async function () {
    this.timeout(180_000)
    const { status, stderr, stdout } = await load(FLIGHTS, '-t', 'made', '--create', '--batch-size', '10000')
    expect(status, stderr).to.equal(0)
    expect(stdout).to.match(/^made: 3,000,000 rows committed/)
    const bytes = await readFile(FLIGHTS)
    const content = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length) as ArrayBuffer
    const sums = { rows: 0, ms: 0, delay: 0, distance: 0, lax: 0 }
    for (let rowStart = 0; rowStart < 3_000_000; rowStart += 272_727) {
      const options = {
        file: content,
        compressors,
        rowStart,
        rowEnd: Math.min(rowStart + 272_727, 3_000_000),
      }
      for (const { date, delay, distance, origin } of await parquetReadObjects(options)) {
        sums.rows++
        sums.ms += (date as Date).getTime() / 60_000
        sums.delay += Number(delay)
        sums.distance += Number(distance)
        if (origin === 'LAX') sums.lax++
      }
    }
    const { rows } = await database.pool.query(`
      SELECT count(*)::int AS rows, sum(extract(epoch FROM date) / 60)::float8 AS ms, sum(delay)::int AS delay,
        sum(distance)::float8 AS distance, count(*) FILTER (WHERE origin = 'LAX')::int AS lax FROM made`)
    expect(rows[0]).to.deep.equal(sums)
    expect(sums.rows).to.equal(3_000_000)
  })

  it('rejects half of a surrogate pair in JSON in a list', async () => {
    await database.pool.query('CREATE TABLE made (id int, notes text[])')
    const json = { type: 'BYTE_ARRAY', converted_type: 'JSON' } as const
    const columns: MadeColumn[] = [
      column('id', { type: 'INT32' }, 1, 2, 3),
      { name: 'notes', schema: listOf(json), data: [['a'], ['b', '\ud83d'], [null, '\ud83d\ude00']] },
    ]
    const path = await file('halves.parquet', parquetOf(columns))
    const { status, stderr } = await load(path, '--table', 'made', '--rejects', `${path}.ndjson`)
    expect({ status, stderr }).to.include({ status: 0 })
    expect(await query('SELECT id, notes FROM made ORDER BY id')).to.deep.equal([
      [1, ['a']],
      [3, [null, '😀']],
    ])
    const [line] = (await readFile(`${path}.ndjson`, 'utf8')).trimEnd().split('\n')
    expect(JSON.parse(line!)).to.include({ code: 'VALUE_NOT_ENCODABLE', column_name: 'notes' })
  })
})

describe('pg-batch load reports of Parquet', () => {
  const file = useFolder()
  const cases: [title: string, words: (path: string) => string[], input: Buffer, line: RegExp][] = [
    [
      'on standard input',
      () => ['-'],
      numbered(1),
      /^pg-batch: standard input: a Parquet file is read from its end/,
    ],
    [
      'that is named so and is something else',
      path => [path, '--format', 'parquet'],
      Buffer.from('a,b\n'),
      /: it does not begin as a Parquet file does; say what it is with --format$/m,
    ],
    [
      'that is said to be something else',
      path => [path, '--format', 'csv', '--encoding', 'latin1'],
      numbered(1),
      /: it is a Parquet file, not csv; leave out --format$/m,
    ],
    [
      'whose text is described',
      path => [path, '--null', 'NA'],
      numbered(1),
      /: --null has no meaning for a Parquet file$/m,
    ],
    ...(['--lenient', '--strict-header'] as const).map((option): (typeof cases)[number] => [
      `that is read with ${option}`,
      path => [path, option],
      numbered(1),
      new RegExp(`: ${option} has no meaning for a Parquet file$`, 'm'),
    ]),
    [
      'that is not there',
      path => [join(dirname(path), 'no.parquet')],
      Buffer.alloc(0),
      /no\.parquet: no such file;/,
    ],
  ]
  for (const [title, words, input, line] of cases) {
    it(`${title} what is wrong, in one line`, async () => {
      const path = await file('input', input)
      const env = { DATABASE_URL: 'postgres://127.0.0.1:1/nobody' }
      const { status, stderr } = await run(['load', ...words(path), '-t', 't'], env, input)
      expect(stderr)
        .to.match(line)
        .and.match(/^[^\n]+\n$/)
      expect(status).to.be.oneOf([1, 2])
    })
  }
})
