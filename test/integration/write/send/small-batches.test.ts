import { once } from 'node:events'
import { expect } from 'chai'
import { PgBatchWritable } from '../../../../lib/index.ts'
import { useDatabase } from '../../../support/servers/database.ts'
import { usePools } from '../../../support/servers/pools.ts'
import { valuesOf } from '../../../support/writing.ts'

type Row = Readonly<Record<string, unknown>>

describe('a small batch', () => {
  const db = useDatabase()
  const makePool = usePools(db)

  beforeEach(() =>
    db.pool.query('DROP TABLE IF EXISTS t; CREATE TABLE t (id int, name text, made timestamptz)'),
  )

  const rowsOf = (count: number): Row[] =>
    Array.from({ length: count }, (_, id) => ({ id, name: `a\tb\\${id}\n`, made: new Date(id) }))

  const open = (): PgBatchWritable<Row> => new PgBatchWritable<Row>({ pool: makePool().pool, table: 't' })

  const writeAlone = async (sink: PgBatchWritable<Row>, rows: readonly Row[]): Promise<void> => {
    const committed = once(sink, 'commit')
    sink.write(rows)
    await committed
  }

  for (const batches of [1, 2, 3, 10]) {
    it(`is stored where a single transaction takes ${batches}`, async () => {
      const pool = makePool().pool
      const sink = new PgBatchWritable<Row>({ pool, table: 't', singleTransaction: true })
      for (let batch = 0; batch < batches; batch++) sink.write(rowsOf(20))
      sink.end()
      await once(sink, 'finish')
      expect(sink.stats.rowsCommitted).to.equal(20 * batches)
      expect(await valuesOf(db.pool, 'SELECT count(*)::int FROM t')).to.deep.equal([[20 * batches]])
    })
  }

  it('is stored in the same way after its column has got another type', async () => {
    const sink = open()
    await writeAlone(sink, rowsOf(1))
    await db.pool.query("ALTER TABLE t ALTER made TYPE timestamp USING made AT TIME ZONE 'America/New_York'")
    await writeAlone(sink, [{ id: 7, name: 'x', made: new Date(2024, 0, 2, 3, 4, 5) }])
    sink.end()
    await once(sink, 'finish')
    expect(await valuesOf(db.pool, 'SELECT made::text FROM t WHERE id = 7')).to.deep.equal([
      ['2024-01-02 03:04:05'],
    ])
  })

  it('gets the DEFAULT that a column which it lacks has got meanwhile', async () => {
    const sink = open()
    await writeAlone(sink, rowsOf(1))
    await db.pool.query("ALTER TABLE t ALTER name SET DEFAULT 'new'")
    await writeAlone(sink, [{ id: 7, made: null }])
    sink.end()
    await once(sink, 'finish')
    expect(await valuesOf(db.pool, 'SELECT name FROM t WHERE id = 7')).to.deep.equal([['new']])
  })

  for (const [title, value] of [
    ['is no time', { made: 'no time' }],
    ['has a NUL', { name: 'x\0y' }],
  ] as const) {
    it(`names the row and the column of a value that ${title}`, async () => {
      const sink = open()
      const failed = once(sink, 'error')
      sink.write([...rowsOf(3), { id: 3, name: 'x', made: null, ...value }])
      const [error] = await failed
      expect(error).to.include({
        rowIndex: 3,
        column: Object.keys(value)[0],
        batchId: 1,
        outcome: 'rolled-back',
      })
      expect(await valuesOf(db.pool, 'SELECT count(*)::int FROM t')).to.deep.equal([[0]])
    })
  }
})
