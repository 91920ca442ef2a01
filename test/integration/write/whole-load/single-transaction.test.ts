import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect } from 'chai'
import type { RejectedRow } from '../../../../lib/write/rejects/dead-letter.ts'
import { until } from '../../../support/until.ts'
import {
  batchesOf,
  countOf,
  failureOf,
  METHODS,
  options,
  rowsOf,
  valuesOf,
  write,
} from '../../../support/writing.ts'
import { ROWS, type Row, SIZE, useSingleTransaction } from './single-transactions.ts'

describe('singleTransaction', () => {
  const { db, rows, stored, openSink } = useSingleTransaction()

  for (const way of METHODS) {
    it(`commits everything at once by ${way.title}, and shows nothing before`, async () => {
      const seen = new Set<number>()
      const { sink } = openSink(options(way))
      const commits: number[] = []
      sink.on('commit', ({ rows }) => commits.push(rows))
      await pipeline(async function* () {
        for (const batch of batchesOf(rows(), SIZE)) {
          yield batch
          seen.add(await countOf(db.pool, 't')).add(sink.stats.rowsCommitted)
        }
      }, sink)
      expect([...seen]).to.deep.equal([0])
      expect(commits).to.deep.equal([ROWS])
      expect(await stored()).to.deep.equal(rows().map(({ id, note }) => [id, note]))
      expect(sink.stats).to.include({ rowsCommitted: ROWS, batchesCommitted: ROWS / SIZE, transactions: 1 })
    })

    it(`leaves nothing by ${way.title} when a row of the last batch is refused`, async () => {
      const bad = rows()
      bad[ROWS - 3]!.id = 1
      const { sink } = openSink(options(way))
      const error = await failureOf(pipeline(Readable.from(batchesOf(bad, SIZE)), sink))
      expect(error).to.include({ code: 'REFUSED', sqlState: '23505', outcome: 'rolled-back' })
      if (way.method !== 'insert') expect(error).to.include({ batchId: ROWS / SIZE, rowIndex: SIZE - 3 })
      expect(await countOf(db.pool, 't')).to.equal(0)
      expect(sink.stats).to.include({ rowsCommitted: 0, transactions: 0, rowsPending: ROWS })
    })
  }

  it('judges foreign keys within the input at its end: rows may refer to later batches', async () => {
    const children = rowsOf(2000, (id): Row => ({ id, note: null, parent: id < 1999 ? id + 1 : null }))
    // a value without a binary form, which would end a binary COPY
    const odd = children.map(row => ({ ...row, note: 'é'.repeat(row.id % 7) }))
    await write(batchesOf(odd, 100), { pool: db.pool, table: 't', singleTransaction: true })
    expect(await countOf(db.pool, 't WHERE parent IS NOT NULL')).to.equal(1999)
  })

  it('judges them so for rows of several shapes, too, where COPY has a marker of DEFAULT', async () => {
    await db.pool.query("ALTER TABLE t ALTER note SET DEFAULT 'none'")
    const [[version]] = (await valuesOf(db.pool, "SELECT current_setting('server_version_num')::int")) as [
      [number],
    ]
    // those of the first batches are of one shape
    const children = rowsOf(2000, (id): Row => {
      const row = { id, parent: id < 1999 ? id + 1 : null }
      return id < 300 || id % 2 === 0 ? { ...row, note: 'given' } : row
    })
    const load = write(batchesOf(children, 100), { pool: db.pool, table: 't', singleTransaction: true })
    if (version < 160_000) expect((await failureOf(load)).sqlState).to.equal('23503')
    else await load
    expect(await countOf(db.pool, "t WHERE note = 'none'")).to.equal(version < 160_000 ? 0 : 850)
  })

  it('rejects bad rows batch by batch, and keeps the rejects until COMMIT', async () => {
    const bad = rows(2000)
    for (const id of [3, 777, 1500]) bad[id]!.id = 2
    bad[1999] = { id: 1999, note: 'an orphan', parent: -1 }
    const rejected: RejectedRow[] = []
    let seen = 0
    const { sink } = openSink({ rejectLimit: 10, deadLetter: { table: 'rejects' } })
    sink.on('reject', reject => rejected.push(reject))
    await pipeline(async function* () {
      for (const batch of batchesOf(bad, 100)) {
        yield batch
        seen += rejected.length
      }
    }, sink)
    expect(seen).to.equal(0)
    expect(rejected.map(({ batchId, index }) => (batchId - 1) * 100 + index)).to.deep.equal([
      3, 777, 1500, 1999,
    ])
    expect(sink.stats).to.include({ rowsCommitted: 1996, rowsRejected: 4, transactions: 1 })
    expect([await countOf(db.pool, 't'), await countOf(db.pool, 'rejects')]).to.deep.equal([1996, 4])
  })

  it('rejects no row whose parent comes in a later batch', async () => {
    const children = rowsOf(1000, (id): Row => ({ id, note: null, parent: id < 999 ? id + 1 : null }))
    children[450]!.parent = -1
    children[700]!.id = 5000
    const rejected: number[] = []
    const { sink } = openSink({ rejectLimit: 1000 })
    sink.on('reject', ({ batchId, index }) => rejected.push((batchId - 1) * 100 + index))
    await pipeline(Readable.from(batchesOf(children, 100)), sink)
    // rows 0 to 449 lead to row 450, and rows 451 to 699 to a key that is missing
    expect(await valuesOf(db.pool, 'SELECT min(id), count(*)::int FROM t')).to.deep.equal([[701, 300]])
    expect(sink.stats).to.include({ rowsCommitted: 300, rowsRejected: 700 })
    expect(rejected).to.deep.equal(rowsOf(700, n => n))
  })

  it('leaves nothing, not even dead letters, when one row too many is bad', async () => {
    const bad = rows(2000)
    for (const id of [3, 777, 1500]) bad[id]!.id = 2
    const { sink } = openSink({ rejectLimit: 2, deadLetter: { table: 'rejects' } })
    const error = await failureOf(pipeline(Readable.from(batchesOf(bad, 100)), sink))
    expect(error).to.include({ sqlState: '23505', outcome: 'rolled-back', batchId: 16, rowIndex: 0 })
    expect([await countOf(db.pool, 't'), await countOf(db.pool, 'rejects')]).to.deep.equal([0, 0])
    expect(sink.stats.rowsRejected).to.equal(0)
  })

  for (const rejectLimit of [0, 5]) {
    for (const method of ['auto', 'copy', 'insert'] as const) {
      const title = `${method}${rejectLimit > 0 ? ', with rejects' : ''}`
      it(`upserts and deletes in the order of the input, by ${title}`, async () => {
        await db.pool.query("INSERT INTO t SELECT n, 'old' FROM generate_series(1, 300) n")
        interface Change extends Row {
          deletes?: boolean
        }
        const changes: Change[] = [
          ...rowsOf(200, (id): Change => ({ id, note: 'first' })),
          ...rowsOf(200, (id): Change => ({ id: id + 100, note: 'second' })),
          ...rowsOf(50, (id): Change => ({ id: id + 150, deletes: true })),
          { id: 160, note: 'again' },
        ]
        if (rejectLimit > 0) changes.push({ id: 1, note: 'an orphan', parent: -1 })
        const { stats } = await write(batchesOf(changes, 60), {
          pool: db.pool,
          table: 't',
          columns: ['id', 'note', 'parent'],
          unknownKeys: 'ignore',
          singleTransaction: true,
          method,
          rejectLimit,
          onConflict: { target: ['id'], action: 'update' },
          operation: ({ deletes }) => (deletes ? 'delete' : 'upsert'),
        })
        expect(stats).to.include({
          transactions: 1,
          rowsCommitted: 451,
          rowsRejected: Math.min(1, rejectLimit),
        })
        const notes = await valuesOf(db.pool, 'SELECT note, count(*)::int FROM t GROUP BY 1 ORDER BY 1')
        expect(notes).to.deep.equal([
          ['again', 1],
          ['first', 100],
          ['old', 1],
          ['second', 150],
        ])
      })
    }
  }

  it('merges an upsert of only some columns batch by batch, through one staging table', async () => {
    await db.pool.query("INSERT INTO t VALUES (1, 'old')")
    const batches = rowsOf(60, (n): Row[] => rowsOf(120, id => ({ id, note: `${n}`, parent: null })))
    await write(batches, {
      pool: db.pool,
      table: 't',
      singleTransaction: true,
      onConflict: { target: ['id'], action: 'update', update: ['parent'] },
    })
    const notes = await valuesOf(db.pool, 'SELECT note, count(*)::int FROM t GROUP BY 1 ORDER BY 1')
    expect(notes).to.deep.equal([
      ['0', 119],
      ['old', 1],
    ])
  })

  it('calls inTransaction for each batch after its rows, in the one transaction', async () => {
    await db.pool.query('CREATE TABLE counted (rows int, stored int)')
    const { sink } = openSink({
      inTransaction: async (client, batch) => {
        await client.query('INSERT INTO counted SELECT $1, count(*) FROM t', [batch.length])
      },
    })
    await pipeline(Readable.from(batchesOf(rows(250), 100)), sink)
    const counted = await valuesOf(
      db.pool,
      'SELECT rows, stored, xmin = (SELECT xmin FROM t LIMIT 1) FROM counted',
    )
    expect(counted).to.deep.equal([
      [100, 100, true],
      [100, 200, true],
      [50, 250, true],
    ])
  })

  it('writes nothing further after inTransaction has ended the transaction', async () => {
    const { sink } = openSink({
      inTransaction: async client => {
        await client.query('DO $$ BEGIN COMMIT; END $$').catch(() => {})
      },
    })
    const error = await failureOf(pipeline(Readable.from(batchesOf(rows(300), 100)), sink))
    expect(error.code).to.equal('CALLBACK_FAILED')
    expect(await countOf(db.pool, 't')).to.equal(0)
  })

  it('runs onBegin first, once', async () => {
    let begun = 0
    const { sink } = openSink({
      onBegin: async client => {
        begun++
        await client.query("SET LOCAL app.tenant = 'acme'")
      },
    })
    await db.pool.query("ALTER TABLE t ALTER note SET DEFAULT current_setting('app.tenant')")
    await pipeline(
      Readable.from(
        batchesOf(
          rowsOf(300, (id): Row => ({ id })),
          100,
        ),
      ),
      sink,
    )
    expect(await countOf(db.pool, "t WHERE note = 'acme'")).to.equal(300)
    expect(begun).to.equal(2) // the introspection, too
  })

  it('leaves nothing when it is destroyed', async () => {
    const aborting = new AbortController()
    const { sink } = openSink({ signal: aborting.signal })
    const failed = failureOf(
      pipeline(async function* () {
        for (const batch of batchesOf(rows(), SIZE)) yield batch
        aborting.abort()
      }, sink),
    )
    expect(await failed).to.include({ code: 'ABORTED' })
    expect(await countOf(db.pool, 't')).to.equal(0)
  })

  it('does not keep rows that it has sent', async () => {
    setFlagsFromString('--expose-gc')
    const collect = runInNewContext('gc') as () => void
    const { sink } = openSink()
    const held: WeakRef<Row>[] = []
    let left = Number.POSITIVE_INFINITY
    await pipeline(async function* () {
      for (let batch = 0; batch < 60; batch++) {
        const items = rowsOf(SIZE, (id): Row => ({ id: batch * SIZE + id, note: 'x' }))
        held.push(new WeakRef(items[7]!))
        yield items
      }
      await until('rows are dropped', async () => {
        collect()
        left = held.filter(ref => ref.deref()).length
        return left < 10
      })
    }, sink)
    expect(left).to.be.below(10)
    expect(await countOf(db.pool, 't')).to.equal(60 * SIZE)
  })

  it('writes an input without rows, and reports a missing table', async () => {
    const { sink } = openSink()
    await pipeline(Readable.from([]), sink)
    expect(sink.stats).to.include({ transactions: 0, state: 'ended' })
    const { sink: other } = openSink({ table: 'missing' })
    expect((await failureOf(pipeline(Readable.from([]), other))).code).to.equal('TABLE_NOT_FOUND')
  })
})
