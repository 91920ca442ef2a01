import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { expect } from 'chai'
import { newDb } from 'pg-mem'
import { BatchTransform, PgBatchWritable } from '../../lib/index.ts'

interface Row {
  id: number
  total: number
  note: string
}

describe('a pipeline into pg-mem', () => {
  it('writes rows, and updates those that are there', async () => {
    const { Pool } = newDb().adapters.createPg()
    const pool = new Pool()
    await pool.query('CREATE TABLE orders (id integer PRIMARY KEY, total integer)')
    await pool.query('INSERT INTO orders VALUES (1, 10)')

    await pipeline(
      Readable.from([
        { id: 1, total: 11 },
        { id: 2, total: 20 },
      ]),
      new BatchTransform<{ id: number; total: number }>(),
      new PgBatchWritable<{ id: number; total: number }>({
        pool,
        table: 'orders',
        columns: ['id', 'total'], // pg-mem has no catalogue to learn them from
        method: 'insert', //         and no COPY
        onConflict: { target: ['id'], action: 'update' },
      }),
    )

    const { rows } = await pool.query('SELECT * FROM orders ORDER BY id')
    expect(rows).to.deep.equal([
      { id: 1, total: 11 },
      { id: 2, total: 20 },
    ])
  })

  it('keeps what is stored where a row brings nothing, and the row that is there with DO NOTHING', async () => {
    const { Pool } = newDb().adapters.createPg()
    const pool = new Pool()
    await pool.query('CREATE TABLE orders (id integer PRIMARY KEY, total integer, note text)')
    const writing = async (rows: Partial<Row>[], action: 'update' | 'nothing') => {
      const onConflict = { target: ['id'], action } as const
      const columns = ['id', 'total', 'note'] as const
      const sink = new PgBatchWritable<Partial<Row>>({
        pool,
        table: 'orders',
        columns,
        method: 'insert',
        onConflict,
      })
      await pipeline(Readable.from([rows]), sink)
      return sink.stats
    }
    const rows = [
      { id: 1, total: 10, note: 'a' },
      { id: 1, total: 11 },
      { id: 2, note: 'b' },
      { id: 1, note: 'c' },
    ]
    expect(await writing(rows, 'update')).to.include({ rowsCommitted: 4, rowsUnchanged: 0 })
    expect(await writing([{ id: 1, total: 99 }, { id: 3 }], 'nothing')).to.include({ rowsReceived: 2 })
    expect((await pool.query('SELECT * FROM orders ORDER BY id')).rows).to.deep.equal([
      { id: 1, total: 11, note: 'c' },
      { id: 2, total: null, note: 'b' },
      { id: 3, total: null, note: null },
    ])
  })
})
