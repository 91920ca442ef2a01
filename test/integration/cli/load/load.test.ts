import { setTimeout as delay } from 'node:timers/promises'
import { gzipSync } from 'node:zlib'
import { expect } from 'chai'
import { useFolder } from '../../../support/folder.ts'
import { until } from '../../../support/until.ts'
import { run, start } from '../support.ts'
import { useOrders } from './orders.ts'

describe('pg-batch load', () => {
  const { database, load, stored } = useOrders()
  const file = useFolder()

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
