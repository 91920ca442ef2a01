import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { expect } from 'chai'
import { newDb } from 'pg-mem'
import { BatchTransform, PgBatchWritable } from '../../lib/index.ts'

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
})
