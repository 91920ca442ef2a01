import type { Writable } from 'node:stream'
import { expect } from 'chai'
import type pg from 'pg'
import { PgBatchWritable } from '../../../../lib/writable/pg-batch-writable.ts'
import type { RejectedRow } from '../../../../lib/write/rejects/dead-letter.ts'
import { useDatabase } from '../../../support/servers/database.ts'
import { usePools } from '../../../support/servers/pools.ts'
import { countOf } from '../../../support/writing.ts'
import { load } from '../load.ts'

const COUNT = 1200

type Row = Record<string, unknown>

const TABLE = `DROP TABLE IF EXISTS t, parents; DROP DOMAIN IF EXISTS positive;
  CREATE DOMAIN positive AS int CHECK (VALUE > 0);
  CREATE TABLE parents (id int PRIMARY KEY); INSERT INTO parents SELECT generate_series(1, 100);
  CREATE TABLE t (seq int, id int UNIQUE, n int CHECK (n >= 0), p positive, label varchar(12),
    parent int REFERENCES parents, late int UNIQUE DEFERRABLE INITIALLY DEFERRED, dflt int DEFAULT 7);
  CREATE OR REPLACE FUNCTION judge() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF NEW.label = 'raise' THEN RAISE EXCEPTION 'no such label'; END IF;
    IF NEW.label = 'divide' THEN NEW.n := 1 / 0; END IF;
    IF NEW.label = 'drop' THEN RETURN NULL; END IF;
    IF NEW.label = 'upper' THEN NEW.label := 'UPPER'; END IF;
    RETURN NEW; END $$;
  CREATE TRIGGER judge BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION judge()`

const FAULTS: readonly ((row: Row, index: number) => Row)[] = [
  row => ({ ...row, n: -1 }),
  row => ({ ...row, n: 'many' }),
  row => ({ ...row, p: 0 }),
  row => ({ ...row, label: 'longer than twelve' }),
  row => ({ ...row, label: 'raise' }),
  row => ({ ...row, label: 'divide' }),
  row => ({ ...row, label: 'nul \0' }),
  row => ({ ...row, n: 2 ** 40 }),
  row => ({ ...row, n: { nested: true } }),
  (row, index) => ({ ...row, id: Math.floor(index / 2) }), // of an earlier row, which may be refused itself
]
const CHANGES: readonly ((row: Row) => Row)[] = [
  row => ({ ...row, label: 'drop' }),
  row => ({ ...row, label: 'upper' }),
  ({ dflt: _, ...row }) => row, // another shape
]

function random(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff
    return state / 0x7fffffff
  }
}

function makeRows(share: number, seed: number, extra: readonly ((row: Row, index: number) => Row)[]): Row[] {
  const next = random(seed)
  const faults = [...FAULTS, ...extra]
  return Array.from({ length: COUNT }, (_, index) => {
    const row = {
      seq: index,
      id: index,
      n: index,
      p: 1,
      label: `row ${index}`,
      parent: 1,
      late: index,
      dflt: index,
    }
    if (next() < share) return faults[Math.floor(next() * faults.length)]!(row, index)
    return next() < 0.1 ? CHANGES[Math.floor(next() * CHANGES.length)]!(row) : row
  })
}

/** What one INSERT for each row stores and refuses, under a savepoint of its own. */
async function oracle(pool: pg.Pool, rows: readonly Row[], upserts = false) {
  const client = await pool.connect()
  const refused: [number, string | undefined][] = []
  await client.query('BEGIN; SAVEPOINT one')
  for (const row of rows) {
    const names = Object.keys(row)
    const insert = `INSERT INTO t (${names}) VALUES (${names.map((_, at) => `$${at + 1}`)})`
    const set = names.filter(name => name !== 'id').map(name => `${name} = excluded.${name}`)
    const text = upserts ? `${insert} ON CONFLICT (id) DO UPDATE SET ${set}` : insert
    try {
      await client.query(text, Object.values(row))
      await client.query(`SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED;
        RELEASE SAVEPOINT one; SAVEPOINT one`)
    } catch (error) {
      await client.query('ROLLBACK TO SAVEPOINT one')
      refused.push([row.seq as number, (error as { code?: string }).code])
    }
  }
  await client.query('COMMIT')
  client.release()
  return refused
}

