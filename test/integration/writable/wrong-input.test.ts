import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { expect } from 'chai'
import { PgBatchWritable } from '../../../lib/writable/pg-batch-writable.ts'
import { useDatabase } from '../../support/servers/database.ts'
import { usePools } from '../../support/servers/pools.ts'
import { countOf, rejectionOf } from '../../support/writing.ts'

const CHUNKS: readonly unknown[] = ['x', {}, 5, Buffer.from('x'), new Map(), true]

/** Each of these would be a row without values. */
const BUILT_INS: readonly object[] = [
  Promise.resolve({ id: 1 }),
  new Map([['id', 1]]),
  new Set([1]),
  new Date(0),
  new Error('1'),
  Buffer.from('1'),
]

describe('an item that does not hold its content under keys', () => {
  const db = useDatabase()
  const makePool = usePools(db)

  for (const item of BUILT_INS) {
    for (const toRow of [undefined, () => item]) {
      it(`is not a row${toRow ? ', also when toRow returns it' : ''}: ${item.constructor.name}`, async () => {
        await db.pool.query('CREATE TABLE IF NOT EXISTS t (id int)')
        const writable = new PgBatchWritable<object>({ pool: makePool().pool, table: 't', toRow })
        const error = await rejectionOf(pipeline(Readable.from([[item]]), writable))
        expect(error).to.include({ code: 'ROW_INVALID', rowIndex: 0 })
        expect(error.message).to.contain(item.constructor.name)
        expect(await countOf(db.pool, 't')).to.equal(0)
      })
    }
  }
})

describe('anything but an array', () => {
  const db = useDatabase()
  const makePool = usePools(db)

  for (const chunk of CHUNKS) {
    it(`is a TypeError that names BatchTransform: ${Object.prototype.toString.call(chunk)}`, async () => {
      await db.pool.query('CREATE TABLE IF NOT EXISTS t (id int)')
      const writable = new PgBatchWritable({ pool: makePool().pool, table: 't' })
      const error = await rejectionOf(pipeline(Readable.from([chunk], { objectMode: true }), writable))
      expect(error).to.be.instanceOf(TypeError).and.to.have.property('code', 'ERR_INVALID_ARG_TYPE')
      expect(error.message).to.match(/Expected an array.*BatchTransform/)
      expect(await countOf(db.pool, 't')).to.equal(0)
    })
  }
})
