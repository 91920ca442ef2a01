import { setTimeout as delay } from 'node:timers/promises'
import { gzipSync } from 'node:zlib'
import { expect } from 'chai'
import { useFolder } from '../../../support/folder.ts'
import { useDatabase } from '../../../support/servers/database.ts'
import { until } from '../../../support/until.ts'
import { type Ended, run, start } from '../support.ts'

describe('pg-batch load', () => {
  const database = useDatabase()
  const file = useFolder()

  beforeEach(() =>
    database.pool.query(`
      DROP TABLE IF EXISTS orders;
      CREATE TABLE orders (
        id bigint PRIMARY KEY, note text DEFAULT 'none', total numeric, paid boolean, ordered date, doc jsonb, tags int8[]
      )`),
  )

  const load = (words: readonly string[], input?: string | Buffer): Promise<Ended> =>
    run(['load', ...words], { DATABASE_URL: database.connectionString }, input)

  async function stored(columns: string): Promise<unknown[][]> {
    const { rows } = await database.pool.query({
      text: `SELECT ${columns} FROM orders ORDER BY id`,
      rowMode: 'array',
    })
    return rows as unknown[][]
  }

  const committed = (rows: string, batches: string) =>
    new RegExp(`^orders: ${rows} committed in ${batches}, \\d+\\.\\d\\d s, [\\d,]+ rows/s\\n$`)

  it('loads CSV, with NULL for nothing and the empty string for ""', async () => {
    const path = await file(
      'a.csv',
      'id,note,total,paid,ordered\n9007199254740993,"",0.10,t,2026-11-23\n2,,,,\n3,"a, ""b""\n€",1e3,false,1999-12-31\n',
    )
    const { status, stdout, stderr } = await load([path, '--table', 'orders'])
    expect(stderr).to.equal('')
    expect(stdout).to.match(committed('3 rows', '1 batch'))
    expect(status).to.equal(0)
    expect(await stored('id, note, total::text, paid, ordered::text')).to.deep.equal([
      ['2', null, null, null, null],
      ['3', 'a, "b"\n€', '1000', false, '1999-12-31'],
      ['9007199254740993', '', '0.10', true, '2026-11-23'],
    ])
  })

  it('gives columns that the header does not name their DEFAULT', async () => {
    await load([await file('b.csv', 'id\n1\n'), '--table', 'orders'])
    expect(await stored('id, note')).to.deep.equal([['1', 'none']])
  })

  const exact = `{"id":9007199254740993,"total":0.12345678901234567890123,"doc":{"n":12345678901234567890,"s":"x"},"tags":[1,9007199254740993]}`
  const exactly = [
    [
      '9007199254740993',
      '0.12345678901234567890123',
      '{"n": 12345678901234567890, "s": "x"}',
      '{1,9007199254740993}',
    ],
  ]

  it('loads NDJSON without losing a digit, anywhere', async () => {
    const { status, stderr } = await load([await file('a.ndjson', `\n${exact}\n`), '-t', 'orders'])
    expect({ status, stderr }).to.deep.equal({ status: 0, stderr: '' })
    expect(await stored('id, total::text, doc::text, tags::text')).to.deep.equal(exactly)
  })

  it('loads a JSON array without losing a digit, anywhere', async () => {
    const { status, stderr } = await load([await file('a.json', `[${exact}]`), '-t', 'orders'])
    expect({ status, stderr }).to.deep.equal({ status: 0, stderr: '' })
    expect(await stored('id, total::text, doc::text, tags::text')).to.deep.equal(exactly)
  })

  it('stores the JSON value of the file in a json column, also a plain string', async () => {
    const lines = ['"text"', '1', 'true', '[1,"2"]', '{"a":null}', 'null'].map(
      (doc, id) => `{"id":${id},"doc":${doc}}`,
    )
    const { status } = await load(['-', '-t', 'orders'], lines.join('\n'))
    expect(status).to.equal(0)
    expect(await stored('doc::text')).to.deep.equal([
      ['"text"'],
      ['1'],
      ['true'],
      ['[1, "2"]'],
      ['{"a": null}'],
      [null],
    ])
  })

  it('stores lists and objects of a JSON file as JSON in a text column', async () => {
    await database.pool.query(`DROP TABLE IF EXISTS texts; DROP DOMAIN IF EXISTS label;
      CREATE DOMAIN label AS varchar; CREATE TABLE texts (a text, b varchar(99), c label, d text[])`)
    const list = '[1,"x",null,{"y":12345678901234567890},[2]]'
    const row = `{"a":${list},"b":${list},"c":${list},"d":["1","x"]}`
    const expected = { a: list, b: list, c: list, d: ['1', 'x'] }
    for (const [words, input] of [
      [['load', '-'], row],
      [['load', '-'], `[${row}]`],
      [['replay', '-'], row],
    ] as const) {
      const env = { DATABASE_URL: database.connectionString }
      expect((await run([...words, '-t', 'texts'], env, input)).stderr).to.equal('')
    }
    const { rows } = await database.pool.query('SELECT * FROM texts')
    expect(rows).to.deep.equal([expected, expected, expected])
  })

  it('distinguishes NULL from a missing key', async () => {
    await load(['-', '-t', 'orders'], '{"id":1,"note":null}\n{"id":2}\n')
    expect(await stored('id, note')).to.deep.equal([
      ['1', null],
      ['2', 'none'],
    ])
  })

  it('reads standard input and unpacks it, in batches of --batch-size', async () => {
    const lines = Array.from({ length: 2500 }, (_, id) => `{"id":${id}}`).join('\n')
    const words = ['-', '--table', 'public.orders', '--batch-size', '500', '--concurrency', '2']
    const { status, stdout } = await load(words, gzipSync(lines))
    expect(stdout).to.match(/^public\.orders: 2,500 rows committed in \d+ batches/)
    expect(status).to.equal(0)
    expect(await stored('count(*)').catch(() => [])).to.deep.equal([])
    const { rows } = await database.pool.query('SELECT count(*)::int, sum(id)::int FROM orders')
    expect(rows).to.deep.equal([{ count: 2500, sum: (2499 * 2500) / 2 }])
  })

  it('counts the batches of a file exactly', async () => {
    const path = await file(
      'c.csv.gz',
      gzipSync(`id\n${Array.from({ length: 2500 }, (_, id) => id).join('\n')}\n`),
    )
    const words = [path, '-t', 'orders', '--batch-size', '1000']
    expect((await load(words)).stdout).to.match(committed('2,500 rows', '3 batches'))
  })

  it('loads the columns of --columns and no others', async () => {
    const path = await file('d.csv', 'id,note,extra\n1,x,y\n')
    expect((await load([path, '-t', 'orders', '--columns', 'id,note'])).status).to.equal(0)
    expect(
      (await load(['-', '-t', 'orders', '-c', 'id'], '{"id":2,"note":"left","extra":1}')).status,
    ).to.equal(0)
    expect(await stored('id, note')).to.deep.equal([
      ['1', 'x'],
      ['2', 'none'],
    ])
  })

  describe('with rows that are in the table', () => {
    beforeEach(() => database.pool.query("INSERT INTO orders (id, note, total) VALUES (1, 'old', 5)"))

    it('updates them with --on-conflict; the last row wins', async () => {
      const { status } = await load(['-', '-t', 'orders', '--on-conflict', 'id'], 'id,note\n1,a\n2,b\n1,c\n')
      expect(status).to.equal(0)
      expect(await stored('id, note, total::text')).to.deep.equal([
        ['1', 'c', '5'],
        ['2', 'b', null],
      ])
    })

    it('updates only older ones with --newer-by, and inserts none with --update-only', async () => {
      const upsert = ['-', '-t', 'orders', '--on-conflict', 'id', '--newer-by', 'total']
      expect((await load(upsert, 'id,note,total\n1,late,4\n2,b,1\n')).status).to.equal(0)
      const patch = [...upsert, '--update-only', '--only-if-changed', '--concurrency', '2']
      expect((await load(patch, 'id,note,total\n2,c,3\n3,d,9\n2,late,2\n')).status).to.equal(0)
      expect(await stored('id, note, total::text')).to.deep.equal([
        ['1', 'old', '5'],
        ['2', 'c', '3'],
      ])
    })

    it('finds them by the name of a constraint, or of an index of an expression', async () => {
      await database.pool.query(`CREATE UNIQUE INDEX by_note ON orders (lower(note)) WHERE total > 0;
        ALTER TABLE orders RENAME CONSTRAINT orders_pkey TO "by: id, only"`)
      const upsert = async (target: string, text: string) =>
        (await load(['-', '-t', 'orders', '--on-conflict', target], text)).status
      expect(await upsert('index:by_note', 'id,note,total\n1,OLD,6\n2,b,3\n')).to.equal(0)
      expect(await upsert('constraint:by: id, only', 'id,total\n2,4\n')).to.equal(0)
      expect(await stored('id, note, total::text')).to.deep.equal([
        ['1', 'OLD', '6'],
        ['2', 'b', '4'],
      ])
    })

    it('keeps them with --on-conflict-do nothing', async () => {
      const { status } = await load(
        ['-', '-t', 'orders', '--on-conflict-do', 'nothing'],
        'id,note\n1,a\n2,b\n',
      )
      expect(status).to.equal(0)
      expect(await stored('id, note')).to.deep.equal([
        ['1', 'old'],
        ['2', 'b'],
      ])
    })

    it('names the constraint without it, and reports that nothing was committed', async () => {
      const { status, stderr } = await load(['-', '-t', 'orders'], 'id,note\n7,x\n1,secret\n')
      expect(status).to.equal(1)
      expect(stderr)
        .to.match(/^pg-batch: .*orders_pkey.* nothing committed\n$/)
        .and.not.contain('secret')
      expect(await stored('id')).to.deep.equal([['1']])
    })

    it('reports that the columns are not a unique key', async () => {
      const { status, stderr } = await load(['-', '-t', 'orders', '--on-conflict', 'note'], 'id,note\n1,a\n')
      expect(status).to.equal(1)
      expectOneLine(stderr)
      expect(stderr).to.contain('note')
    })
  })

  describe('reports in one line, and with the right status,', () => {
    const mistakes: [title: string, words: string[], input: string, status: number, line: RegExp][] = [
      ['that a file is missing', ['missing.csv', '-t', 'orders'], '', 2, /missing\.csv: no such file/],
      ['that the table has to be named', ['-'], '', 2, /name the table, with --table/],
      [
        'what option was meant',
        ['-', '--tabel', 'orders'],
        '',
        2,
        /unknown option '--tabel' \(Did you mean --table\?\)/,
      ],
      [
        'that a number is not valid',
        ['-', '-t', 'orders', '--batch-size', '1e3'],
        '',
        2,
        /Expected a whole number/,
      ],
      [
        'that a format is not valid',
        ['-', '-t', 'orders', '--format', 'xml'],
        '',
        2,
        /Expected one of csv, tsv, text, ndjson, json, parquet\./,
      ],
      [
        'that a key is needed',
        ['-', '-t', 'orders', '--on-conflict-do', 'update'],
        '',
        2,
        /needs the columns/,
      ],
      ['that the format cannot be recognized', ['-', '-t', 'orders'], 'id\0\n', 2, /cannot tell the format/],
      ['that there is nothing', ['-', '-t', 'orders'], ' \n', 1, /input: there is nothing in it\n/],
      [
        'that there is not even a header',
        ['-', '-t', 'orders', '-f', 'csv'],
        '',
        1,
        /nothing in it, not even/,
      ],
      [
        'that there is no JSON',
        ['-', '-t', 'orders', '-f', 'json'],
        'id',
        1,
        /expected JSON: an array of objects/,
      ],
      [
        'what table was meant',
        ['-', '-t', 'Order'],
        'id\n1\n',
        1,
        /the table "Order" does not exist .*; did you mean "orders"\?/,
      ],
      [
        'which name is not a column, and which columns there are',
        ['-', '-t', 'orders'],
        'id,Totl\n1,2\n',
        1,
        /the header names "Totl", which is not a column of orders; its columns are: id, note, total, .*; did you mean "total"\?; --map Totl=total loads it into a column, --columns id leaves it out\n/,
      ],
      [
        'which of --columns is not a column',
        ['-', '-t', 'orders', '-c', 'id,nope'],
        'id\n1\n',
        1,
        /--columns names "nope", which is not a column of orders; its columns are: id, note/,
      ],
      [
        'which of --columns the file lacks',
        ['-', '-t', 'orders', '-c', 'id,note'],
        'id\n1\n',
        1,
        /--columns names "note", which is not in standard input, whose header has: id/,
      ],
      ['which key is not a column', ['-', '-t', 'orders'], '{"id":1,"extra":"secret"}', 1, /row 1.*"extra"/],
      [
        'which value the server refuses',
        ['-', '-t', 'orders', '--batch-size', '2'],
        'id,total\n1,1\n2,2\n3,3\n4,secret\n',
        1,
        /row 4 \(line 5\): not a valid numeric for "total" \(22P02\); --rejects FILE .*; \w+( rows)? committed/,
      ],
      [
        'which NOT NULL is broken',
        ['-', '-t', 'orders'],
        'id,note\n1,secret\n,secret\n',
        1,
        /row 2 \(line 3\): .*"id"/,
      ],
      [
        'which record is ragged',
        ['-', '-t', 'orders'],
        'id,note\n1,a\nsecret\n',
        1,
        /begins on line 3 has 1 field/,
      ],
      [
        'which line is not JSON',
        ['-', '-t', 'orders'],
        '{"id":1}\n{"id":secret}\n',
        1,
        /line 2 is not valid JSON/,
      ],
    ]
    for (const [title, words, input, status, line] of mistakes) {
      it(title, async () => {
        const ended = await load(words, input)
        expect(ended.stderr).to.match(line)
        expectOneLine(ended.stderr)
        expect(ended).to.include({ status, stdout: '' })
      })
    }

    it('that the database cannot be reached, without its password', async () => {
      const url = 'postgres://me:secret@127.0.0.1:1/shop'
      const ended = await run(['load', '-', '-t', 'orders', '-d', url], {}, 'id\n1\n')
      expect(ended).to.include({ status: 1, stdout: '' })
      expect(ended.stderr).to.match(/ECONNREFUSED/)
      expectOneLine(ended.stderr)
    })

    it('that a text is not a URL, without repeating it', async () => {
      const ended = await run(['load', '-', '-t', 'orders', '-d', 'secret'], {}, 'id\n1\n')
      expect(ended.status).to.equal(2)
      expectOneLine(ended.stderr)
    })
  })

  it('uses the database of the PG* variables', async () => {
    const { hostname, port, username, password, pathname } = new URL(database.connectionString)
    const env = {
      PGHOST: hostname,
      PGPORT: port,
      PGUSER: username,
      PGPASSWORD: password,
      PGDATABASE: pathname.slice(1),
    }
    expect(await run(['load', '-', '-t', 'orders'], env, 'id\n1\n')).to.include({ status: 0, stderr: '' })
    expect(await stored('id')).to.deep.equal([['1']])
  })

  it('stops at Ctrl-C, prints what was committed, and ends its sessions', async () => {
    const running = start(['load', '-', '-t', 'orders'], { DATABASE_URL: database.connectionString })
    running.process.stdin!.write('{"id":1}\n{"id":2}\n')
    while ((await stored('id')).length < 2 && running.process.exitCode === null) await delay(20)
    running.process.kill('SIGINT')
    const { status, stdout, stderr } = await running.ended
    expect(stderr).to.match(
      /^Stopping: .*\npg-batch: orders: interrupted; 2 rows committed; the same command loads them a second time, unless --on-conflict names a unique key\n$/,
    )
    expect({ status, stdout }).to.deep.equal({ status: 130, stdout: '' })
    const { rows } = await database.pool.query(
      "SELECT count(*)::int AS n FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'pg-batch'",
    )
    expect(rows[0].n).to.equal(0)
  })

  it('counts rows that are being committed while the input fails', async () => {
    // its COMMIT waits for a lock of this test, and then long enough for the command to meet the bad line
    await database.pool.query(`CREATE TABLE slow (id int);
      CREATE FUNCTION slow_commit() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN PERFORM pg_advisory_xact_lock(1), pg_sleep(0.15); RETURN NULL; END $$;
      CREATE CONSTRAINT TRIGGER slow_commit AFTER INSERT ON slow DEFERRABLE INITIALLY DEFERRED
        FOR EACH ROW EXECUTE FUNCTION slow_commit()`)
    const holder = await database.pool.connect()
    try {
      await holder.query('SELECT pg_advisory_lock(1)')
      const running = start(['load', '-', '-t', 'slow'], { DATABASE_URL: database.connectionString })
      running.process.stdin!.write('{"id":1}\n')
      await until('a COMMIT that waits', async () => {
        const waiting = `SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'advisory'`
        return (await holder.query(waiting)).rows.length === 1
      })
      running.process.stdin!.end('{"id":\n')
      await holder.query('SELECT pg_advisory_unlock(1)')
      const { status, stderr } = await running.ended
      expect(stderr).to.match(/^pg-batch: standard input: .*; 1 row committed\n$/)
      expect(status).to.equal(1)
      expect((await holder.query('SELECT id FROM slow')).rows).to.deep.equal([{ id: 1 }])
    } finally {
      holder.release(true)
    }
  })

  it('succeeds if its output is closed', async () => {
    const running = start(
      ['load', '-', '-t', 'orders'],
      { DATABASE_URL: database.connectionString },
      'id\n1\n',
    )
    running.process.stdout!.destroy()
    expect(await running.ended).to.include({ status: 0, stderr: '' })
  })
})

function expectOneLine(stderr: string): void {
  expect(stderr).to.match(/^pg-batch: [^\n]+\n$/)
  expect(stderr).not.to.contain('secret')
}
