import { expect } from 'chai'
import { PgBatchWritable } from '../../../../lib/writable/pg-batch-writable.ts'
import type { RejectedRow } from '../../../../lib/write/rejects/dead-letter.ts'
import { useDatabase } from '../../../support/servers/database.ts'
import { usePools } from '../../../support/servers/pools.ts'
import { thorough } from '../../../support/thorough.ts'
import { load } from '../load.ts'
import {
  type BadKind,
  goodRow,
  KINDS,
  makeTable,
  rowsWith,
  spread,
  storedIds,
  WAYS,
  type Way,
} from './bad-rows.ts'

const COUNT = Math.max(60, thorough(120))

describe('a batch with bad rows', () => {
  const db = useDatabase()
  const makePool = usePools(db)

  /** Writes a batch, and checks every promise about the outcome of its rows. */
  const check = async (way: Way, bad: ReadonlyMap<number, BadKind>) => {
    const table = await makeTable(db)
    const rows = rowsWith(COUNT, bad)
    const writable = new PgBatchWritable<Record<string, unknown>>({
      pool: makePool().pool,
      table,
      ...way.options,
      rejectLimit: bad.size,
      retry: false,
    })
    const rejected = await load([rows], writable)
    const good = rows.map((_, id) => id).filter(id => !bad.has(id))
    expect(await storedIds(db.pool, table)).to.deep.equal(good)
    expect(rejected.map(({ index }) => index).sort((a, b) => a - b)).to.deep.equal(
      [...bad.keys()].sort((a, b) => a - b),
    )
    for (const reject of rejected) expectReason(reject, way, bad.get(reject.index)!, rows)
    expect(writable.stats).to.include({
      rowsReceived: COUNT,
      rowsCommitted: good.length,
      rowsRejected: bad.size,
      rowsPending: 0,
      batchesCommitted: 1,
      transactions: 1,
    })
  }

  const expectReason = (reject: RejectedRow, way: Way, kind: BadKind, rows: readonly unknown[]) => {
    const { error, index, batchId, item, row } = reject
    const { code, sqlState, constraint, column } = error
    const expected = { sqlState: undefined, constraint: undefined, ...kind.expected(way) }
    const named = 'column' in expected ? { column } : {}
    expect({ code, sqlState, constraint, ...named }, `${kind.title} by ${way.title}`).to.deep.equal(expected)
    expect({ rowIndex: error.rowIndex, batchId: error.batchId }).to.deep.equal({ rowIndex: index, batchId })
    expect(batchId).to.equal(1)
    expect(item).to.equal(rows[index])
    expect(row).to.equal(rows[index])
  }

  for (const way of WAYS) {
    describe(`by ${way.title}, stores every good row in order, and rejects each bad one for its own reason`, () => {
      for (const kind of KINDS) {
        it(kind.title, async () => {
          for (const count of [1, COUNT / 2])
            await check(way, new Map(spread(COUNT, count).map(at => [at, kind])))
        })
      }

      it('all of these in one batch', async () => {
        const places = spread(COUNT, KINDS.length * 2)
        await check(way, new Map(places.map((at, index) => [at, KINDS[index % KINDS.length]!])))
      })

      it('all rows of the batch', async () => {
        const kind = KINDS.find(({ title }) => title === 'a CHECK')!
        await check(way, new Map(Array.from({ length: COUNT }, (_, at) => [at, kind])))
      })
    })
  }

  it('rejects an item for which toRow throws, without a row', async () => {
    const table = await makeTable(db)
    const writable = new PgBatchWritable<number, Record<string, unknown>>({
      pool: makePool().pool,
      table,
      rejectLimit: 2,
      toRow(id) {
        if (id % 5 === 3) throw new Error('no row of three')
        return id === 4 ? null : goodRow(id)
      },
    })
    const rejected = await load([[0, 1, 2, 3, 4, 5, 6, 7, 8]], writable)
    expect(
      rejected.map(({ index, item, row, error }) => ({ index, item, row, code: error.code })),
    ).to.deep.equal([3, 8].map(id => ({ index: id, item: id, row: id, code: 'CALLBACK_FAILED' })))
    expect(await storedIds(db.pool, table)).to.deep.equal([0, 1, 2, 5, 6, 7])
    expect(writable.stats).to.include({ rowsCommitted: 6, rowsRejected: 2, rowsSkipped: 1 })
  })
})
