import { expect } from 'chai'
import pg from 'pg'
import type { OnConflict } from '../../../../lib/writable/options/on-conflict.ts'
import { PgBatchWritable } from '../../../../lib/writable/pg-batch-writable.ts'
import { useProxiedPool } from '../../../support/network/proxied-pool.ts'
import { aroundThePooler } from '../../../support/servers/around-pooler.ts'
import { useDatabase } from '../../../support/servers/database.ts'
import { load } from '../load.ts'

type Row = Readonly<Record<string, unknown>>

const COUNT = 2000

describe('Rows whose parents are missing', function () {
  this.timeout(60_000)
  const db = useDatabase()
  const proxied = useProxiedPool(db)
  const role = `orphans_${process.pid}`
  const pools: pg.Pool[] = []

  afterEach(async () => {
    for (const pool of pools.splice(0)) await pool.end()
    await db.pool.query('DROP TABLE IF EXISTS child, parent, tree')
  })

  /** Returns what is rejected, as `id SQLSTATE`, and the number of statements. */
  async function write(
    table: string,
    rows: readonly Row[],
    { pool = proxied.pool, onConflict }: { pool?: pg.Pool; onConflict?: OnConflict } = {},
  ) {
    let statements = 0
    const before = await countIn(table)
    const counting = proxied.proxy.arm({
      direction: 'up',
      at: ({ name }) => {
        if (name === 'Query' || name === 'Parse') statements++
        return false
      },
      action: { do: 'cut' },
    })
    counting.catch(() => {})
    const options = { pool, table, rejectLimit: COUNT, ...(onConflict ? { onConflict } : {}) }
    const rejected = await load([rows], new PgBatchWritable<Row>(options))
    proxied.proxy.disarm()
    for (const { index, error } of rejected) expect(error.rowIndex).to.equal(index)
    if (before === 0 && onConflict?.newerBy === undefined)
      expect(await countIn(table)).to.equal(rows.length - rejected.length)
    return {
      rejected: rejected.map(({ index, error }) => `${rows[index]!.id} ${error.sqlState}`),
      statements,
    }
  }

  async function countIn(table: string): Promise<number> {
    const { rows } = await db.pool.query(`SELECT count(*)::int FROM ${table} WHERE id < ${COUNT}`)
    return rows[0].count
  }

  const idsOf = (rows: readonly Row[], isOrphan: (id: number) => boolean) =>
    rows.filter(({ id }) => isOrphan(Number(id))).map(({ id }) => `${id} 23503`)

  const upsert = { target: ['id'], action: 'update' } as const
  const ways = [
    { title: '', write },
    {
      title: ', by upserts',
      write: (table: string, rows: readonly Row[]) => write(table, rows, { onConflict: upsert }),
    },
    {
      title: ', by upserts on condition',
      write: (table: string, rows: readonly Row[]) =>
        write(table, rows, { onConflict: { ...upsert, where: 'stored.id > 0' } }),
    },
  ]

  for (const { title, write } of ways) {
    it(`in another table are rejected together, in few statements${title}`, async () => {
      await db.pool.query(`CREATE TABLE parent (id int PRIMARY KEY); INSERT INTO parent SELECT generate_series(0, 9);
      CREATE TABLE child (id int PRIMARY KEY, parent int REFERENCES parent)`)
      const rows = Array.from({ length: COUNT }, (_, id) => ({ id, parent: id % 40 }))
      const { rejected, statements } = await write('child', rows)
      expect(rejected).to.deep.equal(idsOf(rows, id => id % 40 > 9))
      expect(statements).to.be.below(100)
    })

    it(`in their own batch, a chain without its beginning, are rejected together, in few statements${title}`, async () => {
      await db.pool.query(`CREATE TABLE tree (id int PRIMARY KEY, parent int REFERENCES tree, n int CHECK (n > 0));
      INSERT INTO tree VALUES (5000)`)
      // three chains: one has no beginning, one begins with a bad row, one is good
      const beginnings = [9999, null, 5000]
      const rows = Array.from({ length: COUNT }, (_, id) => ({
        id,
        parent: id < 3 ? beginnings[id] : id - 3,
        n: id === 1 ? -1 : 1,
      })).reverse()
      const { rejected, statements } = await write('tree', rows)
      expect(rejected).to.deep.equal(
        rows.flatMap(({ id }) => (id % 3 === 2 ? [] : [id === 1 ? '1 23514' : `${id} 23503`])),
      )
      expect(statements).to.be.below(150)
    })
  }

  it('are not those of upserts that may keep the stored parent', async () => {
    await db.pool.query(`CREATE TABLE parent (id int PRIMARY KEY); INSERT INTO parent VALUES (1);
      CREATE TABLE child (id int PRIMARY KEY, parent int REFERENCES parent, n int);
      INSERT INTO child SELECT id, 1, id % 2 FROM generate_series(0, 39) id`)
    const rows = Array.from({ length: 40 }, (_, id) => ({ id, parent: 7, n: 1 }))
    for (const more of [{ newerBy: 'n' }, { where: 'excluded.n > stored.n' }]) {
      const { rejected } = await write('child', rows, { onConflict: { ...upsert, ...more } })
      expect(rejected).to.deep.equal(idsOf(rows, id => id % 2 === 0))
    }
    expect((await write('child', rows, { onConflict: { ...upsert, update: ['n'] } })).rejected).to.deep.equal(
      [],
    )
    const inserting = await write('child', rows, { onConflict: { ...upsert, action: 'nothing' } })
    expect(inserting.rejected).to.deep.equal([])
  })

  it('are not those of upserts that may meet a row of their batch', async () => {
    await db.pool.query(`CREATE TABLE parent (id int PRIMARY KEY); INSERT INTO parent VALUES (1);
      CREATE TABLE child (id int PRIMARY KEY, parent int REFERENCES parent, n int)`)
    const rows = [
      ...Array.from({ length: 20 }, (_, id) => ({ id, parent: id % 2 === 0 ? 1 : 7, n: 5 })),
      ...Array.from({ length: 20 }, (_, id) => ({ id, parent: 8, n: 3 })),
    ]
    const { rejected } = await write('child', rows, { onConflict: { ...upsert, newerBy: 'n' } })
    expect(rejected.sort()).to.deep.equal(idsOf(rows, id => id % 2 === 1).sort())
  })

  for (const ofTrigger of [false, true]) {
    const what = ofTrigger ? 'a trigger writes an orphan' : 'another table refers to a row that is deleted'
    it(`are not rows with a column of the same name where ${what}`, async () => {
      await db.pool.query(`CREATE TABLE parent (id int PRIMARY KEY, n int);
        CREATE TABLE child (id int REFERENCES parent); INSERT INTO parent VALUES (1); INSERT INTO child VALUES (1)`)
      if (ofTrigger) {
        await db.pool.query(`CREATE OR REPLACE FUNCTION orphan() RETURNS trigger LANGUAGE plpgsql AS
            'BEGIN INSERT INTO child VALUES (-old.id); RETURN NULL; END';
          CREATE TRIGGER orphan AFTER DELETE ON parent FOR EACH ROW EXECUTE FUNCTION orphan()`)
        await db.pool.query('TRUNCATE child')
      }
      const rows = [...Array(20).keys()].map(id => ({ id, n: id }))
      const writable = new PgBatchWritable<Row>({
        pool: db.pool,
        table: 'parent',
        onConflict: upsert,
        operation: ({ n }) => (n === 1 ? 'delete' : 'upsert'),
        rejectLimit: COUNT,
      })
      const rejected = await load([rows], writable)
      expect(rejected.map(({ index, error }) => [index, error.sqlState])).to.deep.equal([[1, '23503']])
    })
  }

  it('are only those that the server misses: a key may have two texts, and NULL refers to nothing', async () => {
    await db.pool.query(`CREATE TABLE parent (a int, b numeric, PRIMARY KEY (a, b)); INSERT INTO parent VALUES (1, 1.5);
      CREATE TABLE child (id int PRIMARY KEY, b text, a bigint, c numeric, FOREIGN KEY (a, c) REFERENCES parent)`)
    const rows = [
      { id: 1, a: '01', c: '1.50' },
      { id: 2, a: null, c: '7' },
      { id: 3, a: '2', c: '1.5' },
      { id: 4, a: '1', c: '1.51' },
      { id: 5, a: ' 1', c: '15e-1' },
    ]
    expect((await write('child', rows)).rejected).to.deep.equal(['3 23503', '4 23503'])
  })

  it('are not those whose period several parents cover', async () => {
    const { rows } = await db.pool.query("SELECT current_setting('server_version_num')::int AS version")
    const isTemporal = rows[0].version >= 180_000
    // before PostgreSQL 18 there are no such keys, and each period is that of a parent
    const [key, period] = isTemporal ? ['PERIOD during', '[1,20)'] : ['during', '[1,9)']
    await db.pool.query(`CREATE EXTENSION IF NOT EXISTS btree_gist;
      CREATE TABLE parent (id int, during int4range, PRIMARY KEY (id, during ${isTemporal ? 'WITHOUT OVERLAPS' : ''}));
      INSERT INTO parent VALUES (1, '[1,9)'), (1, '[9,30)');
      CREATE TABLE child (id int, parent int, during int4range, FOREIGN KEY (parent, ${key}) REFERENCES parent (id, ${key}))`)
    const children = Array.from(
      { length: 40 },
      (_, id): Row => ({ id, parent: id % 9 === 3 ? 2 : 1, during: period }),
    )
    const { rejected } = await write('child', children)
    expect(rejected).to.deep.equal(idsOf(children, id => id % 9 === 3))
  })

  it('are found one by one if a trigger may give them other parents', async () => {
    await db.pool.query(`CREATE TABLE parent (id int PRIMARY KEY); INSERT INTO parent VALUES (1);
      CREATE TABLE child (id int PRIMARY KEY, parent int REFERENCES parent);
      CREATE OR REPLACE FUNCTION adopt() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        IF NEW.id % 2 = 0 THEN NEW.parent := 1; END IF; RETURN NEW; END $$;
      CREATE TRIGGER adopt BEFORE INSERT ON child FOR EACH ROW EXECUTE FUNCTION adopt()`)
    const rows = Array.from({ length: 40 }, (_, id) => ({ id, parent: 7 }))
    expect((await write('child', rows)).rejected).to.deep.equal(idsOf(rows, id => id % 2 === 1))
  })

  for (const [title, sql] of [
    ['may not read', ''],
    ['sees only a part of', 'GRANT SELECT ON parent TO "role"; ALTER TABLE parent ENABLE ROW LEVEL SECURITY'],
  ] as const) {
    it(`are found one by one if the role ${title} the table of the parents`, async () => {
      await db.pool.query(`CREATE TABLE parent (id int PRIMARY KEY); INSERT INTO parent VALUES (1);
        CREATE TABLE child (id int PRIMARY KEY, parent int REFERENCES parent);
        CREATE ROLE "${role}"; GRANT INSERT, SELECT ON child TO "${role}"; ${sql.replace('role', role)}`)
      try {
        const connectionString = aroundThePooler(db, 'a setting of the session')
        pools.push(new pg.Pool({ connectionString, options: `-c role=${role}`, max: 1 }))
        const rows = Array.from({ length: 40 }, (_, id) => ({ id, parent: id % 2 }))
        expect((await write('child', rows, { pool: pools[0]! })).rejected).to.deep.equal(
          idsOf(rows, id => id % 2 === 0),
        )
      } finally {
        await db.pool.query(`DROP OWNED BY "${role}"; DROP ROLE "${role}"`)
      }
    })
  }
})
