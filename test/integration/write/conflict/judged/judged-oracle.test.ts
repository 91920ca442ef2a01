import { expect } from 'chai'
import type pg from 'pg'
import { quoteList } from '../../../../../lib/table/identifier.ts'
import { PgBatchWritable } from '../../../../../lib/writable/pg-batch-writable.ts'
import { useDatabase } from '../../../../support/servers/database.ts'
import { usePools } from '../../../../support/servers/pools.ts'
import { METHODS, options, valuesOf } from '../../../../support/writing.ts'
import { load } from '../../../reliability/load.ts'
import { bad, type Case, type Row, VALUES } from './cases.ts'

/** Each has rows that are refused alone, although a later row of the batch overwrites them or makes room. */
const CASES: readonly Case[] = [
  { title: 'NOT NULL', ddl: 'CREATE TABLE % (id int PRIMARY KEY, v text NOT NULL)', rows: bad(null) },
  { title: 'a CHECK', ddl: `CREATE TABLE % (${VALUES} CHECK (v <> 'bad'))`, rows: bad('bad') },
  {
    title: 'a CHECK that reads a DEFAULT',
    ddl: `CREATE TABLE % (${VALUES}, most text DEFAULT 'z', CHECK (v <= most))`,
    rows: bad('zz'),
  },
  { title: 'a length', ddl: 'CREATE TABLE % (id int PRIMARY KEY, v varchar(3))', rows: bad('long') },
  {
    title: 'a precision',
    ddl: 'CREATE TABLE % (id int PRIMARY KEY, v numeric(3, 1))',
    rows: [
      { id: 1, v: '1000' },
      { id: 1, v: '1' },
    ],
  },
  { title: 'a domain', ddl: 'CREATE TABLE % (id int PRIMARY KEY, v short)', rows: bad('long') },
  {
    title: 'a foreign key',
    ddl: `CREATE TABLE %_parents (v text PRIMARY KEY); INSERT INTO %_parents VALUES ('x'), ('y');
      CREATE TABLE % (${VALUES} REFERENCES %_parents)`,
    rows: bad('nobody'),
  },
  {
    title: 'a foreign key of two columns',
    ddl: `CREATE TABLE %_parents (v text, w int, PRIMARY KEY (v, w)); INSERT INTO %_parents VALUES ('x', 1), ('y', 2);
      CREATE TABLE % (${VALUES}, w int, FOREIGN KEY (w, v) REFERENCES %_parents (w, v))`,
    rows: [
      { id: 1, v: 'x', w: 2 },
      { id: 1, v: 'y', w: 2 },
      { id: 2, v: null, w: 3 },
    ],
  },
  {
    title: 'a foreign key to the table itself',
    ddl: 'CREATE TABLE % (id int PRIMARY KEY, v int REFERENCES %)',
    rows: [
      { id: 1, v: 7 },
      { id: 1, v: 1 },
    ],
  },
  {
    title: 'a trigger after the row',
    ddl: `CREATE TABLE % (${VALUES});
      CREATE TRIGGER judge AFTER INSERT OR UPDATE ON % FOR EACH ROW EXECUTE FUNCTION judge()`,
    rows: bad('bad'),
  },
  {
    title: 'a trigger that sees the rows of a statement',
    ddl: `CREATE TABLE % (${VALUES}); CREATE TRIGGER judge AFTER INSERT ON % REFERENCING NEW TABLE AS given
      EXECUTE FUNCTION judge_all()`,
    rows: bad('bad'),
  },
  {
    title: 'an index of an expression',
    ddl: 'CREATE TABLE % (id int PRIMARY KEY, v int); CREATE INDEX ON % ((10 / v))',
    rows: [
      { id: 1, v: 0 },
      { id: 1, v: 1 },
    ],
  },
  {
    title: 'the condition of an index',
    ddl: 'CREATE TABLE % (id int PRIMARY KEY, v int); CREATE INDEX ON % (id) WHERE 10 / v > 1',
    rows: [
      { id: 1, v: 0 },
      { id: 1, v: 1 },
    ],
  },
  {
    title: 'a generated column',
    ddl: 'CREATE TABLE % (id int PRIMARY KEY, v int, g int GENERATED ALWAYS AS (10 / v) STORED CHECK (g < 10))',
    rows: [
      { id: 1, v: 0 },
      { id: 1, v: 2 },
      { id: 2, v: 1 },
      { id: 2, v: 2 },
    ],
  },
  {
    title: 'NOT NULL of a generated column',
    ddl: 'CREATE TABLE % (id int PRIMARY KEY, v int, g int GENERATED ALWAYS AS (10 / v) STORED NOT NULL)',
    rows: bad(null).map(row => ({ ...row, v: row.v && 1 })),
  },
  {
    title: 'the lack of a partition',
    ddl: `CREATE TABLE % (${VALUES}) PARTITION BY LIST (id);
      CREATE TABLE %_low PARTITION OF % FOR VALUES IN (1, 2)`,
    rows: [
      { id: 2, v: 'x' },
      { id: 3, v: 'y' },
      { id: 3, delete: true },
    ],
  },
  {
    title: 'a CHECK of a partition',
    ddl: `CREATE TABLE % (${VALUES}) PARTITION BY RANGE (id);
      CREATE TABLE %_low PARTITION OF % FOR VALUES FROM (0) TO (2);
      CREATE TABLE %_high PARTITION OF % FOR VALUES FROM (2) TO (9);
      ALTER TABLE %_low ADD CHECK (v <> 'bad')`,
    rows: bad('bad'),
  },
  {
    title: 'a second unique key of a partition',
    ddl: `CREATE TABLE % (${VALUES}) PARTITION BY RANGE (id);
      CREATE TABLE %_low PARTITION OF % FOR VALUES FROM (0) TO (9); CREATE UNIQUE INDEX ON %_low (v)`,
    stored: [{ id: 2, v: 'x' }],
    rows: [
      { id: 3, v: 'x' },
      { id: 2, v: 'y' },
    ],
  },
  {
    title: 'a second unique key, whose value a later row frees',
    ddl: `CREATE TABLE % (${VALUES} UNIQUE)`,
    stored: [{ id: 1, v: 'x' }],
    rows: [
      { id: 2, v: 'x' },
      { id: 1, v: 'y' },
    ],
  },
  {
    title: 'a second unique key, whose value a later row takes',
    ddl: `CREATE TABLE % (${VALUES} UNIQUE)`,
    rows: [
      { id: 2, v: 'x' },
      { id: 1, v: 'x' },
      { id: 1, v: 'y' },
    ],
  },
  {
    title: 'a second unique key that is checked late',
    ddl: `CREATE TABLE % (${VALUES} UNIQUE DEFERRABLE)`,
    stored: [{ id: 1, v: 'x' }],
    rows: [
      { id: 2, v: 'x' },
      { id: 1, v: 'y' },
    ],
  },
  {
    title: 'a second unique key, with rows of several shapes',
    ddl: `CREATE TABLE % (${VALUES} UNIQUE, w int)`,
    stored: [{ id: 1, v: 'x' }],
    rows: [
      { id: 2, v: 'x' },
      { id: 1, v: 'y' },
      { id: 3, w: 1 },
    ],
  },
  {
    title: 'a second unique key, whose value a later delete frees',
    ddl: `CREATE TABLE % (${VALUES} UNIQUE)`,
    stored: [{ id: 1, v: 'x' }],
    rows: [
      { id: 2, v: 'x' },
      { id: 1, delete: true },
    ],
  },
  {
    title: 'a second unique index with a condition',
    ddl: `CREATE TABLE % (${VALUES}); CREATE UNIQUE INDEX ON % (v) WHERE v <> 'z'`,
    stored: [{ id: 1, v: 'x' }],
    rows: [
      { id: 2, v: 'x' },
      { id: 1, v: 'z' },
    ],
  },
  {
    title: 'an exclusion constraint',
    ddl: 'CREATE TABLE % (id int PRIMARY KEY, v int4range, EXCLUDE USING gist (v WITH &&))',
    stored: [{ id: 1, v: '[1,5)' }],
    rows: [
      { id: 2, v: '[2,3)' },
      { id: 1, v: '[7,9)' },
    ],
  },
  {
    title: 'a delete of a row that others refer to',
    ddl: `CREATE TABLE % (${VALUES}); CREATE TABLE %_children (id int REFERENCES %)`,
    stored: [{ id: 1, v: 'x' }],
    rows: [
      { id: 1, delete: true },
      { id: 1, v: 'y' },
    ],
  },
]

