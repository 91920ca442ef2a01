import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { expect } from 'chai'
import { PgBatchWritable } from '../../../../lib/writable/pg-batch-writable.ts'
import type { RejectedRow } from '../../../../lib/write/rejects/dead-letter.ts'
import { useDatabase } from '../../../support/servers/database.ts'
import { usePools } from '../../../support/servers/pools.ts'
import { METHODS, options, valuesOf } from '../../../support/writing.ts'

interface Row {
  id: number
  bytes: Buffer
  more?: Buffer
}

/** Virtual memory that is never touched, so that it takes no real memory. */
const TOO_LONG = Buffer.alloc(1.1e9)
const HALF = TOO_LONG.subarray(0, 6e8)
const SHORT = Buffer.from('short')

describe('values that are longer than a message may be', () => {
  const db = useDatabase()
  const makePool = usePools(db)

  beforeEach(() =>
    db.pool.query('DROP TABLE IF EXISTS t; CREATE TABLE t (id int PRIMARY KEY, bytes bytea, more bytea)'),
  )

  for (const way of METHODS.filter(({ title }) => title !== 'text COPY')) {
    for (const upsert of [false, true]) {
      const writing = {
        table: 't',
        ...(upsert ? { onConflict: { target: ['id'], action: 'update' } as const } : {}),
        ...options(way),
      }

      it(`are refused before they are sent, ${upsert ? 'as upserts' : ''}, by ${way.title}`, async () => {
        const rejected: RejectedRow<Row>[] = []
        const retries: unknown[] = []
        const writable = new PgBatchWritable<Row>({ ...writing, pool: makePool().pool, rejectLimit: 2 })
        writable.on('reject', reject => rejected.push(reject as RejectedRow<Row>))
        writable.on('retry', retry => retries.push(retry))
        const rows: Row[] = [
          { id: 1, bytes: SHORT },
          { id: 2, bytes: TOO_LONG },
          { id: 3, bytes: HALF, more: HALF },
          { id: 4, bytes: SHORT },
        ]
        await pipeline(Readable.from([rows]), writable)
        expect(retries).to.deep.equal([])
        expect(rejected.map(({ index, error }) => [index, error.code, error.column])).to.deep.equal([
          [1, 'VALUE_NOT_ENCODABLE', 'bytes'],
          [2, 'VALUE_NOT_ENCODABLE', 'more'],
        ])
        expect(rejected[0]!.error.message).to.match(/more than 1 GB/)
        expect(await valuesOf(db.pool, 'SELECT id FROM t ORDER BY id')).to.deep.equal([[1], [4]])
      })
    }
  }

  for (const upsert of [false, true]) {
    it(`do not add up in one statement, ${upsert ? 'as upserts' : ''}`, async () => {
      const bytes = Buffer.alloc(5e7, 1)
      const writable = new PgBatchWritable<Row>({
        pool: makePool().pool,
        table: 't',
        method: 'insert',
        ...(upsert ? { onConflict: { target: ['id'], action: 'update' } as const } : {}),
      })
      const rows = [1, 2, 3, 4, 5, 2].slice(0, upsert ? 6 : 5).map(id => ({ id, bytes }))
      await pipeline(Readable.from([rows]), writable)
      expect(writable.stats).to.include({ rowsCommitted: rows.length, transactions: 1 })
      const found = 'SELECT count(*)::int, sum(octet_length(bytes))::int FROM t'
      expect(await valuesOf(db.pool, found)).to.deep.equal([[5, 25e7]])
    })
  }
})
