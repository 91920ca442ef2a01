import { Readable, Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { expect } from 'chai'
import { PgRowWriter } from '../../../lib/row-writer/pg-row-writer.ts'
import { PgBatchWritable } from '../../../lib/writable/pg-batch-writable.ts'
import type { RejectedRow } from '../../../lib/write/rejects/dead-letter.ts'
import { useDatabase } from '../../support/servers/database.ts'
import { METHODS, options, rejectionOf, valuesOf } from '../../support/writing.ts'

type Row = Record<string, unknown>

/** Objects of which nothing can be read. */
const UNREADABLE: readonly [title: string, make: () => Row][] = [
  [
    'a revoked proxy',
    () => {
      const { proxy, revoke } = Proxy.revocable<Row>({}, {})
      revoke()
      return proxy
    },
  ],
  [
    'a proxy whose traps throw',
    () => {
      const fail = () => {
        throw new Error('secret')
      }
      return new Proxy<Row>({}, { ownKeys: fail, has: fail, get: fail, getOwnPropertyDescriptor: fail })
    },
  ],
]

describe('a row of which nothing can be read', () => {
  const db = useDatabase()

  beforeEach(() => db.pool.query('DROP TABLE IF EXISTS t; CREATE TABLE t (id int)'))

  for (const [title, make] of UNREADABLE) {
    for (const way of METHODS) {
      for (const toRow of [undefined, (row: Row) => row]) {
        it(`is rejected, ${title} ${toRow ? 'that toRow returns' : ''} by ${way.title}`, async () => {
          const bad: RejectedRow[] = []
          const deadLetter = new Writable({
            objectMode: true,
            write(row, _encoding, done) {
              bad.push(row)
              done()
            },
          })
          const sink = new PgBatchWritable<Row>({
            pool: db.pool,
            table: 't',
            ...options(way),
            ...(toRow ? { toRow } : {}),
            deadLetter,
            rejectLimit: 1,
          })
          await pipeline(Readable.from([[{ id: 1 }, make(), { id: 2 }]]), sink)
          expect(bad.map(({ index, error }) => [index, error.code])).to.deep.equal([[1, 'ROW_INVALID']])
          expect(bad[0]!.error.message).not.to.contain('secret')
          expect(await valuesOf(db.pool, 'SELECT id FROM t ORDER BY id')).to.deep.equal([[1], [2]])
        })
      }
    }

    it(`rejects its own write of PgRowWriter only, ${title}`, async () => {
      const writer = new PgRowWriter<Row>({ pool: db.pool, table: 't' })
      const writes = [writer.write({ id: 1 }), writer.write(make()), writer.write({ id: 2 })]
      const error = await rejectionOf(writes[1]!)
      expect(error).to.include({ code: 'ROW_INVALID', outcome: 'not-sent' })
      await Promise.all([writes[0], writes[2]])
      await writer.end()
    })
  }
})