describe('judging many refused rows', () => {
  const db = useDatabase()
  const makePool = usePools(db)

  const stored = async () => (await db.pool.query('SELECT t::text AS row FROM t ORDER BY seq')).rows

  const write = async (rows: readonly Row[], extra: object) => {
    const { pool } = makePool()
    let writes = 0
    pool.on('connect', client => {
      const { stream } = (client as unknown as { connection: { stream: Writable } }).connection
      const write = stream.write
      stream.write = function (this: Writable, ...rest: Parameters<typeof write>) {
        writes++
        return write.apply(this, rest)
      } as typeof write
    })
    const writable = new PgBatchWritable<Row>({ pool, table: 't', rejectLimit: COUNT, ...extra })
    const rejected: RejectedRow<Row>[] = await load([rows as Row[]], writable)
    return { rejected, writes, stats: writable.stats }
  }

  for (const share of [0.02, 0.1, 0.5, 1]) {
    for (const copyFormat of ['auto', 'text']) {
      it(`rejects and stores what one INSERT for each row does: ${share * 100} %, ${copyFormat}`, async () => {
        const rows = makeRows(share, 1 + share * 100, [row => ({ ...row, parent: 1000 })])
        await db.pool.query(TABLE)
        const refused = await oracle(db.pool, rows)
        const expected = await stored()
        await db.pool.query(TABLE)
        const { rejected, writes, stats } = await write(rows, { copyFormat })
        expect(rejected.map(({ index }) => index)).to.deep.equal(refused.map(([index]) => index))
        const states = rejected.map(({ error }, at): (typeof refused)[0] => [
          error.rowIndex!,
          error.sqlState ?? refused[at]![1],
        ])
        // a row that waited for its parent may meet a later one
        const late = ([, state]: (typeof refused)[0], at: number) =>
          refused[at]![1] === '23503' && state === '23505'
        expect(states.map((one, at) => (late(one, at) ? refused[at]! : one))).to.deep.equal(refused)
        expect(await stored()).to.deep.equal(expected)
        expect(stats.rowsCommitted).to.equal(expected.length)
        expect(stats.rowsUnchanged).to.equal(COUNT - expected.length - refused.length)
        expect(refused.length).to.be.within(COUNT * share * 0.5, COUNT)
        expect(stats.rowsUnchanged > 0 || share === 1).to.equal(true)
        // a piece takes two writes at least, and waits for the server
        expect(writes).to.be.below(COUNT / 10)
      })
    }
  }

  for (const method of ['copy', 'insert'] as const) {
    for (const share of [0.1, 1]) {
      it(`does so for upserts: ${share * 100} %, ${method}`, async () => {
        const rows = makeRows(share, 3 + share, [])
        await db.pool.query(TABLE)
        const refused = await oracle(db.pool, rows, true)
        const expected = await stored()
        await db.pool.query(TABLE)
        const onConflict = { target: ['id'], action: 'update' } as const
        const { rejected, writes, stats } = await write(rows, { method, onConflict })
        const states = rejected.map(({ error, index }, at) => [index, error.sqlState ?? refused[at]![1]])
        expect(states).to.deep.equal(refused)
        expect(await stored()).to.deep.equal(expected)
        expect(refused.length).to.be.within(COUNT * share * 0.5, COUNT)
        expect(stats.rowsCommitted + stats.rowsUnchanged + refused.length).to.equal(COUNT)
        expect(stats.rowsUnchanged).to.be.at.least(share < 1 ? 10 : 0)
        expect(writes).to.be.below(COUNT / 10)
      })
    }
  }

  it('checks deferred constraints with each row, once one of them has refused the batch', async () => {
    const rows = makeRows(0.3, 5, [(row, index) => ({ ...row, late: Math.floor(index / 2) })])
    await db.pool.query(TABLE)
    const refused = await oracle(db.pool, rows)
    const expected = await stored()
    await db.pool.query(TABLE)
    const { rejected } = await write(rows, {})
    expect(rejected.map(({ index }) => index)).to.deep.equal(refused.map(([index]) => index))
    expect(await stored()).to.deep.equal(expected)
    expect(rejected.filter(({ error }) => error.constraint === 't_late_key')).to.have.length.above(10)
  })

  it('writes all again after a deadlock among them, on a connection that is in step with the server', async () => {
    for (const extra of [{}, { onConflict: { target: ['id'], action: 'update' } as const, method: 'copy' }]) {
      await db.pool.query(`${TABLE}; DROP SEQUENCE IF EXISTS tried; CREATE SEQUENCE tried;
        CREATE OR REPLACE FUNCTION clash() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
          IF NEW.seq % 200 = 101 AND nextval('tried') <= 6 THEN
            RAISE EXCEPTION 'clash' USING ERRCODE = '40P01';
          END IF;
          RETURN NEW; END $$;
        CREATE TRIGGER clash BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION clash()`)
      const rows = makeRows(0, 1, []).map((row, index) => ({ ...row, n: index % 2 ? 1 : -1, label: 'x' }))
      const { rejected, stats } = await write(rows, {
        ...extra,
        retry: { retries: 20, minDelayMs: 1, maxDelayMs: 2 },
      })
      expect(rejected.map(({ index }) => index)).to.deep.equal(
        [...rows.keys()].filter(index => index % 2 === 0),
      )
      expect(await countOf(db.pool, 't')).to.equal(COUNT / 2)
      expect(stats.rowsCommitted).to.equal(COUNT / 2)
      const { rows: tried } = await db.pool.query('SELECT last_value::int AS n FROM tried')
      expect(tried[0].n).to.be.above(6)
    }
  })

  it('names the column of a value that COPY cannot read', async () => {
    await db.pool.query(TABLE)
    const rows = Array.from({ length: 200 }, (_, id) => ({ id, p: id % 2 ? 'many' : 1 }))
    const { rejected } = await write(rows, { copyFormat: 'text' })
    expect(rejected).to.have.length(100)
    expect(new Set(rejected.map(({ error }) => error.column))).to.deep.equal(new Set(['p']))
    expect(await countOf(db.pool, 't')).to.equal(100)
  })
})
