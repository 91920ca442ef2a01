import { expect } from 'chai'
import pg from 'pg'
import { PgRowWriter, type WrittenRow } from '../../../lib/index.ts'
import { type Row, useSingleRows } from './single-rows.ts'

describe('PgRowWriter, each row', () => {
  const tests = useSingleRows()
  const { database, query, writeAll, stored } = tests

  it('is inserted by one COPY with the others, and its promise resolves after the COMMIT', async () => {
    await query('CREATE TABLE t (id int PRIMARY KEY)')
    const writer = new PgRowWriter<Row>({ pool: tests.pool, table: 't' })
    const written = await Promise.all(Array.from({ length: 100 }, (_, id) => writer.write({ id })))
    expect(await stored('SELECT count(*)::int AS count FROM t')).to.deep.equal([{ count: 100 }])
    expect(written).to.deep.equal(new Array(100).fill({ action: 'inserted' }))
    expect(writer.stats.transactions).to.equal(1)
    await writer.end()
  })

  for (const returning of [undefined, ['id']]) {
    it(`is rejected alone if it is bad${returning ? ', with returning' : ''}`, async () => {
      await query('CREATE TABLE t (id int PRIMARY KEY, n int CHECK (n < 500))')
      const rows = [
        { id: 1, n: 1 },
        { id: 2, n: 501 },
        { id: 3, m: 1 },
        { id: 1, n: 2 },
        { id: 'x', n: 3 },
        null,
      ]
      const settled = await writeAll([...rows, { id: 7, n: 7 }] as Row[], returning ? { returning } : {})
      const codes = settled.map(each => ('code' in each ? (each.sqlState ?? each.code) : each.action))
      expect(codes).to.deep.equal([
        ...['inserted', '23514', 'ROW_INVALID', '23505', '22P02', 'ROW_INVALID', 'inserted'],
      ])
      for (const each of settled) {
        if (!('code' in each)) continue
        expect(each.outcome).to.be.oneOf(['rolled-back', 'not-sent'])
        expect(each.message).not.to.match(/batch/)
        if (each.sqlState === '22P02') expect(each).to.include({ column: 'id' })
      }
      expect(await stored('SELECT id FROM t ORDER BY 1')).to.deep.equal([{ id: 1 }, { id: 7 }])
    })
  }

  it('resolves with its own returned values, made by the type parsers of pg, in any order of shapes', async () => {
    await query(
      "CREATE TABLE t (id bigserial, a text, b timestamptz DEFAULT '2026-01-01Z', c text GENERATED ALWAYS AS (upper(a)) STORED)",
    )
    const rows = Array.from({ length: 2500 }, (_, n) =>
      n % 3 ? { a: `a${n}` } : { b: new Date(n), a: `a${n}` },
    )
    const settled = (await writeAll(rows, { returning: ['id', 'a', 'b', 'c'] })) as WrittenRow<Row>[]
    for (const [n, { action, row }] of settled.entries()) {
      expect(action).to.equal('inserted')
      const b = n % 3 ? new Date('2026-01-01Z') : new Date(n)
      expect(row).to.deep.equal({ id: row!.id, a: `a${n}`, b, c: `A${n}` })
      expect(row!.id).to.be.a('string')
    }
    expect(await stored('SELECT id, a, b, c FROM t ORDER BY id')).to.deep.equal(
      settled.map(({ row }) => row).sort((x, y) => Number(x!.id) - Number(y!.id)),
    )
  })

  it('is distinguished from the others when a trigger skips some rows and changes others', async () => {
    await query(`CREATE TABLE t (id serial, n int);
      CREATE FUNCTION pick() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN IF NEW.n % 3 = 0 THEN RETURN NULL; END IF; IF NEW.n % 3 = 1 THEN NEW.n := -NEW.n; END IF; RETURN NEW; END $$;
      CREATE TRIGGER pick BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION pick()`)
    const rows = Array.from({ length: 300 }, (_, n) => ({ n }))
    const settled = await writeAll(rows, { returning: ['n'] })
    const expected = rows.map(({ n }) =>
      n % 3 === 0 ? { action: 'unchanged' } : { action: 'inserted', row: { n: n % 3 === 1 ? -n : n } },
    )
    expect(settled).to.deep.equal(expected)
    const without = await writeAll(rows, {})
    expect(without).to.deep.equal(expected.map(({ action }) => ({ action })))
  })

  for (const [where, create] of Object.entries({
    'the table': 'CREATE TABLE t (n int)',
    'a partition': 'CREATE TABLE t (n int) PARTITION BY RANGE (n); CREATE TABLE part PARTITION OF t DEFAULT',
  })) {
    it(`reports the truth when such a trigger comes to ${where} while the writer runs`, async () => {
      await query(create)
      const writer = new PgRowWriter<Row>({ pool: tests.pool, table: 't' })
      expect(await writer.write({ n: 1 })).to.deep.equal({ action: 'inserted' })
      await query(`CREATE FUNCTION skip() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN IF NEW.n = 3 THEN RETURN NULL; END IF; RETURN NEW; END $$;
        CREATE TRIGGER skip BEFORE INSERT ON ${where === 'the table' ? 't' : 'part'}
          FOR EACH ROW EXECUTE FUNCTION skip()`)
      const written = await Promise.all([2, 3, 4].map(n => writer.write({ n })))
      expect(written.map(({ action }) => action)).to.deep.equal(['inserted', 'unchanged', 'inserted'])
      await writer.end()
      expect(await stored()).to.deep.equal([{ n: 1 }, { n: 2 }, { n: 4 }])
    })
  }

  it('goes through a view with INSTEAD OF triggers, which may skip it', async () => {
    await query(`CREATE TABLE base (id serial, v int); CREATE VIEW t AS SELECT * FROM base;
      CREATE FUNCTION put() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
      IF NEW.v = 2 THEN RETURN NULL; END IF;
      INSERT INTO base (v) VALUES (NEW.v) RETURNING id INTO NEW.id; RETURN NEW; END $$;
      CREATE TRIGGER put INSTEAD OF INSERT ON t FOR EACH ROW EXECUTE FUNCTION put()`)
    const settled = await writeAll([{ v: 1 }, { v: 2 }, { v: 3 }], { columns: ['v'], returning: ['id', 'v'] })
    expect(settled).to.deep.equal([
      { action: 'inserted', row: { id: 1, v: 1 } },
      { action: 'unchanged' },
      { action: 'inserted', row: { id: 2, v: 3 } },
    ])
  })

  it('is unchanged where a rule drops it', async () => {
    await query(
      'CREATE TABLE t (id int); CREATE RULE drop_2 AS ON INSERT TO t WHERE NEW.id = 2 DO INSTEAD NOTHING',
    )
    const settled = await writeAll([{ id: 1 }, { id: 2 }, { id: 3 }], {})
    expect(settled.map(each => 'action' in each && each.action)).to.deep.equal([
      'inserted',
      'unchanged',
      'inserted',
    ])
  })

  it('is rejected alone by a deferred constraint', async () => {
    await query(`CREATE TABLE p (id int PRIMARY KEY); INSERT INTO p VALUES (1);
      CREATE TABLE t (id serial, p int REFERENCES p DEFERRABLE INITIALLY DEFERRED)`)
    const settled = await writeAll([{ p: 1 }, { p: 2 }, { p: 1 }], { returning: ['p'] })
    expect(settled.map(each => ('code' in each ? each.sqlState : each.action))).to.deep.equal([
      ...['inserted', '23503', 'inserted'],
    ])
  })

  it('is in the transaction of inTransaction, whose failure rejects it with the others and ends nothing', async () => {
    await query('CREATE TABLE t (id int PRIMARY KEY); CREATE TABLE outbox (id int)')
    let fails = false
    const writer = new PgRowWriter<Row>({
      pool: tests.pool,
      table: 't',
      inTransaction: async (client, rows) => {
        if (fails) throw new Error('no')
        for (const { id } of rows) await client.query('INSERT INTO outbox VALUES ($1)', [id])
      },
    })
    await writer.write({ id: 1 })
    fails = true
    const error = await writer.write({ id: 2 }).catch(error => error)
    expect(error).to.include({ code: 'CALLBACK_FAILED', outcome: 'rolled-back' })
    fails = false
    await writer.write({ id: 3 })
    await writer.end()
    expect(await stored('SELECT t.id FROM t JOIN outbox USING (id) ORDER BY 1')).to.deep.equal([
      { id: 1 },
      { id: 3 },
    ])
  })

  it('is rejected alone if a type parser of the program throws at what it returns', async () => {
    await query('CREATE TABLE t (id int PRIMARY KEY)')
    const types = {
      getTypeParser: (oid: number, format?: string) =>
        oid === 23
          ? (text: string) => {
              if (text === '2') throw new Error('two')
              return Number(text)
            }
          : pg.types.getTypeParser(oid, format as 'text'),
    }
    const own = new pg.Pool({ connectionString: database.connectionString, types })
    const settled = await writeAll([{ id: 1 }, { id: 2 }, { id: 3 }], { pool: own, returning: ['id'] })
    await own.end()
    expect(settled.map(each => ('code' in each ? each.code : each.row))).to.deep.equal([
      { id: 1 },
      'VALUE_NOT_ENCODABLE',
      { id: 3 },
    ])
    expect(await stored()).to.deep.equal([{ id: 1 }, { id: 3 }])
  })

  it('is not sent if a client without type parsers is to return its columns', async () => {
    await query('CREATE TABLE t (id int PRIMARY KEY)')
    const bare = {
      connect: async () => {
        const client = await tests.pool.connect()
        return {
          query: (text: string, values?: unknown[]) => client.query(text, values),
          release: (error?: Error) => client.release(error),
        }
      },
    }
    const settled = await writeAll([{ id: 1 }, { id: 2 }], { pool: bare, returning: ['id'] })
    for (const each of settled) {
      expect(each).to.include({ code: 'REFUSED', outcome: 'not-sent' })
      expect(each)
        .to.have.property('message')
        .that.matches(/`returning` .*getTypeParser/)
    }
    expect(await writeAll([{ id: 3 }], { pool: bare })).to.deep.equal([{ action: 'inserted' }])
  })

  it('has values of every kind: NULL, bytes, long text, other letters', async () => {
    await query('CREATE TABLE t (a text, b bytea, c int[], d jsonb, e numeric)')
    const row = {
      a: `é😀${'x'.repeat(200_000)}`,
      b: Buffer.from([0, 255]),
      c: [1, null],
      d: { x: ["'"] },
      e: '1.50',
    }
    const settled = await writeAll([row, { a: null }, { a: '' }], { returning: ['a', 'b', 'c', 'd', 'e'] })
    expect(settled).to.deep.equal([
      { action: 'inserted', row },
      { action: 'inserted', row: { a: null, b: null, c: null, d: null, e: null } },
      { action: 'inserted', row: { a: '', b: null, c: null, d: null, e: null } },
    ])
  })

  describe('by one statement with others, where the server can name them in RETURNING', () => {
    const version = async (): Promise<number> =>
      Number((await query('SHOW server_version_num')).rows[0].server_version_num)

    it('stores and returns the same values as alone', async () => {
      await query(`CREATE TYPE mood AS ENUM ('sad', 'ok'); CREATE DOMAIN small AS numeric(4,1) CHECK (VALUE < 100);
        CREATE TABLE t (a char(3), b bit(3), c varchar(3), d numeric(5,2), e interval minute to second, f mood,
          g small, h int[], i jsonb, j "char", k name, l bytea, m timestamp(0), n varbit(3), o int4range, p text,
          q float4, r uuid, s inet, z int)`)
      const row = {
        ...{
          a: 'x',
          b: '101',
          c: 'y',
          d: '1.005',
          e: '04:05',
          f: 'ok',
          g: '9.94',
          h: [
            [1, 2],
            [3, 4],
          ],
        },
        ...{ i: { x: [1] }, j: 'c', k: 'n', l: Buffer.from([0, 255]), m: '2026-01-01 00:00:00.6', n: '11' },
        ...{ o: '[1,5)', p: '', q: 0.1, r: '00000000-0000-0000-0000-000000000001', s: '10.0.0.1/8' },
      }
      const returning = Object.keys({ ...row, z: 1 })
      const rows = Array.from({ length: 20 }, (_, z) => ({ ...row, z }))
      rows[11] = { z: 11 } as (typeof rows)[0]
      const many = await writeAll(rows, { returning })
      const alone = (await Promise.all(rows.map(each => writeAll([each], { returning })))).flat()
      expect(many).to.deep.equal(alone)
      expect(many.map(each => 'row' in each && each.row!.z)).to.deep.equal(rows.map(({ z }) => z))
      for (const bad of [{ a: 'four' }, { b: '1' }, { c: 'four' }, { g: '100' }, { f: 'no' }]) {
        const settled = await writeAll([...rows, { ...row, z: 20, ...bad }], { returning: ['z'] })
        expect(settled.at(-1)).to.include({ code: 'REFUSED' })
        expect(settled.slice(0, -1).map(each => 'row' in each && each.row!.z)).to.deep.equal(
          rows.map(({ z }) => z),
        )
      }
    })

    it('costs one statement, except that rows before PostgreSQL 17 have one each', async () => {
      await query(`CREATE TABLE t (id serial, n int); CREATE TABLE statements (n serial);
        CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS
          $$ BEGIN INSERT INTO statements DEFAULT VALUES; RETURN NULL; END $$;
        CREATE TRIGGER note AFTER INSERT ON t FOR EACH STATEMENT EXECUTE FUNCTION note()`)
      const settled = await writeAll(
        Array.from({ length: 40 }, (_, n) => ({ n })),
        { returning: ['n'] },
      )
      expect(settled).to.deep.equal(
        Array.from({ length: 40 }, (_, n) => ({ action: 'inserted', row: { n } })),
      )
      const [{ count }] = (await stored('SELECT count(*)::int AS count FROM statements')) as [Row]
      expect(count).to.equal((await version()) >= 170_000 ? 1 : 40)
    })
  })

  it('is rejected with COLUMN_NOT_FOUND if returning names no column', async () => {
    await query('CREATE TABLE t (id int)')
    const [error] = await writeAll([{ id: 1 }], { returning: ['nope'] })
    expect(error).to.include({ code: 'COLUMN_NOT_FOUND', outcome: 'not-sent', column: 'nope' })
  })
})
