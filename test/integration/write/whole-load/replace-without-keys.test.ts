import { expect } from 'chai'
import type { PgBatchWritableOptions } from '../../../../lib/writable/options.ts'
import { useDatabase } from '../../../support/servers/database.ts'
import { failureOf, valuesOf, write } from '../../../support/writing.ts'

interface Row {
  id?: number | null
  note: string
  parent?: number
}

describe('replace by rows that have no value for the key', () => {
  const db = useDatabase()

  const replace = (rows: Row[]) =>
    write([rows], {
      pool: db.pool,
      table: 't',
      columns: ['id', 'note', 'parent'],
      replace: true,
    } as PgBatchWritableOptions<Row>)
  const stored = () => valuesOf(db.pool, 'SELECT id, note FROM t ORDER BY id, note')

  for (const action of ['NO ACTION', 'CASCADE', 'SET NULL']) {
    describe(`of a table that refers to itself, ON DELETE ${action}`, () => {
      const makeTable = (id: string) =>
        db.pool.query(`
          DROP TABLE IF EXISTS t;
          CREATE TABLE t (id ${id}, note text, parent int REFERENCES t ON DELETE ${action}, kept int);
          INSERT INTO t (note, kept) VALUES ('old', 5), ('old', 6)`)

      it('stores rows that get their key from a DEFAULT', async () => {
        await makeTable('serial PRIMARY KEY')
        const { stats } = await replace([{ id: 1, note: 'new' }, { note: 'added' }])
        expect(stats).to.include({ rowsCommitted: 2 })
        expect(await stored()).to.deep.equal([
          [1, 'new'],
          [3, 'added'],
        ])
        expect(await valuesOf(db.pool, 'SELECT kept FROM t ORDER BY id')).to.deep.equal([[5], [null]])
      })

      it('stores rows whose key is NULL, and deletes the stored ones', async () => {
        await db.pool.query(`
          DROP TABLE IF EXISTS t;
          CREATE TABLE t (id int UNIQUE, note text, parent int REFERENCES t (id) ON DELETE ${action});
          INSERT INTO t VALUES (NULL, 'old', NULL), (1, 'old', NULL), (2, 'old', 1)`)
        await replace([
          { id: null, note: 'new', parent: 3 },
          { id: 3, note: 'new', parent: 3 },
        ])
        expect(await stored()).to.deep.equal([
          [3, 'new'],
          [null, 'new'],
        ])
      })

      it('does not leave such a row without its parent', async () => {
        await makeTable('serial PRIMARY KEY')
        const error = await failureOf(
          replace([
            { id: 1, note: 'new' },
            { note: 'orphan', parent: 2 },
          ]),
        )
        expect(error).to.include({ code: 'REFUSED', sqlState: '23503', outcome: 'rolled-back' })
        expect(await stored()).to.deep.equal([
          [1, 'old'],
          [2, 'old'],
        ])
      })
    })
  }

  it('reports a DEFAULT that is the key of another new row', async () => {
    await db.pool.query(`
      DROP TABLE IF EXISTS t; CREATE TABLE t (id int PRIMARY KEY DEFAULT 2, note text, parent int);
      INSERT INTO t VALUES (2, 'old')`)
    const rows: Row[] = [{ note: 'by default' }, { id: 2, note: 'given' }]
    for (const order of [rows, rows.toReversed()]) {
      const error = await failureOf(replace(order))
      expect(error).to.include({ code: 'REFUSED', sqlState: '23505', constraint: 't_pkey' })
    }
    expect(await stored()).to.deep.equal([[2, 'old']])
    await replace([{ note: 'by default' }])
    expect(await stored()).to.deep.equal([[2, 'by default']])
  })
})
