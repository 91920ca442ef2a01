import { readFile } from 'node:fs/promises'
import { expect } from 'chai'
import { type MadeColumn, parquetOf } from '../../../support/parquet.ts'
import { useParquet } from './made-files.ts'

describe('values of Parquet', () => {
  const { database, file, load, query, text, column, listOf } = useParquet()

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

  it('stores infinite dates and timestamps of DuckDB, which are the highest counts', async () => {
    const most = 2n ** 63n - 1n
    const days = { type: 'INT32', converted_type: 'DATE' } as const
    const micros = { type: 'INT64', converted_type: 'TIMESTAMP_MICROS' } as const
    const columns = [
      column('day', days, 2 ** 31 - 1, -(2 ** 31 - 1), 1),
      column('at', micros, most, -most, 1n),
      { name: 'times', schema: listOf(micros), data: [[most, null], [-most], []] },
    ]
    const path = await file('duckdb.parquet', parquetOf(columns, { createdBy: 'DuckDB version v1.5.5' }))
    const { status, stderr } = await load(path, '-t', 'made', '--create')
    expect(status, stderr).to.equal(0)
    expect(
      await query('SELECT day::text, extract(epoch FROM at)::text, times::text FROM made'),
    ).to.deep.equal([
      ['infinity', 'Infinity', '{infinity,NULL}'],
      ['-infinity', '-Infinity', '{-infinity}'],
      ['1970-01-02', '0.000001', '{}'],
    ])
    await file('duckdb.parquet', parquetOf([column('at', micros, most)], { createdBy: 'parquet-mr' }))
    await load(path, '-t', 'made')
    expect(await query("SELECT 1 FROM made WHERE at = '294247-01-10 04:00:54.775807Z'")).to.have.length(1)
  })

  it('keeps the sign of -0 where a type has it', async () => {
    await database.pool.query(
      'CREATE TABLE made (a float8, b float4, c float8, d float4, e text, f numeric, g int, h float8[])',
    )
    const zero = (name: string, type: 'FLOAT' | 'DOUBLE', encoding = 'PLAIN') => ({
      ...column(name, { type }, -0, 1.0, -0),
      encoding,
    })
    const columns = [
      ...[zero('a', 'DOUBLE'), zero('b', 'FLOAT'), zero('c', 'FLOAT'), zero('d', 'DOUBLE', 'RLE_DICTIONARY')],
      ...[zero('e', 'DOUBLE'), zero('f', 'DOUBLE'), zero('g', 'FLOAT')],
      { name: 'h', schema: listOf({ type: 'DOUBLE' }), data: [[-0], [1], [-0]] },
    ]
    const { status, stderr } = await load(await file('zero.parquet', parquetOf(columns)), '-t', 'made')
    expect(status, stderr).to.equal(0)
    expect((await query('SELECT made::text FROM made')).flat()).to.deep.equal([
      '(-0,-0,-0,-0,-0,0,0,{-0})',
      '(1,1,1,1,1,1,1,{1})',
      '(-0,-0,-0,-0,-0,0,0,{-0})',
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
