import { expect } from 'chai'
import { useDatabase } from '../../../support/servers/database.ts'
import { usePools } from '../../../support/servers/pools.ts'
import { METHODS, options, rowsOf, valuesOf, write } from '../../../support/writing.ts'

type Row = Record<string, unknown>

describe('upserts that the server refuses together and takes one by one', () => {
  const db = useDatabase()
  const makePool = usePools(db)

  for (const way of METHODS) {
    const upserting = (target = 'id') => ({
      pool: makePool().pool,
      table: 't',
      onConflict: { target: [target], action: 'update' } as const,
      ...options(way),
    })

    describe(`by ${way.title}`, () => {
      it('rows pass on the value of a second unique key', async () => {
        await db.pool.query(`DROP TABLE IF EXISTS t;
          CREATE TABLE t (id int PRIMARY KEY, email text UNIQUE, n int DEFAULT 0);
          INSERT INTO t VALUES (1, 'a'), (2, 'b'), (3, 'c')`)
        // 3 gives its address to 2, and 2 its own to 1: in the order of keys neither may come first
        const rows: Row[] = [
          { id: 3, email: 'z' },
          { id: 2, email: 'c' },
          { id: 1, email: 'b' },
        ]
        const { stats } = await write<Row>([[...rows, { id: 1, n: 5 }]], upserting())
        expect(stats).to.include({ rowsCommitted: 4, rowsUnchanged: 0, rowsRejected: 0 })
        expect(await valuesOf(db.pool, 'SELECT id, email, n FROM t ORDER BY id')).to.deep.equal([
          [1, 'b', 5],
          [2, 'c', 0],
          [3, 'z', 0],
        ])
      })

      it('a trigger makes keys equal', async () => {
        await db.pool.query(`DROP TABLE IF EXISTS t; CREATE TABLE t (id int PRIMARY KEY, n int);
          CREATE OR REPLACE FUNCTION positive() RETURNS trigger LANGUAGE plpgsql AS
            'BEGIN new.id := abs(new.id); RETURN new; END';
          CREATE TRIGGER positive BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION positive()`)
        const rows = rowsOf(400, n => ({ id: n % 2 ? -(n % 50) - 1 : (n % 50) + 1, n }))
        const { stats } = await write<Row>([rows], upserting())
        expect(stats).to.include({ rowsCommitted: 400, rowsRejected: 0 })
        const found = 'SELECT count(*)::int, min(n), max(n) FROM t'
        expect(await valuesOf(db.pool, found)).to.deep.equal([[50, 350, 399]])
      })

      it('a number of the sequence is the key of another row', async () => {
        await db.pool.query('DROP TABLE IF EXISTS t; CREATE TABLE t (id serial PRIMARY KEY, n int)')
        const rows: Row[] = [{ n: 1 }, { id: 1, n: 2 }, { id: 3, n: 3 }, { n: 4 }, { n: 5 }]
        const { stats } = await write<Row>([rows], upserting())
        expect(stats).to.include({ rowsCommitted: 5, rowsRejected: 0 })
        // the numbers of the sequence in the second attempt are not guaranteed
        const found = 'SELECT count(*)::int FROM t WHERE n > 1'
        expect((await valuesOf(db.pool, found))[0]![0]).to.be.within(3, 4)
      })

      it('a serial id is kept where rows are found by another key', async () => {
        await db.pool.query(`DROP TABLE IF EXISTS t;
          CREATE TABLE t (id serial PRIMARY KEY, email text UNIQUE, n int);
          INSERT INTO t (email, n) VALUES ('a', 1), ('b', 2)`)
        const rows: Row[] = [{ email: 'b', n: 3 }, { email: 'a' }, { id: 77, email: 'c' }]
        const { stats } = await write<Row>([rows], upserting('email'))
        expect(stats).to.include({ rowsCommitted: 2, rowsUnchanged: 1 })
        expect(await valuesOf(db.pool, 'SELECT id, email, n FROM t ORDER BY email')).to.deep.equal([
          [1, 'a', 1],
          [2, 'b', 3],
          [77, 'c', null],
        ])
      })

      it('a thousand rows of a few keys and shapes', async () => {
        await db.pool.query(
          `DROP TABLE IF EXISTS t; CREATE TABLE t (id int PRIMARY KEY, a int, b int, c int DEFAULT 1)`,
        )
        const rows = rowsOf(1000, n => ({ id: n % 7, ['abc'[n % 3]!]: n }))
        const { stats } = await write<Row>([rows.slice(0, 500), rows.slice(500)], upserting())
        expect(stats).to.include({ rowsCommitted: 1000 })
        const last = (id: number, column: string) =>
          rows.filter(row => row.id === id && column in row).at(-1)![column as 'id']
        expect(await valuesOf(db.pool, 'SELECT id, a, b, c FROM t ORDER BY id')).to.deep.equal(
          rowsOf(7, id => [id, last(id, 'a'), last(id, 'b'), last(id, 'c')]),
        )
      })

      it('rows of more shapes than one statement writes', async () => {
        const names = rowsOf(8, index => `c${index}`)
        await db.pool.query(
          `DROP TABLE IF EXISTS t; CREATE TABLE t (id int PRIMARY KEY, ${names.map(name => `${name} int`)})`,
        )
        const rows = rowsOf(300, n => ({
          id: n % 40,
          ...Object.fromEntries(names.filter((_, bit) => n & (1 << bit)).map(name => [name, n])),
        }))
        const { stats } = await write<Row>([rows], upserting())
        const stored = new Map<number, (number | null)[]>()
        let unchanged = 0
        for (const row of rows as Record<string, number>[]) {
          if (stored.has(row.id!) && Object.keys(row).length === 1) unchanged++
          const before = stored.get(row.id!) ?? names.map(() => null)
          stored.set(
            row.id!,
            names.map((name, index) => row[name] ?? before[index]!),
          )
        }
        expect(stats).to.include({ rowsCommitted: 300 - unchanged, rowsUnchanged: unchanged })
        expect(await valuesOf(db.pool, 'SELECT * FROM t ORDER BY id')).to.deep.equal(
          [...stored].sort(([a], [b]) => a - b).map(([id, values]) => [id, ...values]),
        )
      })
    })
  }
})
