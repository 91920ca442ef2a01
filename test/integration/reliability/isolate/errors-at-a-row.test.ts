import { expect } from 'chai'
import { PgBatchWritable } from '../../../../lib/writable/pg-batch-writable.ts'
import { useDatabase } from '../../../support/servers/database.ts'
import { usePools } from '../../../support/servers/pools.ts'
import { failureOf, METHODS, options, rowsOf, valuesOf } from '../../../support/writing.ts'
import { load } from '../load.ts'

interface Row {
  readonly id: number
  readonly v: string
}

/** How a row's value makes the server fail with an SQLSTATE that elsewhere is a statement's fault. */
const FAULTS = [
  {
    title: 'a trigger that routes by EXECUTE',
    sqlState: '42P01',
    name: 'undefined_table',
    create: `CREATE TABLE r (id int, v text); CREATE TABLE r_good (id int, v text);
      CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        EXECUTE format('INSERT INTO %I SELECT $1.*', 'r_' || new.v) USING new; RETURN new; END $$;
      CREATE TRIGGER t BEFORE INSERT ON r FOR EACH ROW EXECUTE FUNCTION f()`,
  },
  {
    title: 'a trigger after the row that routes by EXECUTE',
    sqlState: '42P01',
    name: 'undefined_table',
    create: `CREATE TABLE r (id int, v text); CREATE TABLE r_good (id int, v text);
      CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        EXECUTE format('INSERT INTO %I SELECT $1.*', 'r_' || new.v) USING new; RETURN new; END $$;
      CREATE TRIGGER t AFTER INSERT ON r FOR EACH ROW EXECUTE FUNCTION f()`,
  },
  {
    title: 'a CHECK by a function of PL/pgSQL',
    sqlState: '42883',
    name: 'undefined_function',
    create: `CREATE FUNCTION f(v text) RETURNS bool LANGUAGE plpgsql AS $$ DECLARE b bool; BEGIN
        EXECUTE format('SELECT %I()', CASE v WHEN 'good' THEN 'pg_is_in_recovery' ELSE v END) INTO b;
        RETURN true; END $$;
      CREATE TABLE r (id int, v text CHECK (f(v)))`,
  },
  {
    title: 'a CHECK that casts to regclass',
    sqlState: '42P01',
    name: 'undefined_table',
    create: `CREATE TABLE good (); CREATE TABLE r (id int, v text CHECK (v::regclass IS NOT NULL))`,
  },
  {
    title: 'a CHECK that casts to regclass of a missing schema',
    sqlState: '3F000',
    name: 'invalid_schema_name',
    create: `CREATE TABLE good ();
      CREATE TABLE r (id int, v text CHECK (replace(v, 'secret', 'secret.x')::regclass IS NOT NULL))`,
  },
  {
    title: 'a function that looks for a role',
    sqlState: '42704',
    name: 'undefined_object',
    create: `CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        IF new.v <> 'good' THEN PERFORM new.v::regrole; END IF;
        RETURN new; END $$;
      CREATE TABLE r (id int, v text);
      CREATE TRIGGER t BEFORE INSERT ON r FOR EACH ROW EXECUTE FUNCTION f()`,
  },
  {
    title: 'a trigger that raises an error with the value as its column',
    sqlState: 'P0001',
    name: 'raise_exception',
    create: `CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        IF new.v <> 'good' THEN RAISE 'no %', new.v USING COLUMN = new.v, DETAIL = new.v, HINT = new.v; END IF;
        RETURN new; END $$;
      CREATE TABLE r (id int, v text);
      CREATE TRIGGER t BEFORE INSERT ON r FOR EACH ROW EXECUTE FUNCTION f()`,
  },
]