describe('every row of an upsert is judged, also one that a later row overwrites', () => {
  const db = useDatabase()
  const makePool = usePools(db)

  before(() =>
    db.pool.query(`CREATE DOMAIN short AS text CHECK (length(VALUE) < 4);
      CREATE FUNCTION judge() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN IF new.v = 'bad' THEN RAISE EXCEPTION 'bad'; END IF; RETURN NULL; END $$;
      CREATE FUNCTION judge_all() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        IF EXISTS (SELECT FROM given WHERE v = 'bad') THEN RAISE EXCEPTION 'bad'; END IF; RETURN NULL;
      END $$`),
  )

  for (const one of CASES) {
    for (const way of METHODS) {
      it(`${one.title}, by ${way.title}`, async () => {
        for (const table of ['ours', 'theirs']) {
          await db.pool.query(`DROP TABLE IF EXISTS ${table}, ${table}_parents, ${table}_children CASCADE;
            ${one.ddl.replaceAll('%', table)}`)
          for (const row of one.stored ?? []) await changeOne(db.pool, table, row)
        }
        if (one.title.includes('refer')) {
          await db.pool.query('INSERT INTO ours_children VALUES (1); INSERT INTO theirs_children VALUES (1)')
        }
        const refused: unknown[] = []
        for (const [index, row] of one.rows.entries()) {
          await changeOne(db.pool, 'theirs', row).catch(({ code }) => refused.push([index, code]))
        }
        expect(refused).not.to.deep.equal([])

        const { pool } = makePool()
        const writable = new PgBatchWritable<Row>({
          pool,
          table: 'ours',
          ...options(way),
          toRow: ({ delete: _, ...row }) => row,
          operation: row => (row.delete ? 'delete' : 'upsert'),
          onConflict: { target: ['id'], action: 'update' },
          rejectLimit: Infinity,
        })
        const rejected = await load([one.rows], writable)
        const found = rejected.map(({ item, error }) => [one.rows.indexOf(item), error.sqlState])
        expect(found.sort()).to.deep.equal(refused)
        const texts = (table: string) => valuesOf(db.pool, `SELECT r::text FROM ${table} r ORDER BY 1`)
        expect(await texts('ours')).to.deep.equal(await texts('theirs'))
      })
    }
  }
})

