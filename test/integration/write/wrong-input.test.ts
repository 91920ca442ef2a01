import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { expect } from 'chai'
import { PgBatchWritable } from '../../../lib/pg-batch-writable.ts'
import { useDatabase } from '../../support/database.ts'
import { usePools } from '../../support/pools.ts'
import { countOf, rejectionOf } from '../../support/writing.ts'

const CHUNKS: readonly unknown[] = ['x', {}, 5, Buffer.from('x'), new Map(), true]

describe('anything but an array', () => {
  const db = useDatabase()
  const makePool = usePools(db)

  for (const chunk of CHUNKS) {
    it(`is a TypeError that names BatchTransform: ${Object.prototype.toString.call(chunk)}`, async () => {
      await db.pool.query('CREATE TABLE IF NOT EXISTS t (id int)')
      const writable = new PgBatchWritable({ pool: makePool().pool, table: 't' })
      const error = await rejectionOf(pipeline(Readable.from([chunk], { objectMode: true }), writable))
      expect(error).to.be.instanceOf(TypeError)
      expect(error.message).to.match(/Expected an array.*BatchTransform/)
      expect(await countOf(db.pool, 't')).to.equal(0)
    })
  }
})