describe('an error that came at a row', function () {
  this.timeout(120_000)
  const db = useDatabase()
  const makePool = usePools(db)
  const rows = rowsOf(100, (id): Row => ({ id, v: id === 61 ? 'secret' : 'good' }))

  const create = (sql: string) =>
    db.pool.query(
      `DROP TABLE IF EXISTS r, r_good, good CASCADE; DROP FUNCTION IF EXISTS f(); DROP FUNCTION IF EXISTS f(text); ${sql}`,
    )

  for (const { title, sqlState, name, create: sql } of FAULTS) {
    for (const way of METHODS) {
      it(`costs its row alone: ${title}, by ${way.title}`, async () => {
        await create(sql)
        const writable = new PgBatchWritable<Row>({
          pool: makePool().pool,
          table: 'r',
          ...options(way),
          rejectLimit: 1,
        })
        const [reject, ...others] = await load([rows], writable)
        expect(others).to.deep.equal([])
        const { error, index } = reject!
        expect(index).to.equal(61)
        expect(error.rowIndex).to.equal(61)
        expect(error.code).to.equal('REFUSED')
        expect(error.message).not.to.contain('secret')
        expect(error.sqlState).to.equal(sqlState)
        expect(error.message).to.contain(`: ${name} (SQLSTATE ${sqlState})`)
        expect(await valuesOf(db.pool, 'SELECT count(*)::int FROM r')).to.deep.equal([[99]])
      })

      it(`says nothing of the value when it ends the stream: ${title}, by ${way.title}`, async () => {
        await create(sql)
        const writable = new PgBatchWritable<Row>({ pool: makePool().pool, table: 'r', ...options(way) })
        const error = await failureOf(load([rows], writable))
        expect(error.message).not.to.contain('secret')
        expect(error.outcome).to.equal('rolled-back')
        expect(await valuesOf(db.pool, 'SELECT count(*)::int FROM r')).to.deep.equal([[0]])
      })
    }
  }

  for (const way of METHODS) {
    it(`does not name a file that a row's value names, by ${way.title}`, async () => {
      await create(`CREATE TABLE r (id int, v text);
        CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
          IF new.v <> 'good' THEN PERFORM pg_read_file(new.v); END IF; RETURN new; END $$;
        CREATE TRIGGER t BEFORE INSERT ON r FOR EACH ROW EXECUTE FUNCTION f()`)
      const writable = new PgBatchWritable<Row>({
        pool: makePool().pool,
        table: 'r',
        ...options(way),
        rejectLimit: 1,
      })
      const error = await failureOf(load([rows], writable))
      expect(error.sqlState).to.equal('58P01')
      expect(error.message).to.contain('undefined_file (SQLSTATE 58P01)').and.not.to.contain('secret')
    })

    it(`ends the stream where every row of a batch fails alike, by ${way.title}`, async () => {
      await create(`CREATE TABLE r (id int, v text);
        CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
          INSERT INTO dropped VALUES (new.v); RETURN new; END $$;
        CREATE TRIGGER t BEFORE INSERT ON r FOR EACH ROW WHEN (new.id >= 10) EXECUTE FUNCTION f()`)
      const writable = new PgBatchWritable<Row>({
        pool: makePool().pool,
        table: 'r',
        ...options(way),
        rejectLimit: 1000,
      })
      const error = await failureOf(load([rows.slice(0, 10), rows.slice(10, 60)], writable))
      expect(error).to.include({ code: 'REFUSED', sqlState: '42P01', outcome: 'rolled-back', batchId: 2 })
      expect(writable.stats.rowsCommitted).to.equal(10)
      expect(writable.stats.rowsRejected).to.equal(0)
    })
  }

  it('keeps what the server says of a statement of ours', async () => {
    await create('CREATE TABLE r (id int, v text)')
    for (const method of ['copy', 'insert'] as const) {
      const writable = new PgBatchWritable<Row>({
        pool: makePool().pool,
        table: 'r',
        method,
        rejectLimit: 1000,
      })
      writable.write([rows[0]!])
      await new Promise<void>(resolve => writable.once('commit', () => resolve()))
      await db.pool.query('ALTER TABLE r RENAME TO r_good')
      const error = await failureOf(load([rows], writable))
      expect(error.message).to.contain('relation "')
      await db.pool.query('ALTER TABLE r_good RENAME TO r')
    }
  })
})
