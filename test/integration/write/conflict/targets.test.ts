import { expect } from 'chai'
import type { OnConflict } from '../../../../lib/writable/options/on-conflict.ts'
import { useDatabase } from '../../../support/servers/database.ts'
import { usePools } from '../../../support/servers/pools.ts'
import { failureOf, METHODS, options, valuesOf, write } from '../../../support/writing.ts'

/** Unique indexes by whose names an upsert finds stored rows; each with rows of one key. */
const INDEXES: readonly [title: string, ddl: string][] = [
  ['a column', 'CREATE UNIQUE INDEX "The Index" ON t ("Key col")'],
  ['an operator class of its own', 'CREATE UNIQUE INDEX "The Index" ON t ("Key col" text_pattern_ops)'],
  ['a collation', 'CREATE UNIQUE INDEX "The Index" ON t ("Key col" COLLATE "C")'],
  [
    'a collation that ignores case',
    `CREATE COLLATION folded (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
     CREATE UNIQUE INDEX "The Index" ON t ("Key col" COLLATE folded)`,
  ],
  ['columns beside the key', 'CREATE UNIQUE INDEX "The Index" ON t ("Key col") INCLUDE (n)'],
  ['a descending order', 'CREATE UNIQUE INDEX "The Index" ON t ("Key col" DESC NULLS LAST)'],
  ['a function', 'CREATE UNIQUE INDEX "The Index" ON t (lower("Key col"))'],
  ['an operator', `CREATE UNIQUE INDEX "The Index" ON t (("Key col" || '!') text_pattern_ops, kind)`],
  ['a condition', `CREATE UNIQUE INDEX "The Index" ON t ("Key col") WHERE kind = 'say "x"'`],
  [
    'a condition with a function of another schema',
    `CREATE SCHEMA aside; CREATE FUNCTION aside.big(int) RETURNS boolean IMMUTABLE LANGUAGE sql AS 'SELECT $1 < 99';
     CREATE UNIQUE INDEX "The Index" ON t ("Key col") WHERE aside.big(n)`,
  ],
  ['generated columns', 'CREATE UNIQUE INDEX "The Index" ON t (generated, kind)'],
  ['a constraint', 'ALTER TABLE t ADD CONSTRAINT "The Index" UNIQUE (kind, "Key col")'],
]

