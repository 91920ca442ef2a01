import { once } from 'node:events'
import { expect } from 'chai'
import { PgBatchWritable } from '../../../lib/index.ts'
import { useDatabase } from '../../support/database.ts'
import { useProxiedPool } from '../../support/proxied-pool.ts'
import { valuesOf } from '../../support/writing.ts'

type Row = Readonly<Record<string, unknown>>

describe('a small batch', () => {
  const db = useDatabase()
  const through = useProxiedPool(db)
  let copies: string[]

  beforeEach(async () => {
    await db.pool.query('DROP TABLE IF EXISTS t; CREATE TABLE t (id int, name text, made timestamptz)')
    copies = []
    through.proxy.arm({
      direction: 'up',
      at: ({ name, text }) => {
        if (name === 'Query' && text.includes('COPY')) copies.push(text)
        return false
      },
      action: { do: 'cut' },
    })
  })

  const rowsOf = (count: number): Row[] =>
    Array.from({ length: count }, (_, id) => ({ id, name: `a\tb\\${id}\n`, made: new Date(id) }))

  const open = (): PgBatchWritable<Row> => new PgBatchWritable<Row>({ pool: through.pool, table: 't' })

  const writeAlone = async (sink: PgBatchWritable<Row>, rows: readonly Row[]): Promise<void> => {
    const committed = once(sink, 'commit')
    sink.write(rows)
    await committed
  }

  it('that is alone travels as text, and the server looks up no types', async () => {
    const sink = open()
    for (const count of [1, 50, 100]) await writeAlone(sink, rowsOf(count))
    sink.end()
    await once(sink, 'finish')
    expect(copies).to.have.lengthOf(3)
    for (const text of copies) expect(text).to.contain('FORMAT text').and.not.contain('pg_attribute')
    expect(await valuesOf(db.pool, 'SELECT name, made FROM t WHERE id = 99')).to.deep.equal([
      ['a\tb\\99\n', new Date(99)],
    ])
  })

  it('that others follow at once is the first of a binary COPY', async () => {
    const sink = open()
    for (let batch = 0; batch < 10; batch++) sink.write(rowsOf(50))
    sink.end()
    await once(sink, 'finish')
    expect(sink.stats).to.include({ rowsCommitted: 500, transactions: 1 })
    expect(copies).to.have.lengthOf(1)
    expect(copies[0]).to.contain('FORMAT binary')
  })

  for (const [type, value] of Object.entries({
    bytea: Buffer.alloc(3, 0xff),
    'real[]': [1.5, 2],
  })) {
    it(`with values of type ${type}, which are long as text, travels as binary`, async () => {
      await db.pool.query(`ALTER TABLE t ADD long ${type}`)
      const sink = open()
      await writeAlone(
        sink,
        rowsOf(50).map(row => ({ ...row, long: value })),
      )
      sink.end()
      await once(sink, 'finish')
      expect(copies).to.have.lengthOf(1)
      expect(copies[0]).to.contain('FORMAT binary')
      expect(await valuesOf(db.pool, 'SELECT count(long)::int FROM t')).to.deep.equal([[50]])
    })
  }

  it('gets the DEFAULT that a column which it lacks has got meanwhile', async () => {
    const sink = open()
    await writeAlone(sink, rowsOf(1))
    await db.pool.query("ALTER TABLE t ALTER name SET DEFAULT 'new'")
    await writeAlone(sink, [{ id: 7, made: null }])
    sink.end()
    await once(sink, 'finish')
    expect(await valuesOf(db.pool, 'SELECT name FROM t WHERE id = 7')).to.deep.equal([['new']])
  })

  it('names the row and the column of a value that it cannot send', async () => {
    const sink = open()
    const failed = once(sink, 'error')
    sink.write([...rowsOf(3), { id: 3, name: 'x', made: 'no time' }])
    const [error] = await failed
    expect(error).to.include({ rowIndex: 3, column: 'made', batchId: 1, outcome: 'rolled-back' })
    expect(await valuesOf(db.pool, 'SELECT count(*)::int FROM t')).to.deep.equal([[0]])
  })
})
