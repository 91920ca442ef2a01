import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { expect } from 'chai'
import { PgBatchWritable } from '../../../lib/writable/pg-batch-writable.ts'
import { useDatabase } from '../../support/servers/database.ts'
import { usePools } from '../../support/servers/pools.ts'
import { countOf, rejectionOf } from '../../support/writing.ts'

const OBJECTS_FIRST = 'put a BatchTransform before PgBatchWritable'
const PARSER_FIRST = 'put a parser and a BatchTransform before PgBatchWritable'

const CHUNKS: readonly [chunk: unknown, message: string][] = [
  ['SECRET', `a string: ${PARSER_FIRST}`],
  [Buffer.from('SECRET'), `a Buffer: ${PARSER_FIRST}`],
  [{ id: 'SECRET' }, `an object: ${OBJECTS_FIRST}`],
  [5, `a number: ${OBJECTS_FIRST}`],
  [new Map(), `a Map: ${OBJECTS_FIRST}`],
  [true, `a boolean: ${OBJECTS_FIRST}`],
  [Promise.resolve([{ id: 1 }]), 'a Promise: await it'],
]

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
        const hint = toRow ? '`toRow` has to be synchronous' : ': await it'
        if (item instanceof Promise) expect(error.message).to.contain(hint)
        expect(await countOf(db.pool, 't')).to.equal(0)
      })
    }
  }
})

describe('anything but an array', () => {
  const db = useDatabase()
  const makePool = usePools(db)

  for (const [chunk, message] of CHUNKS) {
    it(`is a TypeError that says what to do, without the value: ${message}`, async () => {
      await db.pool.query('CREATE TABLE IF NOT EXISTS t (id int)')
      const writable = new PgBatchWritable({ pool: makePool().pool, table: 't' })
      const closed = new Promise<Error>(resolve => writable.once('error', resolve))
      writable.write(chunk as never)
      const error = await closed
      expect(error).to.be.instanceOf(TypeError).and.to.have.property('code', 'ERR_INVALID_ARG_TYPE')
      expect(error.message).to.equal(`Expected an array of items, got ${message}`)
      expect(await countOf(db.pool, 't')).to.equal(0)
    })
  }
})