describe('rows of an upsert are judged by look-ups of their parents', () => {
  const db = useDatabase()
  const makePool = usePools(db)

  for (const way of METHODS) {
    it(`which read no other rows of the parent, by ${way.title}`, async () => {
      await db.pool.query(`DROP TABLE IF EXISTS children, parents; CREATE TABLE parents (v int PRIMARY KEY);
        INSERT INTO parents SELECT generate_series(1, 50000); ANALYZE parents;
        CREATE TABLE children (id int PRIMARY KEY, v int REFERENCES parents)`)
      const rows = Array.from({ length: 100 }, (_, index) => ({ id: index % 90, v: index + 1 }))
      const reads: unknown[] = []
      const writable = new PgBatchWritable<Row>({
        pool: makePool().pool,
        table: 'children',
        ...options(way),
        onConflict: { target: ['id'], action: 'update' },
        inTransaction: async client => {
          const { rows } = await client.query(
            "SELECT seq_tup_read::int AS count FROM pg_stat_xact_user_tables WHERE relname = 'parents'",
          )
          reads.push(rows[0]?.count)
        },
      })
      expect(await load([rows], writable)).to.deep.equal([])
      expect(reads).to.deep.equal([0])
    })
  }
})

function changeOne(pool: pg.Pool, table: string, row: Row): Promise<unknown> {
  if (row.delete) return pool.query(`DELETE FROM ${table} WHERE id = $1`, [row.id])
  const columns = Object.keys(row)
  const sets = columns.filter(name => name !== 'id').map(name => `${name} = excluded.${name}`)
  const values = columns.map((_, index) => `$${index + 1}`)
  const text =
    `INSERT INTO ${table} (${quoteList(columns)}) VALUES (${values.join(', ')}) ` +
    `ON CONFLICT (id) DO UPDATE SET ${sets.join(', ')}`
  return pool.query(text, Object.values(row))
}
