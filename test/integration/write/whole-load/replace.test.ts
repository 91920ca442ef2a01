import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { expect } from 'chai'
import fc from 'fast-check'
import type { PgBatchWritableOptions } from '../../../../lib/writable/options.ts'
import { PgBatchWritable } from '../../../../lib/writable/pg-batch-writable.ts'
import { useDatabase } from '../../../support/servers/database.ts'
import { usePools } from '../../../support/servers/pools.ts'
import { thorough } from '../../../support/thorough.ts'
import { until } from '../../../support/until.ts'
import {
  batchesOf,
  countOf,
  failureOf,
  METHODS,
  options,
  rowsOf,
  valuesOf,
  write,
} from '../../../support/writing.ts'

interface Row {
  id?: number | null
  note?: string | null
  rank?: number | null
}

const ROWS = 3000

describe('replace', () => {
  const db = useDatabase()
  const makePool = usePools(db)

  beforeEach(async () => {
    await db.pool.query(`
      DROP TABLE IF EXISTS child, t, rejects CASCADE;
      CREATE TABLE t (id int PRIMARY KEY, note text, rank int UNIQUE);
      INSERT INTO t SELECT n, 'old ' || n, n FROM generate_series(1, ${ROWS}) n`)
  })

  const replace = (rows: readonly Row[], extra: object = {}) =>
    write(batchesOf(rows, 700), {
      pool: db.pool,
      table: 't',
      replace: true,
      ...extra,
    } as PgBatchWritableOptions<Row>)
  const stored = () => valuesOf(db.pool, 'SELECT id, note, rank FROM t ORDER BY id, note')
  const oldRows = (count = ROWS) => rowsOf(count, (n): Row => ({ id: n, note: `old ${n}`, rank: n }), 1)
  const valuesIn = (rows: readonly Row[]) => rows.map(({ id, note, rank }) => [id, note, rank])

  for (const way of METHODS) {
    it(`writes only what differs, by ${way.title}`, async () => {
      const before = await valuesOf(db.pool, "SELECT 't'::regclass::oid, xmin FROM t LIMIT 1")
      const next = oldRows(2900).map(row => (row.id! % 10 === 0 ? { ...row, note: 'changed' } : row))
      next.push(...rowsOf(50, (n): Row => ({ id: n, note: 'new', rank: null }), 5000))
      const { stats } = await replace(next, options(way))
      expect(await stored()).to.deep.equal(valuesIn(next))
      expect(stats).to.include({ rowsCommitted: 340, rowsUnchanged: 2610, transactions: 1 })
      const untouched = `t WHERE xmin = '${before[0]![1]}'`
      expect(await countOf(db.pool, untouched)).to.equal(2610)
      expect((await valuesOf(db.pool, "SELECT 't'::regclass::oid"))[0]![0]).to.equal(before[0]![0])
    })
  }

  for (const [title, definition] of [
    ['without a key', 'id int, note text, rank int'],
    ['whose key is deferrable', 'id int PRIMARY KEY DEFERRABLE, note text, rank int'],
    ['whose key may be NULL', 'id int UNIQUE, note text, rank int'],
    ['that is partitioned', 'id int PRIMARY KEY, note text, rank int) PARTITION BY RANGE (id'],
  ] as const) {
    it(`replaces the rows of a table ${title}`, async () => {
      await db.pool.query(`
        DROP TABLE t; CREATE TABLE t (${definition});
        ${title.includes('partitioned') ? 'CREATE TABLE low PARTITION OF t FOR VALUES FROM (0) TO (100); CREATE TABLE high PARTITION OF t DEFAULT;' : ''}
        INSERT INTO t SELECT n, 'old', n FROM generate_series(1, 200) n`)
      if (title.includes('NULL')) await db.pool.query("INSERT INTO t VALUES (NULL, 'old')")
      const next = rowsOf(200, (n): Row => ({ id: n + 50, note: 'new', rank: n }))
      if (title.includes('NULL'))
        next.push({ id: null, note: 'nothing', rank: 1 }, { id: null, note: 'too', rank: 2 })
      await replace(next)
      await replace(next)
      expect(await stored()).to.deep.equal(valuesIn(next))
    })
  }

  it('replaces the rows of a table whose key is temporal, or an exclusion constraint', async () => {
    const [[version]] = (await valuesOf(db.pool, "SELECT current_setting('server_version_num')::int")) as [
      [number],
    ]
    const key =
      version < 180_000 ? 'EXCLUDE USING gist (id WITH =, p WITH &&)' : 'UNIQUE (id, p WITHOUT OVERLAPS)'
    await db.pool.query(`CREATE EXTENSION IF NOT EXISTS btree_gist; DROP TABLE t;
      CREATE TABLE t (id int, p int4range, note text, rank int, ${key});
      INSERT INTO t VALUES (1, '[1,5)'), (1, '[5,9)')`)
    await replace([{ id: 1, p: '[2,6)', note: 'new', rank: 1 } as Row])
    expect(await valuesOf(db.pool, 'SELECT p, note FROM t')).to.deep.equal([['[2,6)', 'new']])
  })

  it('shows readers the old rows or the new ones, and never others', async () => {
    const seen = new Set<string>()
    let reading = true
    const reader = (async () => {
      const client = await db.pool.connect()
      while (reading) {
        const { rows } = await client.query(
          "SELECT count(*)::int AS all, count(*) FILTER (WHERE note LIKE 'new%')::int AS new FROM t",
        )
        seen.add(`${rows[0].all} ${rows[0].new}`)
      }
      client.release()
    })()
    await replace(rowsOf(2000, (n): Row => ({ id: n + 1500, note: `new ${n}`, rank: n })))
    await replace(oldRows())
    reading = false
    await reader
    for (const state of seen) expect(['3000 0', '2000 2000']).to.include(state)
    expect(seen.size).to.be.at.least(1)
  })

  it('waits for a writer, and leaves none of its rows', async () => {
    const writer = await db.pool.connect()
    await writer.query("BEGIN; INSERT INTO t VALUES (90000, 'late', 90000)")
    const { pool, name } = makePool({
      connectionString: db.directConnectionString,
      options: '-c default_transaction_isolation=serializable',
    })
    const replacing = replace(oldRows(10), { pool })
    await until('it waits for the lock', async () => {
      const waits = `pg_stat_activity WHERE application_name = '${name}' AND wait_event_type = 'Lock'`
      return (await countOf(db.pool, waits)) > 0
    })
    expect(await countOf(db.pool, 't')).to.equal(ROWS) // readers do not wait
    await writer.query('COMMIT')
    writer.release()
    await replacing
    expect(await stored()).to.deep.equal(valuesIn(oldRows(10)))
  })

  it('refuses an empty replacement, unless `minRows` is 0', async () => {
    for (const rows of [[], [[]]] as Row[][][]) {
      const error = await failureOf(write(rows, { pool: db.pool, table: 't', replace: true }))
      expect(error).to.include({ code: 'TOO_FEW_ROWS', outcome: 'rolled-back' })
    }
    const few = await failureOf(replace(oldRows(4), { replace: { minRows: 5 } }))
    expect(few.message).to.include('4 of at least 5 rows')
    expect(await countOf(db.pool, 't')).to.equal(ROWS)
    await replace([], { replace: { minRows: 0 } })
    expect(await countOf(db.pool, 't')).to.equal(0)
  })

  it('reports a key that comes twice, as COPY into the table would', async () => {
    const next = oldRows(2000)
    next[1500] = { id: 7, note: 'again', rank: null }
    const error = await failureOf(replace(next))
    expect(error).to.include({
      sqlState: '23505',
      constraint: 't_pkey',
      batchId: 3,
      rowIndex: 100,
      outcome: 'rolled-back',
    })
    expect(await stored()).to.deep.equal(valuesIn(oldRows()))
  })

  it('rejects bad rows, and replaces by the others', async () => {
    const next: Row[] = oldRows(1000)
    next[10] = { id: 3, note: 'again' }
    next[900] = { id: 5000, note: 'x', rank: 2 ** 40 }
    const { stats } = await replace(next, { rejectLimit: 5, deadLetter: { table: 'rejects' } })
    expect(stats).to.include({ rowsRejected: 2, rowsUnchanged: 998 })
    expect([await countOf(db.pool, 't'), await countOf(db.pool, 'rejects')]).to.deep.equal([998, 2])
  })

  it('lets rows exchange and hand on the values of another unique key', async () => {
    const next = oldRows().map(row => ({ ...row, rank: (row.rank! % ROWS) + 1 }))
    await replace(next)
    expect(await stored()).to.deep.equal(valuesIn(next))
  })

  it('fails with a unique violation, and not in silence, where such rows are referred to', async () => {
    await db.pool.query('CREATE TABLE child (t int REFERENCES t); INSERT INTO child VALUES (1)')
    const next = oldRows().map(row => ({ ...row, rank: (row.rank! % ROWS) + 1 }))
    const error = await failureOf(replace(next))
    expect(error).to.include({ code: 'REFUSED', sqlState: '23505', constraint: 't_rank_key' })
    expect(await stored()).to.deep.equal(valuesIn(oldRows()))
  })

  for (const action of ['NO ACTION', 'RESTRICT', 'CASCADE', 'SET NULL', 'SET DEFAULT']) {
    describe(`with rows that refer to the table, ON DELETE ${action}`, () => {
      beforeEach(() =>
        db.pool.query(`
          CREATE TABLE child (n int, t int REFERENCES t ON DELETE ${action} ON UPDATE CASCADE);
          INSERT INTO child SELECT n, n FROM generate_series(1, 50) n`),
      )
      const children = () => valuesOf(db.pool, 'SELECT n, t, xmin FROM child ORDER BY n')

      it('changes none of them', async () => {
        const before = await children()
        const next = oldRows(60).map(row => ({ ...row, note: 'new' }))
        await replace(next)
        expect(await stored()).to.deep.equal(valuesIn(next))
        expect(await children()).to.deep.equal(before)
      })

      it('refuses to delete a row that is referred to', async () => {
        const before = await children()
        const error = await failureOf(replace(oldRows(49)))
        expect(error).to.include({ code: 'REFUSED', outcome: 'rolled-back', constraint: 'child_t_fkey' })
        expect(await children()).to.deep.equal(before)
        expect(await stored()).to.deep.equal(valuesIn(oldRows()))
      })
    })
  }

  it('refuses a table without a key whose rows other tables would lose', async () => {
    await db.pool.query(`
      DROP TABLE t; CREATE TABLE t (id int PRIMARY KEY, note text, rank int);
      CREATE TABLE child (t int REFERENCES t ON DELETE CASCADE)`)
    const error = await failureOf(replace([{ note: 'x' }], { columns: ['note'] }))
    expect(error.message).to.match(/child refers to .*"t" by "child_t_fkey", which would change its rows/)
  })

  for (const action of ['NO ACTION', 'CASCADE', 'SET NULL']) {
    it(`replaces rows that refer to each other, ON DELETE ${action}`, async () => {
      await db.pool.query(`
        DROP TABLE t; CREATE TABLE t (id int PRIMARY KEY, note text, rank int REFERENCES t ON DELETE ${action});
        INSERT INTO t SELECT n, 'old', nullif(n - 1, 0) FROM generate_series(1, 100) n`)
      // the first 50 go, and the others form a chain in the other direction
      const next = rowsOf(
        60,
        (n): Row => ({ id: n, note: n > 100 ? 'new' : 'old', rank: n < 110 ? n + 1 : null }),
        51,
      )
      await replace(next)
      expect(await stored()).to.deep.equal(valuesIn(next))
      const orphan = await failureOf(replace(next.slice(0, -1)))
      expect(orphan.code).to.equal('REFUSED')
      expect(await stored()).to.deep.equal(valuesIn(next))
    })
  }

  it('replaces the rows of a temporary table', async () => {
    const pool = makePool({ max: 1 }).pool
    await pool.query(`CREATE TEMP TABLE own (id int PRIMARY KEY, note text, rank int);
      INSERT INTO own VALUES (1, 'old', 1), (2, 'old', 2)`)
    await replace([{ id: 2, note: 'new' }], { pool, table: 'own' })
    expect(await valuesOf(pool, 'SELECT id, note FROM own')).to.deep.equal([[2, 'new']])
    const twice = await failureOf(replace([{ id: 2 }, { id: 2 }], { pool, table: 'own' }))
    expect(twice).to.include({ code: 'REFUSED', sqlState: '23505' })
  })

  it('compares as bytes, and stores keys as the new rows write them', async () => {
    await db.pool.query(`
      DROP TABLE t; CREATE TABLE t (id numeric PRIMARY KEY, note json, at timestamptz);
      INSERT INTO t VALUES (1.0, '{"a": 1}', 'infinity'), (2, '{}', NULL)`)
    const { stats } = await write(
      [
        [
          { id: '1.00', note: '{"a": 1}', at: 'infinity' },
          { id: '2', note: '{}' },
        ],
      ],
      {
        pool: db.pool,
        table: 't',
        replace: true,
      },
    )
    expect(await valuesOf(db.pool, 'SELECT id::text, note::text, at::text FROM t ORDER BY id')).to.deep.equal(
      [
        ['1.00', '{"a": 1}', 'infinity'],
        ['2', '{}', null],
      ],
    )
    expect(stats).to.include({ rowsCommitted: 1, rowsUnchanged: 1 })
  })

  it('gives new rows DEFAULTs, keeps them in rows that stay, and leaves generated columns to the server', async () => {
    await db.pool.query(`
      DROP TABLE t; CREATE TABLE t (id int GENERATED ALWAYS AS IDENTITY, sku text PRIMARY KEY, note text,
        kind text DEFAULT 'plain', twice text GENERATED ALWAYS AS (note || note) STORED);
      INSERT INTO t (sku, note, kind) VALUES ('a', 'old', 'rare'), ('b', 'old', 'rare'), ('c', 'old', 'rare')`)
    const rows = [
      { sku: 'a', note: 'x' },
      { sku: 'b', kind: 'odd' },
      { sku: 'd', note: 'y' },
    ]
    await write([rows], { pool: db.pool, table: 't', replace: true })
    expect(
      await valuesOf(db.pool, 'SELECT least(id, 4), sku, note, kind, twice FROM t ORDER BY sku'),
    ).to.deep.equal([
      [1, 'a', 'x', 'rare', 'xx'],
      [2, 'b', null, 'odd', null],
      [4, 'd', 'y', 'plain', 'yy'],
    ])
  })

  it('fires row triggers for what changes only', async () => {
    await db.pool.query(`
      CREATE TABLE child (what text, id int);
      CREATE OR REPLACE FUNCTION log() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        INSERT INTO child VALUES (TG_OP, coalesce(NEW.id, OLD.id)); RETURN coalesce(NEW, OLD); END $$;
      CREATE TRIGGER log BEFORE INSERT OR UPDATE OR DELETE ON t FOR EACH ROW EXECUTE FUNCTION log()`)
    const next = oldRows(ROWS - 1)
    next[0] = { ...next[0], note: 'new' }
    await replace([...next, { id: 9999, note: 'new' }])
    expect(
      (await valuesOf(db.pool, 'SELECT what, id FROM child ORDER BY what')).filter(
        ([, id]) => id !== 1 || true,
      ),
    ).to.deep.include.members([
      ['DELETE', ROWS],
      ['UPDATE', 1],
      ['INSERT', 9999],
    ])
    expect(await countOf(db.pool, 'child')).to.be.at.most(4) // an upsert fires BEFORE INSERT for its update, too
  })

  it('keeps rows of tables that inherit from it', async () => {
    await db.pool.query("CREATE TABLE child () INHERITS (t); INSERT INTO child VALUES (1, 'heir', 1)")
    await replace(oldRows(5))
    expect(await valuesOf(db.pool, 'SELECT id, note FROM ONLY t ORDER BY id')).to.have.length(5)
    expect(await valuesOf(db.pool, 'SELECT note FROM child')).to.deep.equal([['heir']])
  })

  it('refuses what it cannot replace: views, and tables with hidden rows', async () => {
    await db.pool.query('CREATE VIEW v AS SELECT * FROM t')
    expect((await failureOf(replace(oldRows(), { table: 'v' }))).message).to.include('is a view')
    await db.pool.query('ALTER TABLE t ENABLE ROW LEVEL SECURITY; CREATE POLICY p ON t USING (id < 5)')
    const role = `plain_${process.pid}`
    await db.pool.query(`CREATE ROLE ${role}; GRANT ALL ON t TO ${role}`)
    const onBegin = async (client: { query(text: string): Promise<unknown> }) =>
      void (await client.query(`SET LOCAL ROLE ${role}`))
    const error = await failureOf(replace(oldRows(), { onBegin }))
    await db.pool.query(`DROP OWNED BY ${role}; DROP ROLE ${role}`)
    expect(error).to.include({ code: 'REFUSED', outcome: 'not-sent' })
    expect(error.message).to.include('Row-level security hides rows')
  })

  for (const event of ['INSERT', 'UPDATE', 'DELETE']) {
    it(`refuses a table with a rule ON ${event}, which could keep old rows`, async () => {
      await db.pool.query(`CREATE RULE kept AS ON ${event} TO t DO INSTEAD NOTHING`)
      const error = await failureOf(replace(oldRows()))
      expect(error).to.include({ code: 'REFUSED', outcome: 'not-sent' })
      expect(error.message).to.include('has rules')
    })
  }

  it('leaves what the new rows are, for any old and new rows', async () => {
    const row = fc.record({
      id: fc.integer({ min: 1, max: 8 }),
      note: fc.constantFrom('a', 'b', null),
      rank: fc.option(fc.integer({ min: 1, max: 8 })),
    })
    const table = fc
      .uniqueArray(row, { selector: ({ id }) => id, maxLength: 8 })
      .map(rows =>
        rows.filter(
          ({ rank }, index) => rank === null || rows.findIndex(other => other.rank === rank) === index,
        ),
      )
    await fc.assert(
      fc.asyncProperty(table, table, async (before, after) => {
        await db.pool.query('TRUNCATE t')
        await db.pool.query(
          'INSERT INTO t SELECT * FROM jsonb_to_recordset($1) r(id int, note text, rank int)',
          [JSON.stringify(before)],
        )
        const { stats } = await replace(after, { replace: { minRows: 0 } })
        expect(await stored()).to.deep.equal(valuesIn(after.toSorted((a, b) => a.id - b.id)))
        expect(stats.rowsReceived).to.equal(after.length)
      }),
      { numRuns: thorough(120) },
    )
  })

  it('leaves the old rows when it is destroyed before COMMIT', async () => {
    const { pool } = makePool()
    const aborting = new AbortController()
    const sink = new PgBatchWritable<Row>({ pool, table: 't', replace: true, signal: aborting.signal })
    const error = await failureOf(
      pipeline(
        Readable.from(
          (async function* () {
            yield oldRows(10)
            aborting.abort()
          })(),
        ),
        sink,
      ),
    )
    expect(error.code).to.equal('ABORTED')
    expect(await countOf(db.pool, 't')).to.equal(ROWS)
  })
})
