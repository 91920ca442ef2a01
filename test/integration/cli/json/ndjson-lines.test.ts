import { readFile, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { expect } from 'chai'
import fc from 'fast-check'
import { useFolder } from '../../../support/folder.ts'
import { useDatabase } from '../../../support/servers/database.ts'
import { run } from '../support.ts'

/**
 * Lines of NDJSON are written from their bytes where that is possible. Documents of JSON, one after the
 * other, are always parsed: the same lines have to leave the same.
 */
describe('pg-batch load, of NDJSON whose lines are not parsed:', () => {
  const database = useDatabase()
  const file = useFolder()
  const env = () => ({ DATABASE_URL: database.connectionString })

  beforeEach(() =>
    database.pool.query(`
      DROP TABLE IF EXISTS t;
      DROP TYPE IF EXISTS mood;
      CREATE TYPE mood AS ENUM ('sad', 'happy');
      CREATE TABLE t (
        id serial, "order" int, user_id bigint, price numeric, score float8, ok boolean, at timestamptz,
        day date, uid uuid, name text DEFAULT 'none', code varchar(20), doc jsonb, raw json, tags text[],
        feeling mood, small int2 DEFAULT 7)`),
  )

  const stored = async () => (await database.pool.query('SELECT t::text FROM t ORDER BY "order"')).rows

  /** Loads the lines in both ways. Returns what each one stores, rejects and prints. */
  async function bothWays(lines: readonly string[], ...words: string[]) {
    const outcomes = []
    for (const format of ['json', 'ndjson']) {
      await database.pool.query('TRUNCATE t RESTART IDENTITY')
      const path = await file('lines.ndjson', lines.join('\n'))
      const rejects = join(dirname(path), `${format}.rejects`)
      await rm(rejects, { force: true })
      const load = ['load', path, '-t', 't', '--format', format, '--quiet', '--rejects', rejects, ...words]
      const { status, stderr } = await run(load, env())
      const rejected = (await readFile(rejects, 'utf8').catch(() => '')).split('\n').filter(Boolean)
      const why = rejected.map(line => {
        const { row_index, message, source_offset, row } = JSON.parse(line)
        return {
          row_index,
          message: message.replace(/^(?:line|record) (\d+)(?: \(line \d+\))?/, '$1'),
          source_offset,
          row,
        }
      })
      outcomes.push({ status, stderr, rows: await stored(), why })
    }
    return outcomes as [(typeof outcomes)[0], (typeof outcomes)[0]]
  }

  const number = fc.constantFrom(
    '1',
    '-5',
    '0.10',
    '12345678901234567890',
    '1e3',
    '-0',
    '5.0',
    '0.0000001',
    '99999',
  )
  const text = fc.constantFrom(
    '"a"',
    '""',
    '"caf\\u00e9 \\ud83d\\ude00"',
    '"x\\ty\\n\\"z\\""',
    '"𝄞 longer than sixteen bytes"',
    '"\\u0000"',
  )
  const typed: Record<string, fc.Arbitrary<string>> = {
    user_id: fc.constantFrom('9007199254740993', '"12"'),
    price: fc.constantFrom('10.50', '"3.20"', '1e-3'),
    score: fc.double({ noNaN: true, noDefaultInfinity: true }).map(String),
    ok: fc.constantFrom('true', 'false', '1', '"yes"'),
    at: fc.constantFrom(
      '"2024-02-29T12:00:00.123Z"',
      '"2024-02-29 12:00:00+05:30"',
      '"2024-02-29"',
      '"infinity"',
    ),
    day: fc.constantFrom('"2024-02-29"', '"2023-02-29"', '"29.02.2024"'),
    uid: fc.constantFrom('"6f9619ff-8b86-d011-b42d-00cf4fc964ff"', '"{6f9619ff8b86d011b42d00cf4fc964ff}"'),
    name: text,
    code: text,
    doc: fc.constantFrom('{"a" : [1.50]}', '"s"', '"\\u0041"', '12345678901234567890', 'true'),
    raw: fc.constantFrom('{"a" : [1.50]}', '"s"', '[ ]'),
    tags: fc.constantFrom('["a","b"]', '"{a,b}"', '[]'),
    feeling: fc.constantFrom('"sad"', '"happy"', '"glad"'),
    small: fc.constantFrom('1', '40000'),
    userId: fc.constantFrom('3'),
    other: fc.constantFrom('1'),
  }
  const member = ([key, own]: [string, fc.Arbitrary<string>]) =>
    fc
      .oneof({ weight: 40, arbitrary: own }, number, text, fc.constantFrom('null', 'true', '[1]', '{}'))
      .map(value => `"${key}": ${value}`)
  const common = Object.entries(typed).filter(([key]) => key !== 'userId' && key !== 'other')
  const line = fc
    .tuple(fc.subarray(common, { minLength: 3 }), fc.subarray(Object.entries(typed).slice(-2)), fc.nat(9))
    .chain(([few, odd, dice]) =>
      fc.tuple(...[...few, ...(dice === 0 ? odd : [])].map(member)).map(all => all.join(', ')),
    )

  it('stores and rejects what it does for documents', async () => {
    const all = fc.sample(line, 500).map((members, index) => `{"order":${index},${members}}`)
    const [documents, asLines] = await bothWays(all)
    expect(asLines).to.deep.equal(documents)
    expect(asLines.rows.length).to.be.within(100, 450)
  })

  it('takes keys in any order, without those that have a default, and under another spelling', async () => {
    const [documents, asLines] = await bothWays([
      '{"order":1,"userId":5,"name":"first"}',
      '{"order":2,"userId":6,"name":null}',
      '{"name":"third","order":3}',
      '{"order":4,"user_id":7}',
      '{"order":5,"order":6,"user_id":8}',
      '{"order":7,"userId":8,"user_id":9}',
      '{"order":8,"nope":1}',
      '{"order":9,"__proto__":1}',
      '{"order":10,"name":tru}',
      '',
      '{"order":11}',
    ])
    expect(asLines).to.deep.equal(documents)
    const { rows } = await database.pool.query('SELECT "order", user_id, name, small FROM t ORDER BY "order"')
    expect(rows.map(Object.values)).to.deep.equal([
      [1, '5', 'first', 7],
      [2, '6', null, 7],
      [3, null, 'third', 7],
      [4, '7', 'none', 7],
      [6, '8', 'none', 7],
      [11, null, 'none', 7],
    ])
  })

  for (const words of [
    ['--columns', 'order,name'],
    ['--map', 'nope=name'],
    ['--on-conflict', 'order'],
    ['--single-transaction'],
  ]) {
    it(`with ${words[0]}`, async () => {
      await database.pool.query('ALTER TABLE t ADD UNIQUE ("order")')
      const [documents, asLines] = await bothWays(
        [
          '{"order":1,"name":"a"}',
          '{"order":2,"name":"b","small":3}',
          '{"small":5,"order":1}',
          '{"order":3,"nope":"c"}',
          '{"order":2,"name":null}',
        ],
        ...words,
      )
      expect(asLines).to.deep.equal(documents)
    })
  }

  it('stores each row once and as it is in the file, whose memory is used again, when sessions die', async () => {
    await database.pool.query(`
      CREATE TABLE big (id int, name text DEFAULT 'none', doc jsonb);
      CREATE SEQUENCE deaths;
      CREATE FUNCTION die() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        IF nextval('deaths') <= 3 THEN PERFORM pg_terminate_backend(pg_backend_pid()); END IF;
        RETURN NEW;
      END $$;
      CREATE TRIGGER die BEFORE INSERT ON big FOR EACH ROW WHEN (NEW.id % 9001 = 0) EXECUTE FUNCTION die()`)
    // each row differs from its neighbours; rows without a name come alone, and in whole batches
    const lineOf = (id: number) => {
      const name = id % 999 === 0 || (id > 20_000 && id < 40_000) ? '' : `"name":"name ${id}",`
      return `{"id":${id},${name}"doc":{"text":"${String(id).repeat(20)}"}}`
    }
    const path = await file('big.ndjson', Array.from({ length: 60_000 }, (_, id) => lineOf(id)).join('\n'))
    const { status, stderr } = await run(['load', path, '-t', 'big'], env())
    expect(status, stderr).to.equal(0)
    const { rows } = await database.pool.query(`
      SELECT count(*)::int, count(DISTINCT id)::int AS ids, last_value::int AS deaths,
        count(*) FILTER (WHERE doc->>'text' = repeat(id::text, 20) AND name =
          CASE WHEN id % 999 = 0 OR id > 20000 AND id < 40000 THEN 'none' ELSE 'name ' || id END)::int AS whole
      FROM big, deaths GROUP BY last_value`)
    expect(rows).to.deep.equal([{ count: 60_000, ids: 60_000, whole: 60_000, deaths: rows[0].deaths }])
    expect(rows[0].deaths).to.be.above(3)
  })
})
