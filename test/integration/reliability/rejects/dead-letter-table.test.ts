import { expect } from 'chai'
import type { PgClientLike } from '../../../../lib/connection/pg-types.ts'
import { PgBatchError } from '../../../../lib/errors.ts'
import { PgBatchWritable } from '../../../../lib/writable/pg-batch-writable.ts'
import { useDatabase } from '../../../support/servers/database.ts'
import { usePools } from '../../../support/servers/pools.ts'
import { batchesOf, countOf, failureOf, rowsOf, valuesOf } from '../../../support/writing.ts'
import { load } from '../load.ts'

type Row = Record<string, unknown>

describe('a table as the dead letter', () => {
  const db = useDatabase()
  const makePool = usePools(db)

  beforeEach(async () => {
    await db.pool.query(`DROP TABLE IF EXISTS t, bad; CREATE TABLE t (id int, n int CONSTRAINT n_there CHECK (n >= 0), label text,
      data jsonb)`)
  })

  const make = (extra: object = {}) =>
    new PgBatchWritable<Row>({
      pool: makePool().pool,
      table: 't',
      rejectLimit: 1000,
      deadLetter: { table: 'bad' },
      ...extra,
    })

  it('is created where it does not exist, and holds the row, its place and the reason', async () => {
    const checkpoint = {
      name: 'c',
      position: ({ id }: Row) => ({ partition: 'p', offset: Number(id) + 100 }),
    }
    await load(
      [
        [
          { id: 1, n: 1 },
          { id: 2, n: -1, label: 'b' },
        ],
        [{ id: 'x' }],
      ].slice(0, 1),
      make({ checkpoint }),
    )
    expect(
      await valuesOf(
        db.pool,
        `SELECT target, batch_id::int, row_index::int, code, sqlstate, column_name, constraint_name, source_partition,
           source_offset::text, "row"->>'id', "row"->>'label', message ~ 'n_there', rejected_at <= now() FROM bad`,
      ),
    ).to.deep.equal([
      ['"public"."t"', 1, 1, 'REFUSED', '23514', null, 'n_there', 'p', '102', '2', 'b', true, true],
    ])
  })

  it('holds the position of a row by `position`, without a checkpoint', async () => {
    const position = ({ id }: Row) => ({ partition: 'p', offset: Number(id) + 100 })
    await load([[{ id: 1 }, { id: 2, n: -1 }]], make({ position }))
    expect(await valuesOf(db.pool, 'SELECT source_partition, source_offset::text FROM bad')).to.deep.equal([
      ['p', '102'],
    ])
    const lost = () => {
      throw new Error('where am I')
    }
    const error = await failureOf(load([[{ id: 1, n: -1 }]], make({ position: lost })))
    expect(error.code).to.equal('CALLBACK_FAILED')
    expect(error.message).to.contain('`position` failed')
  })

  it("holds `toRow`'s own message for a rejected item", async () => {
    const toRow = (item: Row) => {
      if (item.id === 2) throw new PgBatchError('ROW_INVALID', 'two is too many', { outcome: 'not-sent' })
      return item
    }
    await load([[{ id: 1 }, { id: 2 }]], make({ toRow }))
    expect(await valuesOf(db.pool, `SELECT code, message, "row"->>'id' FROM bad`)).to.deep.equal([
      ['ROW_INVALID', 'two is too many', '2'],
    ])
    expect(await countOf(db.pool, 't')).to.equal(1)
  })

  it('holds what would have been sent of rows that JSON cannot express: bigint, NUL, Buffer, NaN; circles are shown', async () => {
    const circular: Row = { id: 3 }
    circular.self = circular
    const rows: Row[] = [
      { id: 10n ** 30n, n: 1 },
      { id: 2, data: circular },
      { id: 4, label: 'a\0b' },
      { id: 'x', label: Buffer.from('bytes'), data: new Date(0), n: Number.NaN },
      { id: 5, 'no\0column': 1 },
    ]
    await load([rows], make())
    const stored = await valuesOf(
      db.pool,
      'SELECT row_index::int, "row"::text, message FROM bad ORDER BY row_index',
    )
    expect(stored.map(([index]) => index)).to.deep.equal([0, 1, 2, 3, 4])
    const texts = stored.map(([, text]) => text as string)
    expect(texts[0]).to.contain('1000000000000000000000000000000')
    expect(texts[1]).to.contain('Circular')
    expect(JSON.parse(texts[2]!)).to.deep.equal({ id: '4', label: 'a\0b' })
    expect(JSON.parse(texts[3]!)).to.deep.include({ n: 'NaN', label: 'bytes' })
  })

  it('holds nothing of a transaction whose COMMIT fails, and neither does the table', async () => {
    await db.pool.query(
      `CREATE TABLE IF NOT EXISTS once (id int UNIQUE DEFERRABLE INITIALLY DEFERRED); TRUNCATE once`,
    )
    const inTransaction = async (client: PgClientLike): Promise<void> => {
      await client.query('INSERT INTO once VALUES (1), (1)')
    }
    const writable = make({ inTransaction })
    const error = await failureOf(
      load(
        [
          [
            { id: 1, n: 1 },
            { id: 2, n: -1 },
          ],
        ],
        writable,
      ),
    )
    expect(error).to.include({ sqlState: '23505', outcome: 'rolled-back' })
    expect([await countOf(db.pool, 't'), await countOf(db.pool, 'bad')]).to.deep.equal([0, 0])
    expect(writable.stats).to.include({ rowsRejected: 0, rowsPending: 2 })
  })

  it('gets the rows of three lanes, each once', async () => {
    const rows = rowsOf(900, (id): Row => ({ id, n: id % 9 === 0 ? -1 : 1 }))
    await load(batchesOf(rows, 50), make({ concurrency: 3 }))
    expect(
      await valuesOf(db.pool, `SELECT count(*)::int, count(DISTINCT "row"->>'id')::int FROM bad`),
    ).to.deep.equal([[100, 100]])
    expect(await countOf(db.pool, 't')).to.equal(800)
  })

  it('fails the stream if it cannot be written, and no row is committed', async () => {
    await db.pool.query(`CREATE TABLE bad (target text, batch_id bigint, row_index bigint CHECK (row_index < 0),
      code text, sqlstate text, message text, column_name text, constraint_name text,
      source_partition text, source_offset bigint, "row" json)`)
    const error = await failureOf(
      load(
        [
          [
            { id: 1, n: 1 },
            { id: 2, n: -1 },
          ],
        ],
        make(),
      ),
    )
    expect(error).to.include({ sqlState: '23514', outcome: 'rolled-back' })
    expect(await countOf(db.pool, 't')).to.equal(0)
  })
})
