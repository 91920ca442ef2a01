import { expect } from 'chai'
import { PgBatchWritable } from '../../../../lib/writable/pg-batch-writable.ts'
import { useDatabase } from '../../../support/servers/database.ts'
import { usePools } from '../../../support/servers/pools.ts'
import { METHODS, options, rowsOf, valuesOf } from '../../../support/writing.ts'
import { load } from '../load.ts'

interface Row {
  id: number
  v: unknown
}

/** A bad value, and the SQLSTATE that its type's input function, or a trigger, has for it. */
const VALUES: readonly [type: string, good: string, bad: unknown, sqlState: string][] = [
  ['tsquery', 'a & b', 'secret &', '42601'],
  ['jsonpath', '$.a', '$[secret', '42601'],
  ['regrole', 'pg_monitor', 'nosuchsecret', '42704'],
  ['regclass', 'pg_class', 'nosuchsecret', '42P01'],
  ['int4', '1', Buffer.from([1]), '08P01'],
]

/**
 * What a trigger may raise: one of the server's own SQLSTATEs, an unknown one, and one of an
 * unknown class.
 */
const RAISED = ['23514', '45000', 'MY001']

describe('a value that a function of the server refuses', () => {
  const db = useDatabase()
  const makePool = usePools(db)
  const rows = (good: string, bad: unknown) => rowsOf(100, (id): Row => ({ id, v: id === 61 ? bad : good }))

  const expectOneRejected = async (way: object, good: string, bad: unknown, sqlState: string) => {
    const { pool } = makePool()
    const writable = new PgBatchWritable<Row>({ pool, table: 'r', ...way, rejectLimit: 2 })
    const retries: unknown[] = []
    writable.on('retry', retry => retries.push(retry))
    const rejected = await load([rows(good, bad)], writable)
    expect(rejected.map(({ item, error }) => [item.id, error.code, error.sqlState])).to.deep.equal([
      [61, 'REFUSED', sqlState],
    ])
    expect(rejected[0]!.error.message).not.to.contain('secret')
    expect(retries).to.deep.equal([])
    expect(await valuesOf(db.pool, 'SELECT count(*)::int FROM r')).to.deep.equal([[99]])
  }

  for (const way of METHODS) {
    for (const [type, good, bad, sqlState] of VALUES) {
      if (Buffer.isBuffer(bad) && way.title === 'text COPY') continue // text has no such value
      if (way.title === 'binary COPY' && !Buffer.isBuffer(bad)) continue // binary has no such type
      it(`costs its row alone: ${type}, by ${way.title}`, async () => {
        await db.pool.query(`DROP TABLE IF EXISTS r; CREATE TABLE r (id int, v ${type})`)
        await expectOneRejected(options(way), good, bad, sqlState)
      })
    }

    for (const sqlState of RAISED) {
      it(`costs its row alone, and is not repeated: raised as ${sqlState}, by ${way.title}`, async () => {
        await db.pool.query(`DROP TABLE IF EXISTS r; CREATE TABLE r (id int, v text);
          CREATE OR REPLACE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
            IF new.v LIKE 'secret%' THEN RAISE EXCEPTION 'no %', new.v USING ERRCODE = '${sqlState}'; END IF;
            RETURN new; END $$;
          CREATE TRIGGER refuse BEFORE INSERT ON r FOR EACH ROW EXECUTE FUNCTION refuse()`)
        await expectOneRejected(options(way), 'x', 'secret', sqlState)
      })
    }
  }

  it('costs its row alone where a policy refuses it', async () => {
    const role = `policed_${process.pid}`
    await db.pool.query(`DROP TABLE IF EXISTS r; CREATE TABLE r (id int, v text);
      ALTER TABLE r ENABLE ROW LEVEL SECURITY; CREATE POLICY p ON r WITH CHECK (v <> 'secret');
      CREATE ROLE ${role} LOGIN PASSWORD '${role}'; GRANT INSERT ON r TO ${role}`)
    const url = new URL(db.connectionString)
    url.username = role
    url.password = role
    const { pool } = makePool({ connectionString: url.href })
    try {
      const rejected = await load(
        [rows('x', 'secret')],
        new PgBatchWritable<Row>({ pool, table: 'r', rejectLimit: 2 }),
      )
      expect(rejected.map(({ item, error }) => [item.id, error.sqlState])).to.deep.equal([[61, '42501']])
    } finally {
      await pool.query('RESET ROLE')
      await db.pool.query(`DROP OWNED BY ${role}; DROP ROLE ${role}`)
    }
  })

  it('costs its row alone where a policy refuses it, also if a later row overwrites it', async () => {
    const role = `overwriter_${process.pid}`
    await db.pool.query(`DROP TABLE IF EXISTS r; CREATE TABLE r (id int PRIMARY KEY, v text);
      ALTER TABLE r ENABLE ROW LEVEL SECURITY;
      CREATE POLICY p ON r USING (true) WITH CHECK (v <> 'secret');
      CREATE ROLE ${role} LOGIN PASSWORD '${role}'; GRANT SELECT, INSERT, UPDATE ON r TO ${role}`)
    const url = new URL(db.connectionString)
    url.username = role
    url.password = role
    const { pool } = makePool({ connectionString: url.href })
    try {
      const onConflict = { target: ['id'], action: 'update' } as const
      const versions = ['x', 'secret', 'y'].map(v => ({ id: 1, v }))
      const rejected = await load(
        [versions],
        new PgBatchWritable<Row>({ pool, table: 'r', onConflict, rejectLimit: 2 }),
      )
      expect(rejected.map(({ item, error }) => [item.v, error.sqlState])).to.deep.equal([['secret', '42501']])
      expect(await valuesOf(db.pool, 'SELECT id, v FROM r')).to.deep.equal([[1, 'y']])
    } finally {
      await pool.query('RESET ROLE')
      await db.pool.query(`DROP OWNED BY ${role}; DROP ROLE ${role}`)
    }
  })

  it('costs its row alone where a trigger makes keys equal that were not', async () => {
    await db.pool.query(`DROP TABLE IF EXISTS r; CREATE TABLE r (id int PRIMARY KEY, v text);
      CREATE OR REPLACE FUNCTION even() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN new.id := new.id / 2 * 2; RETURN new; END $$;
      CREATE TRIGGER even BEFORE INSERT ON r FOR EACH ROW EXECUTE FUNCTION even()`)
    const onConflict = { target: ['id'], action: 'update' } as const
    const writable = new PgBatchWritable<Row>({
      pool: makePool().pool,
      table: 'r',
      onConflict,
      rejectLimit: 2,
    })
    expect(await load([rows('x', 'y')], writable)).to.deep.equal([])
    expect(await valuesOf(db.pool, 'SELECT count(*)::int FROM r')).to.deep.equal([[50]])
  })
})
