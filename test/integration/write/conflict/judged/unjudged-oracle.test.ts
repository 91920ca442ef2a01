import { expect } from 'chai'
import pg from 'pg'
import { PgBatchWritable } from '../../../../../lib/writable/pg-batch-writable.ts'
import { useDatabase } from '../../../../support/servers/database.ts'
import { METHODS, options, valuesOf } from '../../../../support/writing.ts'
import { load } from '../../../reliability/load.ts'
import { bad, type Case, type Row, VALUES } from './cases.ts'

/** Tables whose rows no query of the role can judge, and rows of which none is refused. */
const UNREADABLE: readonly Pick<Case, 'title' | 'ddl' | 'rows'>[] = [
  {
    title: 'a parent in a schema that the role may not use',
    ddl: `CREATE TABLE priv.parents (v text PRIMARY KEY); INSERT INTO priv.parents VALUES ('x'), ('y');
      GRANT SELECT, UPDATE ON priv.parents TO judge_writer;
      CREATE TABLE closed (${VALUES} REFERENCES priv.parents)`,
    rows: bad('x'),
  },
  {
    title: 'a CHECK with a function of such a schema',
    ddl: `CREATE TABLE closed (${VALUES} CHECK (priv.ok(v)))`,
    rows: bad('x'),
  },
  {
    title: 'a CHECK with an operator of such a schema',
    ddl: `CREATE TABLE closed (${VALUES} CHECK (v OPERATOR(priv.===) v))`,
    rows: bad('x'),
  },
  {
    title: 'a CHECK with a type of such a schema',
    ddl: `CREATE TABLE closed (${VALUES} CHECK (v::priv.word = 'x' OR v <> 'z'))`,
    rows: bad('x'),
  },
  {
    title: 'an index with a function of such a schema',
    ddl: `CREATE TABLE closed (${VALUES}); CREATE INDEX ON closed (priv.ok(v))`,
    rows: bad('x'),
  },
  {
    title: 'the condition of an index with a function of such a schema',
    ddl: `CREATE TABLE closed (${VALUES}); CREATE INDEX ON closed (id) WHERE priv.ok(v)`,
    rows: bad('x'),
  },
  {
    title: 'a generated column with a function of such a schema',
    ddl: `CREATE TABLE closed (${VALUES}, g boolean GENERATED ALWAYS AS (priv.ok(v)) STORED)`,
    rows: bad('x'),
  },
  {
    title: 'a DEFAULT with a function of such a schema',
    ddl: `CREATE TABLE closed (${VALUES}, w boolean DEFAULT priv.ok('w'), CHECK (w OR v <> 'bad'))`,
    rows: bad('x'),
  },
  {
    title: 'a parent with another collation',
    ddl: `CREATE TABLE closed_parents (v text COLLATE "POSIX" PRIMARY KEY);
      INSERT INTO closed_parents VALUES ('x'), ('y');
      GRANT ALL ON closed_parents TO judge_writer;
      CREATE TABLE closed (id int PRIMARY KEY, v text COLLATE "C" REFERENCES closed_parents)`,
    rows: bad('x'),
  },
]

describe('rows that no query of the role can judge are written', () => {
  let pool: pg.Pool
  after(async () => {
    await pool.end()
    await db.pool.query('DROP OWNED BY judge_writer CASCADE; DROP ROLE judge_writer')
  })
  const db = useDatabase() // its pool ends after that

  before(async () => {
    await db.pool.query(`CREATE ROLE judge_writer LOGIN PASSWORD 'part'; CREATE SCHEMA priv;
      CREATE DOMAIN priv.word AS text;
      CREATE FUNCTION priv.ok(text) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT true';
      CREATE FUNCTION priv.same(text, text) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT true';
      CREATE OPERATOR priv.=== (LEFTARG = text, RIGHTARG = text, FUNCTION = priv.same)`)
    const url = new URL(db.directConnectionString)
    url.username = 'judge_writer'
    url.password = 'part'
    pool = new pg.Pool({ connectionString: url.href })
    pool.on('error', () => {})
  })

  for (const { title, ddl, rows } of UNREADABLE) {
    for (const way of METHODS) {
      it(`${title}, by ${way.title}`, async () => {
        await db.pool.query(`DROP TABLE IF EXISTS closed, closed_parents, priv.parents CASCADE; ${ddl};
          GRANT ALL ON closed TO judge_writer`)
        const onConflict = { target: ['id'], action: 'update' } as const
        const writable = new PgBatchWritable<Row>({ pool, table: 'closed', ...options(way), onConflict })
        expect(await load([rows], writable)).to.deep.equal([])
        expect(await valuesOf(db.pool, 'SELECT id, v FROM closed ORDER BY 1')).to.deep.equal([
          [1, 'y'],
          [2, 'x'],
        ])
      })
    }
  }
})
