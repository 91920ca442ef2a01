import { expect } from 'chai'
import { useDatabase } from '../../../support/servers/database.ts'
import { usePools } from '../../../support/servers/pools.ts'
import { thoroughly } from '../../../support/thorough.ts'
import { METHODS, options, rowsOf, valuesOf, write } from '../../../support/writing.ts'

type Row = Record<string, unknown>

describe('limits of upserts', () => {
  const db = useDatabase()
  const makePool = usePools(db)

  for (const way of METHODS) {
    const upserting = (table: string) => ({
      pool: makePool().pool,
      table,
      onConflict: { target: ['id'], action: 'update' } as const,
      ...options(way),
    })

    // the two columns that a staging table has more would make too many
    for (const count of thoroughly(1599, 1598, 1600)) {
      it(`a table of ${count} columns, rows of three shapes, by ${way.title}`, async () => {
        const names = rowsOf(count - 1, index => `c${index}`)
        await db.pool.query(`DROP TABLE IF EXISTS wide;
          CREATE TABLE wide (id int PRIMARY KEY, ${names.map(name => `${name} int2 DEFAULT 9`).join(', ')});
          INSERT INTO wide (id, c1) VALUES (1, 5)`)
        const whole = (id: number, value: number): Row => ({
          id,
          ...Object.fromEntries(names.map(name => [name, value])),
        })
        const rows: Row[] = [
          whole(1, 1),
          whole(2, 2),
          { id: 1, c0: 7 },
          { id: 3, c1: 8 },
          { id: 2, c0: 6 },
          whole(1, 3),
        ]
        const { stats } = await write<Row>([rows, [{ id: 1, c1: 4 }]], upserting('wide'))
        expect(stats).to.include({ rowsCommitted: 7, rowsUnchanged: 0 })
        const stored = await valuesOf(db.pool, `SELECT id, c0, c1, c2, ${names.at(-1)} FROM wide ORDER BY id`)
        expect(stored).to.deep.equal([
          [1, 3, 4, 3, 3],
          [2, 6, 2, 2, 2],
          [3, 9, 8, 9, 9],
        ])
      }).timeout(120_000)
    }

    it(`columns with the names of those of a staging table, by ${way.title}`, async () => {
      await db.pool.query(`DROP TABLE IF EXISTS named;
        CREATE TABLE named (id int PRIMARY KEY, stored int, excluded text,
        pg_batch_ordinal int, pg_batch_shape int, pg_batch_turn int, pg_batch_previous int,
        pg_batch_row int, pg_batch text,
        "$pg_batch$" int, pg_batch_rows int, pg_batch_count int)`)
      const row = (id: number, n: number): Row => ({
        ...{ id, stored: n, excluded: `${n}`, pg_batch_ordinal: n, pg_batch_shape: n, pg_batch_turn: n },
        ...{ pg_batch_previous: n, pg_batch_row: n, pg_batch: `${n}`, $pg_batch$: n, pg_batch_rows: n },
        pg_batch_count: n,
      })
      const loop = rowsOf(8, n => ({ id: 3, pg_batch_shape: n, pg_batch_row: n }))
      const rows = [
        row(1, 1),
        row(2, 2),
        { id: 1, pg_batch_shape: 3 },
        { id: 2, pg_batch_ordinal: 4 },
        ...loop,
      ]
      await write<Row>([rows], upserting('named'))
      const found = await valuesOf(
        db.pool,
        `SELECT id, pg_batch_ordinal, pg_batch_shape, pg_batch_turn, pg_batch_row, "$pg_batch$"
        FROM named ORDER BY id`,
      )
      expect(found).to.deep.equal([
        [1, 1, 3, 1, 1, 1],
        [2, 4, 2, 2, 2, 2],
        [3, null, 7, null, 7, null],
      ])
    })
  }
})
