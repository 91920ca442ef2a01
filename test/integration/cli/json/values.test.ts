import { expect } from 'chai'
import fc from 'fast-check'
import { useFolder } from '../../../support/folder.ts'
import { parquetOf } from '../../../support/parquet.ts'
import { useDatabase } from '../../../support/servers/database.ts'
import { valuesOf } from '../../../support/writing.ts'
import { run } from '../support.ts'

const NUMBERS = [
  '10.50',
  '1.0',
  '-0.0',
  '0.10',
  '1e2',
  '1E+2',
  '5.00e-3',
  '12345678901234567890',
  '0.1',
  '7',
  '-0',
]

describe('values of JSON', function () {
  this.timeout(60_000)
  const db = useDatabase()
  const file = useFolder()
  const load = async (name: string, text: string | Buffer, ...words: string[]) => {
    return run(['load', await file(name, text), ...words], { DATABASE_URL: db.connectionString })
  }
  const forms = (rows: readonly string[]): [name: string, text: string][] => [
    ['rows.ndjson', rows.join('\n')],
    ['rows.json', `[${rows.join(',\n')}]`],
  ]

  for (const [name] of forms([])) {
    it(`keep the spelling of numbers, the order of keys and repeated ones: ${name}`, async () => {
      await db.pool.query(`DROP TABLE IF EXISTS kept; CREATE TABLE kept (line int, n numeric, t text, v varchar(40), j json,
        b jsonb, deep json, list numeric[], texts text[], d float8)`)
      const rows = NUMBERS.map(
        (n, line) =>
          `{"line":${line}.0,"n":${n},"t":${n},"v":${n},"j":${n},"b":${n},"deep":{"z": [${n}],"a":1,"z":${n}},"list":[${n},null],"texts":[${n},"x"],"d":${n}}`,
      )
      const [, text] = forms(rows).find(([form]) => form === name)!
      expect(await load(name, text, '-t', 'kept')).to.include({ status: 0 })
      const stored = await valuesOf(
        db.pool,
        'SELECT n::text, t, v, j::text, b::text, deep::text, list::text, texts::text, d::text FROM kept ORDER BY line',
      )
      const [as] = await Promise.all([
        Promise.all(
          NUMBERS.map(n =>
            valuesOf(
              db.pool,
              `SELECT ('${n}'::numeric)::text, ('${n}'::jsonb)::text, ('{${n},NULL}'::numeric[])::text, ('${n}'::float8)::text`,
            ),
          ),
        ),
      ])
      for (const [line, n] of NUMBERS.entries()) {
        const [numeric, jsonb, list, float] = as[line]![0]!
        expect(stored[line]).to.deep.equal([
          numeric,
          n,
          n,
          n,
          jsonb,
          `{"z": [${n}],"a":1,"z":${n}}`,
          list,
          `{${n},x}`,
          float,
        ])
      }
    })
  }

  it('are what the server reads in the same text, for any text', async () => {
    await db.pool.query(
      'DROP TABLE IF EXISTS any_json; CREATE TABLE any_json (line int, b jsonb, j json, t text)',
    )
    const number = fc
      .tuple(
        fc.constantFrom('', '-'),
        fc.stringMatching(/^(0|[1-9]\d{0,18})$/),
        fc.stringMatching(/^(\.\d{1,12})?$/),
        fc.stringMatching(/^([eE][-+]?\d{1,2})?$/),
      )
      .map(parts => parts.join(''))
    const value = fc.letrec<{ any: string }>(tie => ({
      any: fc.oneof(
        { maxDepth: 3 },
        number,
        fc.string().map(text => JSON.stringify(text)),
        fc.constantFrom('true', 'null', '{}', '[]'),
        fc.array(tie('any'), { maxLength: 3 }).map(all => `[${all.join(' , ')}]`),
        fc
          .array(fc.tuple(fc.string(), tie('any')), { maxLength: 3 })
          .map(all => `{${all.map(([key, text]) => `${JSON.stringify(key)} : ${text}`).join(',')}}`),
      ),
    })).any
    const values = fc.sample(value, { numRuns: 1000, seed: 7 })
    const rows = values.map((text, line) => `{"line":${line},"b":${text},"j":${text},"t":${text}}`)
    expect(await load('any.ndjson', rows.join('\n'), '-t', 'any_json')).to.include({ status: 0 })
    await db.pool.query('CREATE TEMP TABLE IF NOT EXISTS unused (x int)')
    const { rows: wrong } = await db.pool.query(
      `SELECT line FROM any_json JOIN unnest($1::text[]) WITH ORDINALITY o(text, at) ON at = line + 1
       WHERE (text <> 'null' AND (b::text IS DISTINCT FROM text::jsonb::text OR j::text IS DISTINCT FROM text))
         OR (text ~ '^[-0-9{\\[]' AND t IS DISTINCT FROM text)`,
      [values],
    )
    expect(wrong).to.deep.equal([])
    expect(await valuesOf(db.pool, 'SELECT count(*)::int FROM any_json')).to.deep.equal([[1000]])
  })

  for (const type of ['json', 'jsonb']) {
    it(`are elements of ${type}[], each the JSON of the file: numbers as spelled, strings as strings`, async () => {
      await db.pool.query(`DROP TABLE IF EXISTS lists; CREATE TABLE lists (line int, list ${type}[])`)
      const elements = [...NUMBERS, '"a"', '"{}"', '"1"', 'true', '{"z":1.50,"a":1,"z":2.0}', '{"l":[1.0]}']
      const lists = [
        ...elements.map(element => [element]),
        ['1.0', '"x"', '{}', 'false'], // of several kinds
      ]
      const rows = lists.map((list, line) => `{"line":${line},"list":[${list}]}`)
      expect(await load('lists.ndjson', rows.join('\n'), '-t', 'lists')).to.include({ status: 0 })
      const stored = await valuesOf(db.pool, 'SELECT list::text[] FROM lists ORDER BY line')
      const same = await db.pool.query(
        `SELECT ARRAY(SELECT (each #>> '{}')::${type}::text FROM json_array_elements(list::json) AS each) AS list
         FROM (SELECT json_build_array(VARIADIC texts) AS list FROM (SELECT $1::text[] AS texts) AS t) AS l`,
        [elements],
      )
      expect(stored.slice(0, -1).map(([list]) => (list as string[])[0])).to.deep.equal(same.rows[0].list)
      expect(stored.at(-1)).to.deep.equal([['1.0', '"x"', '{}', 'false']])
      const nested = '{"line":100,"list":[["1",1.0],[null,{"a":2.0}]]}\n{"line":101,"list":"{1,2.0}"}\n'
      expect(await load('nested.ndjson', nested, '-t', 'lists')).to.include({ status: 0 })
      const values = await valuesOf(db.pool, 'SELECT list::text[] FROM lists WHERE line >= 100 ORDER BY line')
      const object = type === 'json' ? '{"a":2.0}' : '{"a": 2.0}'
      expect(values).to.deep.equal([
        [
          [
            ['"1"', '1.0'],
            [null, object],
          ],
        ],
        [['1', '2.0']],
      ])
    })
  }

  it('create a numeric column for decimals, as in CSV', async () => {
    await db.pool.query('DROP TABLE IF EXISTS prices')
    const rows = [
      '{"id":1,"price":10.50,"rate":1e-3,"doc":{"p":1.0}}',
      '{"id":2,"price":7,"rate":2e5,"doc":[]}',
    ]
    expect(await load('prices.ndjson', rows.join('\n'), '-t', 'prices', '--create')).to.include({ status: 0 })
    const types = `SELECT string_agg(format_type(atttypid, atttypmod), ',' ORDER BY attnum) FROM pg_attribute
      WHERE attrelid = 'prices'::regclass AND attnum > 0`
    expect(await valuesOf(db.pool, types)).to.deep.equal([['integer,numeric,double precision,jsonb']])
    expect(await valuesOf(db.pool, 'SELECT price::text, doc::text FROM prices ORDER BY id')).to.deep.equal([
      ['10.50', '{"p": 1.0}'],
      ['7', '[]'],
    ])
  })

  for (const [name] of forms([])) {
    it(`that are half of a surrogate pair are refused in text: ${name}`, async () => {
      await db.pool.query(
        'DROP TABLE IF EXISTS cut; CREATE TABLE cut (id int, t text, list text[], j json, b jsonb)',
      )
      const bad = [
        '{"id":1,"t":"cut \\ud83d"}',
        '{"id":2,"list":["\\ude00 x"]}',
        '{"id":3,"b":"\\ud83d"}',
        '{"id":4,"b":{"\\ud83d":1}}',
      ]
      const good = '{"id":9,"t":"\\ud83d\\ude00","j":"\\ud83d","b":"\\\\ud83d"}'
      const [, text] = forms([...bad, good]).find(([form]) => form === name)!
      const refused = await load(name, text, '-t', 'cut')
      expect(refused.status).to.equal(1)
      expect(refused.stderr).to.match(/column "?t"?.*half of a surrogate pair/i)
      expect(refused.stderr).to.contain('; --rejects FILE keeps such rows and loads the others; ')
      const rejects = `${await file(name, text)}.rejects`
      const rejected = await load(name, text, '-t', 'cut', '--rejects', rejects, '--reject-limit', '4')
      expect(rejected.status, rejected.stderr).to.equal(0)
      expect(await valuesOf(db.pool, 'SELECT id, t, j::text, b::text FROM cut')).to.deep.equal([
        [9, '😀', '"\\ud83d"', '"\\\\ud83d"'],
      ])
      const [, keys] = forms(['{"id":1,"\\ud83d":1}']).find(([form]) => form === name)!
      expect((await load(name, keys, '-t', 'cut_keys', '--create')).status).to.equal(1)
    })
  }

  it('in texts of Parquet are read as JSON by a json column, as those of CSV', async () => {
    await db.pool.query('DROP TABLE IF EXISTS docs; CREATE TABLE docs (id int, j json, b jsonb)')
    const texts = ['{"b": 1.50, "a": [1]}', '"text"', '7', 'null', '[]']
    const strings = { type: 'BYTE_ARRAY', converted_type: 'UTF8' } as const
    const file = parquetOf([
      { name: 'id', schema: [{ type: 'INT32' }], data: texts.map((_, id) => id) },
      { name: 'j', schema: [strings], data: texts },
      { name: 'b', schema: [strings], data: texts },
    ])
    expect(await load('docs.parquet', file, '-t', 'docs')).to.include({ status: 0 })
    const csv = texts.map(
      (text, id) => `${id},"${text.replaceAll('"', '""')}","${text.replaceAll('"', '""')}"`,
    )
    expect(await load('docs.csv', `id,j,b\n${csv.join('\n')}\n`, '-t', 'docs')).to.include({ status: 0 })
    const stored = await valuesOf(
      db.pool,
      'SELECT id, j::text, b::text, count(*)::int FROM docs GROUP BY 1, 2, 3 ORDER BY 1',
    )
    expect(stored).to.deep.equal(
      texts.map((text, id) => [
        id,
        text,
        text === '{"b": 1.50, "a": [1]}' ? '{"a": [1], "b": 1.50}' : text,
        2,
      ]),
    )
    const bad = parquetOf([{ name: 'b', schema: [strings], data: ['{'] }])
    expect((await load('bad.parquet', bad, '-t', 'docs')).status).to.equal(1)
  })

  it('that are strings of NDJSON are JSON strings in a json column', async () => {
    await db.pool.query('DROP TABLE IF EXISTS docs; CREATE TABLE docs (j json, b jsonb)')
    expect(await load('s.ndjson', '{"j":"{}","b":"{}"}', '-t', 'docs')).to.include({ status: 0 })
    expect(await valuesOf(db.pool, 'SELECT j::text, b::text FROM docs')).to.deep.equal([['"{}"', '"{}"']])
  })

  it('are accepted at any depth and length', async () => {
    await db.pool.query('DROP TABLE IF EXISTS deep; CREATE TABLE deep (t text, j json)')
    const nested = `${'['.repeat(6000)}7e3${']'.repeat(6000)}`
    const long = 'x7e3'.repeat(2 * 1024 * 1024)
    for (const [name, text] of forms([`{"t":"${long}","j":${nested}}`])) {
      const { status, stderr } = await load(name, text, '-t', 'deep')
      expect(status, stderr).to.equal(0)
    }
    expect(await valuesOf(db.pool, 'SELECT length(t), length(j::text) FROM deep')).to.deep.equal([
      [long.length, nested.length],
      [long.length, nested.length],
    ])
  })

  it('end the load with a message if they are longer than 64 MiB', async () => {
    const huge = `[{"t":"${'x'.repeat(66 * 1024 * 1024)}"}]`
    const { status, stderr } = await load('huge.json', huge, '-t', 'deep')
    expect(status).to.equal(1)
    expect(stderr).to.match(/record 1 \(line 1\) is longer than 64 MiB/)
  })
})
