import { expect } from 'chai'
import { quoteIdentifier } from '../../../lib/table/identifier.ts'
import type { TableName } from '../../../lib/types.ts'
import { useDatabase } from '../../support/servers/database.ts'
import { roleWith, usePools } from '../../support/servers/pools.ts'
import { failureOf, METHODS, options, valuesOf, write } from '../../support/writing.ts'

const NAMES = [
  'a.b',
  'Ünï',
  'select',
  'say "hi"',
  "it's",
  'UPPER lower',
  'semi;colon -- comment',
  'a, b',
  'col:on',
  '$1',
  'constructor',
  '__proto__',
  'toString',
  'hasOwnProperty',
  'x'.repeat(63),
  'é'.repeat(31),
  'new\nline',
  'back\\slash',
]

type Row = Record<string, number>

describe('names that need quoting', () => {
  const db = useDatabase()
  const makePool = usePools(db)

  before(async () => {
    await db.pool.query('CREATE EXTENSION IF NOT EXISTS citext')
    for (const name of NAMES) {
      const quoted = quoteIdentifier(name)
      await db.pool.query(
        `CREATE SCHEMA ${quoted}; CREATE TABLE ${quoted}.${quoted} (key int PRIMARY KEY, ${quoted} int)`,
      )
    }
  })

  for (const name of NAMES) {
    const table = { schema: name, name }
    const quoted = quoteIdentifier(name)
    const row = (key: number, value: number) =>
      Object.defineProperty<Row>({ key }, name, { value, enumerable: true, configurable: true })
    const stored = () => valuesOf(db.pool, `SELECT key, ${quoted} FROM ${quoted}.${quoted} ORDER BY key`)

    it(`serve as schema, table and column: ${JSON.stringify(name)}`, async () => {
      for (const way of METHODS) {
        await db.pool.query(`TRUNCATE ${quoted}.${quoted}`)
        await write<Row>([[row(1, 10), row(2, 20)]], { pool: makePool().pool, table, ...options(way) })
        await write<Row>([[row(2, 21), row(3, 30)]], {
          pool: makePool().pool,
          table,
          columns: ['key', name],
          onConflict: { target: ['key'], action: 'update', update: [name] },
          ...options(way),
        })
        expect(await stored(), way.title).to.deep.equal([
          [1, 10],
          [2, 21],
          [3, 30],
        ])
      }
    })

    it(`are named by the error of a row that the server refuses: ${JSON.stringify(name)}`, async () => {
      const bad = { ...row(9, 0) }
      Object.defineProperty(bad, name, { value: 'no number', enumerable: true })
      const error = await failureOf(
        write([[row(7, 1), row(8, 1), bad]], {
          pool: makePool().pool,
          table,
          method: 'copy',
          copyFormat: 'text',
        }),
      )
      expect(error).to.include({ code: 'REFUSED', sqlState: '22P02', rowIndex: 2, column: name })
    })
  }

  it('a key from Object.prototype is not a value: only an own property sets its column', async () => {
    await db.pool.query('CREATE TABLE inherited (id int, "constructor" text, "toString" text DEFAULT $$d$$)')
    await write<object>([[{ id: 1 }, { id: 2, constructor: 'own', toString: 'own' }]], {
      pool: makePool().pool,
      table: 'inherited',
      method: 'copy',
    })
    expect(await valuesOf(db.pool, 'SELECT * FROM inherited ORDER BY id')).to.deep.equal([
      [1, null, 'd'],
      [2, 'own', 'own'],
    ])
  })

  describe('a table is found', () => {
    const TABLES: readonly [title: string, table: TableName, real: string][] = [
      ['by schema and name in a string', 'sales.orders', 'sales.orders'],
      ['by an object', { schema: 'sales', name: 'orders' }, 'sales.orders'],
      ['by the search_path', 'found', 'other.found'],
      ['in the first schema of the search_path that has it', 'orders', 'other.orders'],
      ['with a dot in its name, by an object', { name: 'a.b' }, 'other."a.b"'],
      ['with a dot in its name, by quotes', '"a.b"', 'other."a.b"'],
      ['with dots in schema and name, by quotes', '"s.1"."a.b"', '"s.1"."a.b"'],
      ['with only the first dot as separator', 'sales.x.y', 'sales."x.y"'],
    ]

    let searcher: Awaited<ReturnType<typeof roleWith>>

    after(() => searcher.drop())
    before(async () => {
      searcher = await roleWith(db, { search_path: 'other, sales' })
      await db.pool.query(`CREATE SCHEMA sales; CREATE SCHEMA other; CREATE SCHEMA "s.1"`)
      for (const real of [...new Set(TABLES.map(([, , name]) => name))])
        await db.pool.query(`CREATE TABLE ${real} (id int)`)
    })

    for (const [title, table, real] of TABLES) {
      it(`${title}: ${JSON.stringify(table)}`, async () => {
        await db.pool.query(`TRUNCATE ${real}`)
        const { pool } = makePool(searcher.config)
        await write([[{ id: 1 }]], { pool, table })
        expect(await valuesOf(db.pool, `SELECT * FROM ${real}`)).to.deep.equal([[1]])
      })
    }

    it('as a temporary one of the session, also for an upsert by COPY', async () => {
      const { pool } = makePool({ max: 1 })
      await pool.query('CREATE TEMP TABLE passing (id int PRIMARY KEY, v int)')
      await write([[{ id: 1, v: 1 }]], { pool, table: 'passing', method: 'copy' })
      await write(
        [
          [
            { id: 1, v: 2 },
            { id: 2, v: 2 },
          ],
        ],
        {
          pool,
          table: 'passing',
          method: 'copy',
          onConflict: { target: ['id'], action: 'update' },
        },
      )
      expect(await valuesOf(pool, 'SELECT * FROM passing ORDER BY id')).to.deep.equal([
        [1, 2],
        [2, 2],
      ])
    })
  })

  for (const { table, reason } of [
    { table: 'absent', reason: ', or this role cannot see it' },
    { table: 'no_schema.orders', reason: 'Table "no_schema"."orders" does not exist in database "' },
    { table: 'idexed', reason: ', or this role cannot see it; did you mean "indexed"?' },
    { table: 'Indexed', reason: ', or this role cannot see it; did you mean "indexed"?' },
    { table: 'hidden_away', reason: ', or this role cannot see it; did you mean "attic.hidden_away"?' },
    { table: 'an_index', reason: '"an_index" is an index, not a table' },
    { table: 'a_sequence', reason: '"a_sequence" is a sequence, not a table' },
    {
      table: 'totals',
      reason: '"totals" is a materialized view, which takes no rows; load into a table that',
    },
  ]) {
    it(`fails with TABLE_NOT_FOUND for what is not a table: ${table}, even without a row`, async () => {
      await db.pool.query(`CREATE TABLE IF NOT EXISTS indexed (id int);
        CREATE SEQUENCE IF NOT EXISTS a_sequence;
        CREATE MATERIALIZED VIEW IF NOT EXISTS totals AS SELECT count(*) FROM indexed;
        CREATE INDEX IF NOT EXISTS an_index ON indexed (id);
        CREATE SCHEMA IF NOT EXISTS attic;
        CREATE TABLE IF NOT EXISTS attic.hidden_away (id int)`)
      for (const batches of [[[{ id: 1 }]], []]) {
        const error = await failureOf(write(batches, { pool: makePool().pool, table }))
        expect(error).to.include({ code: 'TABLE_NOT_FOUND', outcome: 'not-sent' })
        expect(error.message).to.contain(reason)
      }
    })
  }
})
