import { runInNewContext } from 'node:vm'
import { expect } from 'chai'
import { isServerError } from '../../../lib/connection/server-error.ts'
import { isTransient } from '../../../lib/write/faults/transient.ts'
import { useDatabase } from '../../support/servers/database.ts'
import { METHODS, options, valuesOf, write } from '../../support/writing.ts'

/**
 * Jest runs each test file in its own realm, whose `Error` and `Date` differ from those of Node's modules.
 */
describe('values and errors of another realm', () => {
  const db = useDatabase()

  it('a socket error of another realm is transient', () => {
    const reset = runInNewContext("Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' })")
    expect(reset).to.not.be.instanceOf(Error)
    expect(isTransient(reset)).to.equal(true)
  })

  it("a server's error of another realm is the server's", () => {
    const refused = runInNewContext("Object.assign(new Error('x'), { code: '40001', severity: 'ERROR' })")
    expect(isServerError(refused)).to.equal(true)
    expect(isTransient(refused)).to.equal(true)
  })

  it('several errors of one connection attempt are transient where each of them is', () => {
    const several = runInNewContext(
      "new AggregateError([Object.assign(new Error(), { code: 'ECONNREFUSED' }), Object.assign(new Error(), { code: 'ETIMEDOUT' })])",
    )
    expect(isTransient(several)).to.equal(true)
  })

  for (const method of METHODS) {
    it(`dates, bytes and arrays of another realm are stored by ${method.title}`, async () => {
      await db.pool.query(
        'DROP TABLE IF EXISTS t; CREATE TABLE t (d date, at timestamptz, bytes bytea, many int[], data jsonb)',
      )
      const row = runInNewContext(
        "({ d: new Date(2024, 1, 29), at: new Date('2024-02-29T12:00:00Z'), bytes: new Uint8Array([1, 2]), many: [1, 2], data: { a: [1] } })",
      )
      await write([[row]], { pool: db.pool, table: 't', ...options(method) })
      expect(
        await valuesOf(
          db.pool,
          "SELECT d::text, at = '2024-02-29T12:00:00Z', bytes::text, many::text, data::text FROM t",
        ),
      ).to.deep.equal([['2024-02-29', true, '\\x0102', '{1,2}', '{"a": [1]}']])
    })
  }
})

describe('a prototype that another library has changed', () => {
  const db = useDatabase()
  const prototype = Object.prototype as unknown as Record<string, unknown>

  beforeEach(() => db.pool.query('DROP TABLE IF EXISTS t; CREATE TABLE t (id int, name text)'))
  afterEach(() => {
    delete prototype.polluted
  })

  it('is not an unknown key of every row', async () => {
    prototype.polluted = 'x'
    const { stats } = await write([[{ id: 1, name: 'a' }, { id: 2 }]], {
      pool: db.pool,
      table: 't',
      rejectLimit: 9,
    })
    expect(stats).to.include({ rowsCommitted: 2, rowsRejected: 0 })
  })

  it('does not hide a key of the row itself', async () => {
    prototype.polluted = 'x'
    const rows = [{ id: 1 }, { id: 2, polluted: 'own' }, { id: 3 }]
    const { stats } = await write<object>([rows], { pool: db.pool, table: 't', rejectLimit: 9 })
    expect(stats).to.include({ rowsCommitted: 2, rowsRejected: 1 })
  })

  it('values still come from getters of a class', async () => {
    class Row {
      id = 1
      get name() {
        return 'from a getter'
      }
    }
    await write([[new Row()]], { pool: db.pool, table: 't' })
    expect(await valuesOf(db.pool, 'SELECT * FROM t')).to.deep.equal([[1, 'from a getter']])
  })
})
