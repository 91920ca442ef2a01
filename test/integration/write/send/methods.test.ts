import { expect } from 'chai'
import { useDatabase } from '../../../support/servers/database.ts'
import { usePools } from '../../../support/servers/pools.ts'
import {
  batchesOf,
  countOf,
  METHODS,
  options,
  rowsOf,
  slug,
  valuesOf,
  write,
} from '../../../support/writing.ts'

const makeRow = (id: number) => ({
  id: BigInt(id),
  amount: id % 7 === 0 ? null : `${id}.${id % 100}`,
  label: `tab\tnewline\nbackslash\\ \\N \\. ünï ${id}`,
  ratio: id / 3,
  flag: id % 2 === 0,
  at: new Date(Date.UTC(2026, 0, 1) + id * 1001),
  data: id % 5 === 0 ? [id, { deep: ['x', null] }] : { id },
  raw: Buffer.from([id % 256, 0, 255]),
  tags: [`a${id}`, null, 'with "quotes", {braces}'],
  mood: id % 2 === 0 ? 'glad' : 'sad',
})

describe('writing by each method', () => {
  const db = useDatabase()
  const makePool = usePools(db)

  before(async () => {
    await db.pool.query(`CREATE TYPE mood AS ENUM ('sad', 'glad')`)
  })

  for (const way of METHODS) {
    describe(way.title, () => {
      const table = `t_${slug(way.title)}`

      it('stores 2,500 rows of ten types as the same row by row INSERTs do', async () => {
        const columns = `id bigint, amount numeric, label text, ratio float8, flag boolean, at timestamptz,
          data jsonb, raw bytea, tags text[], mood mood`
        await db.pool.query(`CREATE TABLE ${table} (${columns}); CREATE TABLE ${table}_expected (${columns})`)
        const rows = rowsOf(2500, makeRow)
        const { pool } = makePool()
        const { stats, commits } = await write(batchesOf(rows, 1000), { pool, table, ...options(way) })

        expect(stats).to.include({ rowsReceived: 2500, rowsCommitted: 2500, batchesReceived: 3 })
        expect(new Set(commits.map(commit => commit.method))).to.deep.equal(
          new Set([way.method === 'insert' ? 'insert' : 'copy']),
        )
        for (const { data, ...row } of rows.slice(0, 100)) {
          await db.pool.query(
            `INSERT INTO ${table}_expected (data, ${Object.keys(row).join()})
            VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10)`,
            [JSON.stringify(data), ...Object.values(row)],
          )
        }
        expect(await countOf(db.pool, table)).to.equal(2500)
        const differing = `SELECT * FROM ${table}_expected EXCEPT SELECT * FROM ${table}`
        expect(await valuesOf(db.pool, differing)).to.deep.equal([])
      })

      it('writes the widest table there is, 1,600 columns', async () => {
        const names = rowsOf(1600, index => `c${index}`)
        await db.pool.query(`CREATE TABLE ${table}_wide (${names.map(name => `${name} int`).join()})`)
        const rows = rowsOf(50, id => Object.fromEntries(names.map((name, index) => [name, id + index])))
        await write([rows], { pool: makePool().pool, table: `${table}_wide`, ...options(way) })
        expect(
          await valuesOf(db.pool, `SELECT count(*)::int, sum(c1599)::int FROM ${table}_wide`),
        ).to.deep.equal([[50, 50 * 1599 + (49 * 50) / 2]])
      })

      it('writes 700 columns × 1,000 rows, ten times the parameters of one statement', async () => {
        const names = rowsOf(700, index => `c${index}`)
        await db.pool.query(`CREATE TABLE ${table}_700 (${names.map(name => `${name} int2`).join()})`)
        const rows = rowsOf(1000, id => Object.fromEntries(names.map((name, index) => [name, id + index])))
        await write([rows], { pool: makePool().pool, table: `${table}_700`, ...options(way) })
        const found = await valuesOf(
          db.pool,
          `SELECT count(*)::int, count(DISTINCT c699)::int FROM ${table}_700`,
        )
        expect(found).to.deep.equal([[1000, 1000]])
      })

      it('writes one column', async () => {
        await db.pool.query(`CREATE TABLE ${table}_one (sole text)`)
        const rows = rowsOf(1200, id => ({ sole: id % 3 ? String(id) : null }))
        await write([rows], { pool: makePool().pool, table: `${table}_one`, ...options(way) })
        expect(
          await valuesOf(db.pool, `SELECT count(*)::int, count(sole)::int FROM ${table}_one`),
        ).to.deep.equal([[1200, 800]])
      })

      it('writes rows for a table without a single column that takes values', async () => {
        await db.pool.query(`CREATE TABLE ${table}_none ();
          CREATE TABLE ${table}_filled (id int GENERATED ALWAYS AS IDENTITY, twice int GENERATED ALWAYS AS (7) STORED)`)
        for (const name of [`${table}_none`, `${table}_filled`]) {
          await write([[{}, {}], [{}]], { pool: makePool().pool, table: name, ...options(way) })
          expect(await countOf(db.pool, name)).to.equal(3)
        }
        expect(await valuesOf(db.pool, `SELECT * FROM ${table}_filled ORDER BY id`)).to.deep.equal([
          [1, 7],
          [2, 7],
          [3, 7],
        ])
      })

      it('writes a value of 20 MB, and 3,000 rows of 4 kB', async () => {
        await db.pool.query(`CREATE TABLE ${table}_big (body text)`)
        const large = 'ü'.repeat(10_000_000)
        const rows = rowsOf(3000, id => ({ body: `${id}`.padEnd(4096, 'x') }))
        await write([[{ body: large }], rows], {
          pool: makePool().pool,
          table: `${table}_big`,
          ...options(way),
        })
        expect(
          await valuesOf(
            db.pool,
            `SELECT count(*)::int, max(octet_length(body)), sum(octet_length(body))::int FROM ${table}_big`,
          ),
        ).to.deep.equal([[3001, 20_000_000, 20_000_000 + 3000 * 4096]])
      })
    })
  }

  it('with method auto uses COPY, but INSERT for few rows of an upsert or of several shapes', async () => {
    await db.pool.query('CREATE TABLE chosen (id int PRIMARY KEY, note int DEFAULT 0)')
    const { pool } = makePool()
    const onConflict = { target: ['id'], action: 'update' } as const
    const plain = (count: number, from: number): object[] => rowsOf(count, id => ({ id, note: 1 }), from)
    const mixed = (count: number, from: number): object[] =>
      rowsOf(count, id => (id % 2 === 0 ? { id } : { id, note: 1 }), from)
    const cases = [
      { method: 'copy', rows: plain(1, 0) },
      { method: 'insert', rows: mixed(48, 1) },
      { method: 'copy', rows: plain(50, 49) },
      { method: 'copy', rows: mixed(100, 99) },
      { method: 'insert', rows: plain(99, 0), onConflict },
      { method: 'copy', rows: plain(100, 0), onConflict },
      { method: 'insert', rows: mixed(99, 100), onConflict },
      { method: 'copy', rows: mixed(100, 100), onConflict },
    ]
    const taken: string[] = []
    for (const { method: _, rows, ...upsert } of cases) {
      const { commits } = await write([rows], { pool, table: 'chosen', ...upsert })
      taken.push(...commits.map(commit => commit.method))
    }
    expect(taken).to.deep.equal(cases.map(({ method }) => method))
    expect(await countOf(db.pool, 'chosen')).to.equal(200)
  })

  it('by INSERT names the column of a value that the server cannot read, and the row if it has a parameter of its own', async () => {
    await db.pool.query('CREATE TABLE unread (id int PRIMARY KEY, n int, tags text[])')
    const { pool } = makePool()
    const onConflict = { target: ['id'], action: 'update' } as const
    const good: object[] = rowsOf(30, id => ({ id, n: id, tags: [] }))
    const cases = [
      { bad: { n: 'many' }, column: 'n', reason: 'not a valid integer for "n" (22P02)' },
      { bad: { n: 2 ** 40 }, column: 'n', reason: 'out of range for "n" of type integer (22003)' },
      { bad: { tags: 'a' }, column: 'tags', reason: 'not a valid array for "tags" (22P02)' },
    ]
    for (const { bad, column, reason } of cases) {
      const rows = good.with(17, { id: 17, n: 1, tags: [], ...bad })
      const failure = (more: object) =>
        write([rows], { pool, table: 'unread', ...more }).catch(error => error)
      const message = `The server refused a row: ${reason} [row 17, batch 1] (rolled back)`
      expect(await failure({ method: 'insert' })).to.include({ column, rowIndex: 17, message })
      if (column === 'tags') continue // the statement of an upsert casts it as it runs, and the error names nothing
      expect(await failure({ method: 'insert', onConflict })).to.include({
        column,
        message: `The server refused the rows: ${reason} [batch 1] (rolled back)`,
      })
    }
  })

  it('continues as text within a batch at a value that has no exact binary form', async () => {
    await db.pool.query('CREATE TABLE mixed_formats (id int, at timestamptz)')
    const rows = rowsOf(600, id => ({ id, at: id % 200 === 100 ? 'January 8, 1999 UTC' : new Date(id) }))
    const { stats } = await write(batchesOf(rows, 300), { pool: makePool().pool, table: 'mixed_formats' })
    expect(stats.rowsCommitted).to.equal(600)
    expect(
      await valuesOf(
        db.pool,
        `SELECT count(*)::int, count(DISTINCT id)::int, count(*) FILTER (WHERE at = '1999-01-08 00:00Z')::int
         FROM mixed_formats`,
      ),
    ).to.deep.equal([[600, 600, 3]])
  })

  it('accepts empty batches, and an input without batches, and commits nothing for them', async () => {
    await db.pool.query('CREATE TABLE empty (id int)')
    const { pool } = makePool()
    for (const batches of [[], [[]], [[], [], []]]) {
      const { stats } = await write<{ id: number }>(batches, { pool, table: 'empty' })
      expect(stats).to.include({ rowsReceived: 0, transactions: 0 })
    }
    expect(await countOf(db.pool, 'empty')).to.equal(0)
  })
})
