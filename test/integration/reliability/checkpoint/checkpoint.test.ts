import { expect } from 'chai'
import type { PgClientLike } from '../../../../lib/connection/pg-types.ts'
import { PgBatchWritable } from '../../../../lib/writable/pg-batch-writable.ts'
import { readCheckpoint } from '../../../../lib/write/checkpoint/read-checkpoint.ts'
import { useDatabase } from '../../../support/servers/database.ts'
import { usePools } from '../../../support/servers/pools.ts'
import {
  batchesOf,
  countOf,
  failureOf,
  METHODS,
  options,
  rowsOf,
  valuesOf,
} from '../../../support/writing.ts'
import { load } from '../load.ts'

interface Row {
  part: string
  line: number
  n?: number
}

const position = ({ part, line }: Row) => ({ partition: part, offset: line })

describe('a checkpoint', () => {
  const db = useDatabase()
  const makePool = usePools(db)

  beforeEach(async () => {
    await db.pool.query(`DROP TABLE IF EXISTS log, bad, pg_batch_checkpoint;
      CREATE TABLE log (place bigserial, part text, line bigint, n int CHECK (n >= 0))`)
  })

  const make = (extra: object = {}) =>
    new PgBatchWritable<Row>({
      pool: makePool().pool,
      table: 'log',
      columns: ['part', 'line', 'n'],
      checkpoint: { name: 'log', position },
      ...extra,
    })
  const lines = (count: number, from = 0, part = 'a') =>
    rowsOf(count, (line): Row => ({ part, line, n: line }), from)
  const stored = () => valuesOf(db.pool, 'SELECT part, line::int FROM log ORDER BY place')
  const expectOnce = async (count: number) =>
    expect(
      await valuesOf(db.pool, 'SELECT count(*)::int, count(DISTINCT (part, line))::int FROM log'),
    ).to.deep.equal([[count, count]])

  for (const way of METHODS) {
    it(`skips what is committed already, whole batches and parts of them, by ${way.title}`, async () => {
      await load(batchesOf(lines(150), 40), make(options(way)))
      const again = make(options(way))
      await load(batchesOf(lines(300), 70), again)
      expect(again.stats).to.include({ rowsCommitted: 150, rowsSkipped: 150 })
      await expectOnce(300)
      expect(await readCheckpoint(db.pool, 'log')).to.deep.equal(new Map([['a', 299n]]))
    })

    it(`keeps rejected rows, rows and offset in one commit, by ${way.title}`, async () => {
      const rows = lines(100).map(row => (row.line % 10 === 3 ? { ...row, n: -1 } : row))
      const extra = { ...options(way), rejectLimit: 10, deadLetter: { table: 'bad' } }
      await load([rows], make(extra))
      const again = make(extra)
      expect(await load([rows], again)).to.deep.equal([])
      expect(again.stats).to.include({ rowsSkipped: 100 })
      await expectOnce(90)
      expect(
        await valuesOf(db.pool, 'SELECT source_partition, source_offset::int FROM bad ORDER BY 2'),
      ).to.deep.equal(rowsOf(10, index => ['a', index * 10 + 3]))
      await failureOf(
        load(
          [
            [
              { part: 'a', line: 100 },
              { part: 'a', line: 101, n: -1 },
            ],
          ],
          make({ ...extra, rejectLimit: 0 }),
        ),
      )
      expect(await readCheckpoint(db.pool, 'log')).to.deep.equal(new Map([['a', 99n]]))
      expect(await countOf(db.pool, 'bad')).to.equal(10)
    })
  }

  it('skips an item that was rejected before and comes again, though the budget is used up', async () => {
    const items = [
      { part: 'a', line: 0 },
      { part: 'a', line: 1, unknown: 1 },
      { part: 'a', line: 2 },
    ] as Row[]
    await load([items], make({ rejectLimit: 1 }))
    for (const rejectLimit of [0, 1]) {
      const again = make({ rejectLimit })
      expect(await load([items, lines(1, 3 + rejectLimit)], again)).to.deep.equal([])
      expect(again.stats).to.include({ rowsSkipped: 3, rowsCommitted: 1 })
    }
    expect(await failureOf(load([[{ part: 'a', line: 9, unknown: 1 } as Row]], make()))).to.include({
      code: 'ROW_INVALID',
    })
  })

  it('takes gaps, drops duplicates within a batch and across batches, and lets nothing go back', async () => {
    const at = (...all: number[]) => all.map((line): Row => ({ part: 'a', line }))
    const writable = make()
    await load([at(3, 3, 10), at(10, 11, 7, 50), at(50)], writable)
    expect(await stored()).to.deep.equal([3, 10, 11, 50].map(line => ['a', line]))
    expect(writable.stats).to.include({ rowsCommitted: 4, rowsSkipped: 4 })
  })

  it('keeps partitions apart, each in order at concurrency 3', async () => {
    const parts = ['a', 'b', 'c', 'd', 'e']
    const rows = rowsOf(2000, (index): Row => ({ part: parts[(index * 7) % 5]!, line: index }))
    await load(batchesOf(rows, 90), make({ concurrency: 3 }))
    await load(batchesOf(rows, 70), make({ concurrency: 3 }))
    await expectOnce(2000)
    const wrong = `SELECT count(*)::int FROM (SELECT line < lag(line) OVER (PARTITION BY part ORDER BY place) AS bad FROM log) x WHERE bad`
    expect(await valuesOf(db.pool, wrong)).to.deep.equal([[0]])
    const last = await readCheckpoint(db.pool, 'log')
    expect([...last.keys()].sort()).to.deep.equal(parts)
    expect(Math.max(...[...last.values()].map(Number))).to.equal(1999)
  })

  it('gives inTransaction the fresh items only, and afterCommit whole batches', async () => {
    await load([lines(5)], make())
    const inside: number[][] = []
    const after: number[][] = []
    await load(
      [lines(3), lines(5, 3), lines(4, 1)],
      make({
        inTransaction: (_client: PgClientLike, items: Row[]) =>
          void inside.push(items.map(({ line }) => line)),
        afterCommit: (items: Row[]) => void after.push(items.map(({ line }) => line)),
      }),
    )
    expect(inside).to.deep.equal([[5, 6, 7]])
    expect(after).to.deep.equal([
      [0, 1, 2],
      [3, 4, 5, 6, 7],
      [1, 2, 3, 4],
    ])
    await expectOnce(8)
  })

  it('takes offsets up to the largest bigint, exactly', async () => {
    const last = 2n ** 63n - 1n
    const load3 = (offsets: bigint[]) =>
      load(
        [offsets.map(offset => ({ offset }))],
        new PgBatchWritable<{ offset: bigint }, object>({
          pool: makePool().pool,
          table: 'log',
          toRow: ({ offset }) => ({ line: offset }),
          checkpoint: { name: 'big', position: item => item },
        }),
      )
    await load3([last - 2n, last - 1n])
    await load3([last - 1n, last])
    expect(await valuesOf(db.pool, 'SELECT line::text FROM log ORDER BY line')).to.deep.equal(
      [last - 2n, last - 1n, last].map(line => [String(line)]),
    )
    expect(await readCheckpoint(db.pool, 'big')).to.deep.equal(new Map([['', last]]))
    const error = await failureOf(load3([last + 1n]))
    expect(error).to.include({ code: 'CALLBACK_FAILED' })
    expect((error.cause as Error).message).to.contain('checkpoint.position')
  })

  it('names the table of positions that cannot be created', async () => {
    const writable = make({ checkpoint: { name: 'log', table: 'nowhere.progress', position } })
    expect(await failureOf(load([lines(3)], writable))).to.include({
      code: 'REFUSED',
      outcome: 'not-sent',
      reason:
        '"nowhere"."progress" does not exist and cannot be created: schema "nowhere" does not exist (SQLSTATE 3F000)',
    })
  })

  for (const [option, options] of [
    ['checkpoint.table', { checkpoint: { name: 'log', table: 'log', position } }],
    ['deadLetter.table', { deadLetter: { table: 'log' }, rejectLimit: 1 }],
  ] as const) {
    it(`names the columns that a table lacks which ${option} names by mistake`, async () => {
      const error = await failureOf(load([lines(3)], make(options)))
      expect(error).to.include({ code: 'REFUSED', outcome: 'not-sent' })
      expect(error.message).to.match(
        new RegExp(`^\`${option}\`: "log" is another table, without the columns [a-z_]+, .*: name one`),
      )
    })
  }

  const NONSENSE: readonly [title: string, position: () => unknown, got?: string][] = [
    [
      'throws',
      () => {
        throw new Error('where am I?')
      },
    ],
    ['returns nothing', () => undefined],
    ['returns null', () => null],
    ['returns no offset', () => ({ partition: 'a' })],
    ['returns text as the offset', () => ({ offset: '5' }), '{ offset: a string }'],
    ['returns a fraction', () => ({ offset: 0.5 }), '{ offset: a number }'],
    ['returns a negative offset', () => ({ offset: -1 })],
    ['returns an offset that is not exact', () => ({ offset: 2 ** 60 })],
    ['returns NaN', () => ({ offset: Number.NaN })],
    ['returns a number as the partition', () => ({ partition: 3, offset: 1 }), '{ partition: a number, '],
    ['returns a Promise', async () => ({ offset: 1 }), 'it has to be synchronous'],
  ]
  for (const [title, wrong, got = ''] of NONSENSE) {
    it(`fails clearly, and writes nothing, when position ${title}`, async () => {
      for (const concurrency of [1, 2]) {
        const writable = make({ checkpoint: { name: 'log', position: wrong }, concurrency, rejectLimit: 100 })
        const error = await failureOf(load([lines(3)], writable))
        expect(error).to.include({ code: 'CALLBACK_FAILED', retryable: false, batchId: 1 })
        expect(error.message).to.include(got)
        expect(error.message).to.match(
          /`checkpoint\.position` (failed: Error at|to return \{ partition\?|returned a P)/,
        )
        expect((error.cause as Error).message).to.match(
          /where am I|`checkpoint.position` (to return|returned a P)/,
        )
        expect(await countOf(db.pool, 'log')).to.equal(0)
      }
    })
  }

  it('is not locked by upserts of two lanes that hold locks of keys already', async () => {
    await db.pool.query('CREATE UNIQUE INDEX ON log (n)')
    const parts = ['a', 'b', 'c', 'd']
    const first = parts.map(part => lines(10, 0, part))
    const batches = rowsOf(40, n => lines(10, 10 + 10 * n, parts[n % 4]!))
    const writable = make({
      concurrency: 2,
      method: 'insert',
      onConflict: { target: ['n'], action: 'update' },
    })
    await load([...first, ...batches], writable)
    // one transaction for each batch: a statement that follows another's locks could deadlock
    expect(writable.stats.transactions).to.equal(44)
  })

  it('advances over items that are skipped or rejected, too', async () => {
    const toRow = (row: Row) => (row.line === 2 ? null : row)
    await load([lines(3)], make({ toRow }))
    expect(await readCheckpoint(db.pool, 'log')).to.deep.equal(new Map([['a', 2n]]))
    const all = make({ toRow, rejectLimit: 5 })
    await load([[{ part: 'a', line: 3, n: -1 }]], all)
    expect(all.stats).to.include({ rowsCommitted: 0, rowsRejected: 1 })
    expect(await readCheckpoint(db.pool, 'log')).to.deep.equal(new Map([['a', 3n]]))
  })
})
