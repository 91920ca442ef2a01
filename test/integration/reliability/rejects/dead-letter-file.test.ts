import { execFileSync } from 'node:child_process'
import { constants, openSync } from 'node:fs'
import { mkdir, mkdtemp, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises'
import { Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { inspect } from 'node:util'
import { expect } from 'chai'
import { PgBatchWritable } from '../../../../lib/writable/pg-batch-writable.ts'
import { aroundThePooler } from '../../../support/servers/around-pooler.ts'
import { useDatabase } from '../../../support/servers/database.ts'
import { usePools } from '../../../support/servers/pools.ts'
import { until } from '../../../support/until.ts'
import { batchesOf, countOf, failureOf, rowsOf, valuesOf } from '../../../support/writing.ts'
import { load } from '../load.ts'

interface Row {
  id: number
  n: number
}

describe('a table and a file as the dead letter', () => {
  const db = useDatabase()
  const makePool = usePools(db)
  let folder: string
  let path: string

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'pg-batch-letters-'))
    path = join(folder, 'rejected.ndjson')
    await db.pool.query('DROP TABLE IF EXISTS t, bad; CREATE TABLE t (id int, n int CHECK (n >= 0))')
  })
  afterEach(() => rm(folder, { recursive: true, force: true }))

  const make = (extra: object = {}) =>
    new PgBatchWritable<Row>({
      pool: makePool().pool,
      table: 't',
      rejectLimit: Number.POSITIVE_INFINITY,
      deadLetter: { table: 'bad', file: path },
      retry: { minDelayMs: 1, maxDelayMs: 10 },
      ...extra,
    })

  /** Every third row is bad. */
  const rows = (count: number, from = 0) => rowsOf(count, id => ({ id, n: id % 3 === 0 ? -1 : 1 }), from)
  const badIds = (count: number) => rows(count).flatMap(({ id, n }) => (n < 0 ? [String(id)] : []))

  const lines = async (file = path): Promise<{ id: string; row: { id: string } }[]> => {
    const text = await readFile(file, 'utf8')
    expect(text).to.match(/\n$/)
    return text
      .trimEnd()
      .split('\n')
      .map(line => JSON.parse(line))
  }
  const rowIds = async (file = path) => (await lines(file)).map(({ row }) => row.id)
  const sorted = (ids: string[]) => ids.toSorted((a, b) => Number(a) - Number(b))

  /** Has the next `times` COMMITs of what removes rows from the table fail, after the file was written. */
  const failCommits = (times: number) =>
    db.pool.query(`
      DROP SEQUENCE IF EXISTS tried; CREATE SEQUENCE tried;
      CREATE OR REPLACE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        IF nextval('tried') <= ${times} THEN RAISE insufficient_privilege; END IF; RETURN NULL; END $$;
      CREATE CONSTRAINT TRIGGER fail AFTER DELETE ON bad DEFERRABLE INITIALLY DEFERRED
        FOR EACH ROW EXECUTE FUNCTION fail()`)

  it('fails when a pipe takes no more within `callbackTimeoutMs`, and keeps the rows in the table', async () => {
    execFileSync('mkfifo', ['-m', '600', path])
    const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
    try {
      const more = rows(2000).map(row => ({ ...row, n: -1 }))
      const error = await failureOf(load([more], make({ callbackTimeoutMs: 200 })))
      expect(error).to.include({ code: 'CALLBACK_FAILED', outcome: 'committed' })
      expect(error.message).to.match(/`deadLetter` has not ended within 200 ms \(`callbackTimeoutMs`\)/)
      expect(await countOf(db.pool, 'bad')).to.equal(2000)
    } finally {
      // the waiting write ends when the pipe is read, and until then holds a thread of the process
      await text(new Socket({ fd: reader }))
    }
  })

  it('ends with each rejected row in the file, once, with an id, and none in the table', async () => {
    await load(batchesOf(rows(300), 20), make())
    const letters = await lines()
    expect(letters.map(({ row }) => row.id)).to.deep.equal(badIds(300))
    expect(new Set(letters.map(({ id }) => id)).size).to.equal(100)
    expect(letters[0]).to.deep.include({
      batch_id: 1,
      row_index: 0,
      code: 'REFUSED',
      sqlstate: '23514',
      constraint_name: 't_n_check',
      source_partition: null,
      source_offset: null,
      row: { id: '0', n: '-1' },
    })
    expect((await stat(path)).mode & 0o777).to.equal(0o600)
    expect(await countOf(db.pool, 'bad')).to.equal(0)
    expect(await countOf(db.pool, 't')).to.equal(200)
  })

  it('creates no file where nothing is rejected', async () => {
    await load([[{ id: 1, n: 1 }]], make())
    expect(await stat(path).catch(error => error.code)).to.equal('ENOENT')
  })

  it('appends to what a file has, also where the last line has no end', async () => {
    await writeFile(path, '{"kept":1}')
    await load([rows(3)], make())
    await load([rows(3)], make())
    expect(await lines()).to.have.length(3)
  })

  it('keeps rows that cannot be written to the file in the table, for the next stream, even one without rows', async () => {
    const away = join(folder, 'later', 'rejected.ndjson')
    const deadLetter = { table: 'bad', file: away }
    const error = await failureOf(load([rows(30)], make({ deadLetter })))
    expect(error).to.include({ code: 'CALLBACK_FAILED', callback: 'deadLetter', outcome: 'committed' })
    expect((error.cause as NodeJS.ErrnoException).code).to.equal('ENOENT')
    expect(await countOf(db.pool, 'bad')).to.equal(10)
    expect(await failureOf(load([], make({ deadLetter })))).to.include({
      callback: 'deadLetter',
      outcome: 'not-sent',
    })
    await mkdir(join(folder, 'later'))
    await load([], make({ deadLetter }))
    expect(await rowIds(away)).to.deep.equal(badIds(30))
    expect(await countOf(db.pool, 'bad')).to.equal(0)
  })

  it('recognizes the rows that a crash has left in both', async () => {
    await load([rows(30)], make())
    await failCommits(1)
    const error = await failureOf(load([rows(3, 30)], make()))
    expect(error).to.include({ callback: 'deadLetter', outcome: 'committed' })
    expect(await rowIds()).to.have.length(11)
    expect(await countOf(db.pool, 'bad')).to.equal(1)
    await load([rows(3, 33)], make())
    expect(await rowIds()).to.deep.equal(badIds(36))
    expect(await countOf(db.pool, 'bad')).to.equal(0)
  })

  it('recognizes them within one stream, too, when COMMIT fails for a moment', async () => {
    await load([], make()) // makes the table
    await failCommits(3)
    await db.pool.query(
      `CREATE OR REPLACE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
         IF nextval('tried') <= 3 THEN RAISE serialization_failure; END IF; RETURN NULL; END $$`,
    )
    const sink = make()
    let retries = 0
    sink.on('retry', () => retries++)
    await load(batchesOf(rows(60), 10), sink)
    expect(retries).to.equal(3)
    expect(await rowIds()).to.deep.equal(badIds(60))
    expect(await countOf(db.pool, 'bad')).to.equal(0)
  })

  /** Stores rows as a killed process leaves them: rejected, and not in the file yet. */
  const leave = (from: number, to: number) =>
    db.pool.query(
      `INSERT INTO bad (id, target, batch_id, row_index, code, message, "row", letter_id, file)
       OVERRIDING SYSTEM VALUE SELECT n, 't', 1, n, 'REFUSED', 'bad', json_build_object('id', n::text),
       gen_random_uuid(), $1 FROM generate_series($2::int, $3::int) AS n`,
      [path, from, to],
    )
  const upTo = (last: number) => Array.from({ length: last }, (_, index) => String(index + 1))

  it('recognizes them, too, behind more rows than are moved at once, which were committed later', async () => {
    await load([], make())
    await leave(501, 1500)
    await failCommits(1)
    await failureOf(load([], make()))
    expect(await rowIds()).to.have.length(1000)
    await leave(1, 500)
    await load([], make())
    expect(sorted(await rowIds())).to.deep.equal(upTo(1500))
    expect(await countOf(db.pool, 'bad')).to.equal(0)
  })

  it('recognizes them where the transactions of a session are REPEATABLE READ', async () => {
    await load([], make())
    await leave(1, 1)
    const { pool } = makePool({
      connectionString: aroundThePooler(db, 'a setting of the session'),
      options: '-c default_transaction_isolation=repeatable\\ read',
    })
    let begun = 0
    const onBegin = async () => {
      if (++begun !== 3) return // two transactions introspect the tables, the third one moves what is left
      // this transaction sees the table as it is now, and moves its rows after those of another process
      await leave(2, 3)
      await failCommits(1)
      expect(await failureOf(load([], make()))).to.include({ callback: 'deadLetter' })
      expect(await rowIds()).to.deep.equal(upTo(3))
      await db.pool.query('DROP TRIGGER fail ON bad')
    }
    await load([[{ id: 4, n: -1 }]], make({ pool, onBegin }))
    expect(begun).to.be.greaterThan(3)
    expect(await rowIds()).to.deep.equal(upTo(4))
  })

  it('appends nothing after its time is over', async () => {
    await load([], make())
    await leave(1001, 1001)
    await failCommits(1)
    await failureOf(load([], make()))
    await leave(1, 1000)
    const { pool } = makePool()
    let rollbacks = 0
    pool.on('connect', client => {
      const query = client.query.bind(client) as (...args: unknown[]) => unknown
      client.query = ((...args: unknown[]) => {
        if (inspect(args[0]).includes('ROLLBACK')) rollbacks++
        return query(...args)
      }) as typeof client.query
    })
    const holder = await db.pool.connect()
    try {
      await holder.query('BEGIN; SELECT FROM bad WHERE id = 1001 FOR UPDATE')
      const failed = failureOf(load([], make({ pool, callbackTimeoutMs: 300 })))
      await until('it gives up while it removes what the file has', () => rollbacks > 0)
      await holder.query('COMMIT')
      expect((await failed).message).to.include('`callbackTimeoutMs`')
    } finally {
      holder.release(true)
    }
    expect(await rowIds()).to.deep.equal(['1001'])
    await load([], make())
    expect(sorted(await rowIds())).to.deep.equal(upTo(1001))
  })

  for (const left of [1, 8, 60, 'all but the line end', 'NULs'] as const) {
    it(`completes a line of which a crash has left ${typeof left === 'number' ? `${left} bytes` : left}`, async () => {
      await load([rows(30)], make())
      const before = (await stat(path)).size
      await failCommits(1)
      await failureOf(load([rows(3, 30)], make()))
      const after = (await stat(path)).size
      const bytes = typeof left === 'number' ? left : left === 'NULs' ? 20 : after - before - 1
      await truncate(path, before + bytes)
      if (left === 'NULs') await truncate(path, after)
      await load([], make())
      expect(await rowIds()).to.deep.equal(badIds(33))
      expect(await countOf(db.pool, 'bad')).to.equal(0)
    })
  }

  it('ends the unfinished line of another program, and keeps it', async () => {
    await writeFile(path, '{"kept":1}\n{"batch_id":1,"ro')
    await load([rows(3)], make())
    const text = await readFile(path, 'utf8')
    expect(text).to.match(/^\{"kept":1\}\n\{"batch_id":1,"ro\n\{"id":"[^\n]+\n$/)
  })

  it('is shared: other streams, other lanes and other files leave each row once, where it belongs', async () => {
    const other = join(folder, 'other.ndjson')
    await load([], make())
    await Promise.all([
      load(batchesOf(rows(300), 10), make({ concurrency: 3 })),
      load(batchesOf(rows(300, 300), 10), make({ concurrency: 2 })),
      load(batchesOf(rows(300), 10), make({ deadLetter: { table: 'bad', file: other } })),
      load(batchesOf(rows(300), 10), make({ deadLetter: { table: 'bad' } })),
    ])
    expect(sorted(await rowIds())).to.deep.equal(badIds(600))
    expect(sorted(await rowIds(other))).to.deep.equal(badIds(300))
    const stays = await valuesOf(db.pool, `SELECT "row"->>'id' FROM bad`)
    expect(sorted(stays.map(([id]) => id as string))).to.deep.equal(badIds(300))
  })

  it('is written by one stream at a time, which the others wait for', async () => {
    await load([], make())
    await db.pool.query(`
      CREATE OR REPLACE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        PERFORM pg_advisory_xact_lock_shared(42); RETURN NULL; END $$;
      CREATE CONSTRAINT TRIGGER wait AFTER DELETE ON bad DEFERRABLE INITIALLY DEFERRED
        FOR EACH ROW EXECUTE FUNCTION wait()`)
    const holder = await db.pool.connect()
    try {
      await holder.query('BEGIN; SELECT pg_advisory_xact_lock(42)')
      const waiting = () => countOf(db.pool, `pg_locks WHERE locktype = 'advisory' AND NOT granted`)
      const first = load([rows(1)], make())
      await until('the first waits to commit', async () => (await waiting()) === 1)
      const second = load([rows(1, 3)], make())
      await until('the second waits to begin', async () => (await waiting()) === 2)
      expect(await lines()).to.have.length(1)
      await holder.query('COMMIT')
      await Promise.all([first, second])
    } finally {
      holder.release(true)
    }
    expect(sorted(await rowIds())).to.deep.equal(['0', '3'])
  })

  it('takes a table that an earlier version has created', async () => {
    await load([rows(3)], make({ deadLetter: { table: 'bad' } }))
    await db.pool.query('ALTER TABLE bad DROP COLUMN letter_id, DROP COLUMN file')
    await load([rows(3)], make({ deadLetter: { table: 'bad' } }))
    await load([rows(3)], make())
    expect([await countOf(db.pool, 'bad'), (await lines()).length]).to.deep.equal([2, 1])
  })

  it('moves more rows than fit into one transaction, and items that are not rows of the table', async () => {
    await load([], make({ deadLetter: { table: 'bad', file: path } }))
    await db.pool.query(`
      INSERT INTO bad (target, batch_id, row_index, code, message, "row", letter_id, file)
      SELECT 't', 1, n, 'REFUSED', E'line\\nend', '{"id": "7"}', gen_random_uuid(), '${path}' FROM generate_series(1, 2500) AS n`)
    await load([[null as unknown as Row]], make())
    const letters = await lines()
    expect(letters).to.have.length(2501)
    expect(letters.at(-1)!.row).to.equal(null)
    expect(await countOf(db.pool, 'bad')).to.equal(0)
  })

  it('finds ids wherever in a large file', async () => {
    await load([rows(300)], make())
    await failCommits(1)
    await failureOf(load([rows(300, 300)], make()))
    // as an editor may have left it
    const reordered = (await lines()).map(({ id, ...letter }) =>
      JSON.stringify({ ...letter, pad: 'x'.repeat(999), id }),
    )
    await writeFile(path, reordered.reverse().join('\n'))
    await load([], make())
    expect(sorted(await rowIds())).to.deep.equal(badIds(600))
  })

  it('needs the table, and says why', () => {
    expect(() => make({ deadLetter: { file: path } })).to.throw(TypeError, '`deadLetter.table`')
    expect(() => make({ deadLetter: { table: 'bad', file: '' } })).to.throw(TypeError, '`deadLetter.file`')
    expect(() => make({ deadLetter: { table: 'bad', fle: path } })).to.throw(TypeError, 'Did you mean `file`')
  })
})