describe('conflict targets by the name of an index', () => {
  const db = useDatabase()
  const makePool = usePools(db)

  beforeEach(() =>
    db.pool.query(`DROP TABLE IF EXISTS t; DROP SCHEMA IF EXISTS aside CASCADE; DROP COLLATION IF EXISTS folded;
      CREATE TABLE t (id serial PRIMARY KEY, "Key col" text, kind text DEFAULT 'say "x"', n int, other int,
        generated text GENERATED ALWAYS AS (upper("Key col")) STORED)`),
  )

  for (const [title, ddl] of INDEXES) {
    for (const way of METHODS.filter(({ title }) => title !== 'binary COPY')) {
      it(`update, and delete, the stored row of its key: ${title}, by ${way.title}`, async () => {
        await db.pool.query(ddl)
        const rows = [
          { 'Key col': 'a', n: 1 },
          { 'Key col': 'b', n: 2 },
          { 'Key col': 'a', n: 3 },
          { 'Key col': 'b', n: 4, other: 5 },
          { 'Key col': 'c', n: 6 },
          { 'Key col': 'c', kind: 'say "x"', gone: true },
        ]
        await write<{ gone?: boolean }>([rows.slice(0, 2), rows.slice(2)], {
          pool: makePool().pool,
          table: 't',
          unknownKeys: 'ignore',
          operation: ({ gone }) => (gone ? 'delete' : 'upsert'),
          onConflict: { target: { index: 'The Index' }, action: 'update' },
          ...options(way),
        })
        const stored = await valuesOf(db.pool, 'SELECT "Key col", n, other FROM t ORDER BY "Key col"')
        expect(stored).to.deep.equal([
          ['a', 3, null],
          ['b', 4, 5],
        ])
      })
    }
  }

  for (const way of METHODS.filter(({ title }) => title !== 'binary COPY')) {
    it(`the last of two keys that the column rounds to one wins, by ${way.title}`, async () => {
      await db.pool.query(`ALTER TABLE t ADD amount numeric(6, 2);
        CREATE UNIQUE INDEX "The Index" ON t (amount) WHERE kind <> 'gone'`)
      await write<object>(
        [
          [
            { amount: '1.004', n: 1 },
            { amount: '1', n: 2 },
            { amount: '1.00', other: 3 },
          ],
        ],
        {
          pool: makePool().pool,
          table: 't',
          onConflict: { target: { index: 'The Index' }, action: 'update' },
          ...options(way),
        },
      )
      expect(await valuesOf(db.pool, 'SELECT amount, n, other FROM t')).to.deep.equal([['1.00', 2, 3]])
    })
  }

  for (const way of METHODS) {
    it(`update-only finds a key with NULL where NULLs are not distinct, by ${way.title}`, async () => {
      await db.pool.query(`ALTER TABLE t ADD CONSTRAINT nulls UNIQUE NULLS NOT DISTINCT (n, kind);
        INSERT INTO t (n, kind, other) VALUES (1, NULL, 0), (NULL, 'a', 0), (NULL, NULL, 0), (2, 'a', 0)`)
      const keys = [
        { n: 1, kind: null },
        { n: null, kind: 'a' },
        { n: null, kind: null },
        { n: 2, kind: 'a' },
        { n: 2, kind: null },
      ]
      const rows = [...keys, ...keys, ...keys].map((key, index) => ({ ...key, other: index }))
      const { stats } = await write<Record<string, unknown>>([rows], {
        pool: makePool().pool,
        table: 't',
        onConflict: { target: ['n', 'kind'], action: 'update', mode: 'update-only' },
        ...options(way),
      })
      expect(stats).to.include({ rowsCommitted: 12, rowsUnchanged: 3 })
      expect(await valuesOf(db.pool, 'SELECT other FROM t ORDER BY n, kind')).to.deep.equal([
        ...[[10], [13], [11], [12]],
      ])
    })
  }

  for (const way of METHODS.filter(({ title }) => title !== 'binary COPY')) {
    it(`find stored rows as the index compares keys, for deletes and update-only, too, by ${way.title}`, async () => {
      await db.pool.query(`CREATE COLLATION folded (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
        CREATE UNIQUE INDEX by_case ON t (kind COLLATE folded);
        CREATE UNIQUE INDEX by_null ON t (lower("Key col"), other) NULLS NOT DISTINCT;
        INSERT INTO t ("Key col", kind, other) VALUES ('x', 'a', NULL), (NULL, 'b', 1), (NULL, 'c', NULL)`)
      const { pool } = makePool()
      const writing = { pool, table: 't', ...options(way) } as const
      const mode = 'update-only'
      await write<Record<string, unknown>>([[{ 'Key col': 'X', n: 1 }, { other: 1, n: 2 }, { n: 3 }]], {
        ...writing,
        onConflict: { target: { index: 'by_null' }, action: 'update', mode },
      })
      await write<Record<string, unknown>>([[{ kind: 'A', n: 5 }, { kind: 'B' }]], {
        ...writing,
        operation: ({ n }) => (n ? 'upsert' : 'delete'),
        onConflict: { target: { index: 'by_case' }, action: 'update', mode },
      })
      expect(await valuesOf(db.pool, 'SELECT kind, n FROM t ORDER BY n')).to.deep.equal([
        ['c', 3],
        ['a', 5],
      ])
    })
  }

  for (const way of METHODS.filter(({ title }) => title !== 'binary COPY')) {
    it(`keep the first of rows whose periods overlap: by ${way.title}`, async () => {
      const { rows } = await db.pool.query("SELECT current_setting('server_version_num')::int AS version")
      const key =
        rows[0].version < 180_000
          ? 'EXCLUDE USING gist (id WITH =, period WITH &&)'
          : 'PRIMARY KEY (id, period WITHOUT OVERLAPS)'
      await db.pool.query(`CREATE EXTENSION IF NOT EXISTS btree_gist;
        DROP TABLE IF EXISTS stays; CREATE TABLE stays (id int, period int4range, ${key})`)
      const stays = [
        { id: 1, period: '[5,9)' },
        { id: 1, period: '[1,6)' },
        { id: 1, period: '[1,5)' },
      ]
      const pool = makePool().pool
      await write([stays], { pool, table: 'stays', onConflict: { action: 'nothing' }, ...options(way) })
      const stored = await valuesOf(db.pool, 'SELECT period FROM stays ORDER BY period')
      expect(stored.flat()).to.deep.equal(['[1,5)', '[5,9)'])
    })
  }

  for (const target of ['by_part', 'by_generated']) {
    it(`leave the search_path to the SQL of a conflict after onBegin: ${target}`, async () => {
      await db.pool.query(`CREATE UNIQUE INDEX by_part ON t ("Key col") WHERE n > 0;
        CREATE UNIQUE INDEX by_generated ON t (generated); CREATE SCHEMA aside;
        CREATE FUNCTION aside.twice(int) RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT $1 * 2'`)
      const rows = [1, 2, 3].map(n => ({ 'Key col': 'a', n }))
      await write<Record<string, unknown>>([rows], {
        pool: makePool().pool,
        table: 't',
        onBegin: async client => {
          await client.query('SET LOCAL search_path = public, aside')
        },
        onConflict: { target: { index: target }, action: 'update', update: { n: 'twice(excluded.n)' } },
      })
      expect(await valuesOf(db.pool, 'SELECT n FROM t')).to.deep.equal([[6]])
    })
  }

  const DEFERRABLE = /"t_u" of "public"\."t" belongs to a deferrable constraint, .*: name another key/
  const MISTAKES: readonly [title: string, onConflict: Partial<OnConflict>, message: RegExp][] = [
    [
      'there is no such index',
      { target: { index: 'nix' } },
      /no valid unique index "nix"; .*: "t_pkey", "t_u"/,
    ],
    ['the constraint is deferrable', { target: { constraint: 't_u' } }, DEFERRABLE],
    ['the constraint of an index is deferrable', { target: { index: 't_u' } }, DEFERRABLE],
    ['the constraint of columns is deferrable', { target: ['n'] }, DEFERRABLE],
    ['a constraint is deferrable, and any may conflict', { action: 'nothing' }, DEFERRABLE],
    [
      'newerBy is not a column',
      { target: ['id'], newerBy: 'at' },
      /`onConflict\.newerBy` names "at", which is not a column of "public"\."t": id, /,
    ],
    [
      'update is not a column',
      { target: ['id'], update: { at: 'now()' } },
      /`onConflict\.update` names "at", which is not a column of/,
    ],
  ]
  for (const [title, onConflict, message] of MISTAKES) {
    it(`are refused before anything is sent: ${title}`, async () => {
      await db.pool.query('ALTER TABLE t ADD CONSTRAINT t_u UNIQUE (n) DEFERRABLE')
      const writing = {
        pool: makePool().pool,
        table: 't',
        onConflict: { action: 'update', ...onConflict },
      } as const
      const error = await failureOf(write<object, Record<string, unknown>>([[{ id: 1 }]], writing))
      expect(error.message).to.match(message)
      expect(error.outcome).to.equal('not-sent')
    })
  }
})
