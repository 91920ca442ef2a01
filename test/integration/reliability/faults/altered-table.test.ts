import { expect } from 'chai'
import { PgBatchWritable } from '../../../../lib/writable/pg-batch-writable.ts'
import { aroundThePooler } from '../../../support/servers/around-pooler.ts'
import { useDatabase } from '../../../support/servers/database.ts'
import { lockTable, untilBlocked, usePools } from '../../../support/servers/pools.ts'
import { batchesOf, failureOf, rowsOf, valuesOf } from '../../../support/writing.ts'
import { rejectedBy } from '../load.ts'

/** Types whose binary forms are as long as those of the column's first type, and longer, and shorter. */
const CHANGES: readonly [from: string, to: string][] = [
  ['int8', 'float8'],
  ['int4', 'float4'],
  ['int4', 'int8'],
  ['int8', 'int4'],
  ['int4', 'text'],
]

const LIMITS = [0, Number.POSITIVE_INFINITY]

type Row = Record<string, unknown>

describe('a table that is altered under a stream', function () {
  this.timeout(60_000)
  const db = useDatabase()
  const makePool = usePools(db)
  const rows = rowsOf(150, id => ({ id, n: 5 }))

  /** A stream that has committed one batch. */
  async function started(options: object, first: Row[] = rows) {
    const { pool, name } = makePool()
    const writable = new PgBatchWritable<Row>({ pool, table: 't', ...options })
    const rejected = rejectedBy(writable)
    const done = new Promise((resolve, reject) => writable.on('error', reject).on('finish', resolve))
    done.catch(() => {}) // each test waits for it in its own time
    writable.write(first)
    await new Promise((resolve, reject) => writable.once('commit', resolve).once('error', reject))
    return { writable, rejected, done, name }
  }

  const recreate = (columns: string) => db.pool.query(`DROP TABLE IF EXISTS t; CREATE TABLE t (${columns})`)

  for (const [from, to] of CHANGES) {
    for (const rejectLimit of LIMITS) {
      for (const upsert of [false, true]) {
        it(`continues with ${to} in place of ${from}, ${upsert ? 'by upsert' : 'by COPY'}, ${rejectLimit} rejects allowed`, async () => {
          await recreate(`id int PRIMARY KEY, n ${from}`)
          const { writable, rejected, done } = await started({
            rejectLimit,
            ...(upsert ? { onConflict: { target: ['id'], action: 'update' } } : {}),
          })
          await db.pool.query(`ALTER TABLE t ALTER n TYPE ${to}`)
          for (const batch of batchesOf(
            rowsOf(1500, id => ({ id, n: 5 }), 150),
            150,
          ))
            writable.write(batch)
          writable.end()
          await done
          expect(rejected).to.deep.equal([])
          expect(
            await valuesOf(db.pool, 'SELECT count(*)::int, min(n::int), max(n::int) FROM t'),
          ).to.deep.equal([[1650, 5, 5]])
        })
      }
    }
  }

  for (const isolation of ['read committed', 'repeatable read', 'serializable']) {
    it(`continues where the change was waiting for its lock when the transaction began: ${isolation}`, async () => {
      await recreate('id int PRIMARY KEY, n int8')
      const { pool, name } = makePool({
        connectionString: aroundThePooler(db, 'a setting of the session'),
        options: `-c default_transaction_isolation=${isolation.replace(' ', '\\ ')}`,
      })
      const { writable, done } = await started({ pool })
      const unlock = await lockTable(db, 't')
      const other = makePool()
      const changing = other.pool.query('ALTER TABLE t ALTER n TYPE float8')
      try {
        await untilBlocked(db, other.name)
        for (const batch of batchesOf(
          rowsOf(600, id => ({ id, n: 5 }), 150),
          150,
        ))
          writable.write(batch)
        await untilBlocked(db, name)
      } finally {
        await unlock()
      }
      await changing
      writable.end()
      await done
      expect(await valuesOf(db.pool, 'SELECT count(*)::int FROM t WHERE n = 5')).to.deep.equal([[750]])
    })
  }

  it('rejects no good row for a type that was altered soon after the table was introspected', async () => {
    await recreate('id int PRIMARY KEY, n int4')
    const { writable, rejected, done } = await started({ rejectLimit: Infinity })
    const write = async (batch: Row[]): Promise<void> => {
      const committed = new Promise(resolve => writable.once('commit', resolve))
      writable.write(batch)
      await Promise.race([committed, done])
    }
    await write([{ id: 1000, n: 'bad' }, ...rowsOf(10, id => ({ id, n: 5 }), 1001)])
    await db.pool.query('ALTER TABLE t ALTER n TYPE int8')
    await write(rowsOf(100, id => ({ id, n: 5 }), 2000))
    writable.end()
    await done
    expect(rejected.map(({ row }) => row)).to.deep.equal([{ id: 1000, n: 'bad' }])
    expect(await valuesOf(db.pool, 'SELECT count(*)::int FROM t WHERE n = 5')).to.deep.equal([[260]])
  })

  it('fails where a value does not suit the new type, and keeps no bytes of the old one', async () => {
    await recreate('id int PRIMARY KEY, n int8')
    const { writable, done } = await started({})
    await db.pool.query('ALTER TABLE t ALTER n TYPE bool USING true')
    writable.end(rowsOf(150, id => ({ id, n: 5 }), 150))
    expect(await failureOf(done)).to.include({ code: 'REFUSED', sqlState: '22P02', outcome: 'rolled-back' })
    expect(await valuesOf(db.pool, 'SELECT count(*)::int FROM t')).to.deep.equal([[150]])
  })

  const upsert = { onConflict: { target: ['id'], action: 'update' } }
  for (const [way, options] of Object.entries({
    'binary COPY': {},
    'text COPY': { copyFormat: 'text' },
    INSERT: { method: 'insert' },
    'an upsert by INSERT': { ...upsert, method: 'insert' },
    'an upsert by COPY': upsert,
  })) {
    it(`names a dropped column that all rows of a batch have, by ${way}`, async () => {
      await recreate('id int PRIMARY KEY, n int8, gone int')
      const { writable, done } = await started(options)
      await db.pool.query('ALTER TABLE t DROP gone')
      writable.end(rowsOf(150, id => ({ id, n: 5, gone: 1 }), 150))
      const change = '"gone" is missing'
      expect(await failureOf(done)).to.include({
        code: 'TABLE_CHANGED',
        reason: `The columns of "public"."t" have changed since these rows were encoded: ${change}. Start a new stream`,
        outcome: 'rolled-back',
      })
      expect(await valuesOf(db.pool, 'SELECT count(*)::int FROM t')).to.deep.equal([[150]])
    })
  }

  for (const rejectLimit of LIMITS) {
    for (const method of ['auto', 'insert'] as const) {
      const options = { rejectLimit, method }
      describe(`by method ${method}, ${rejectLimit} rejects allowed`, () => {
        it('takes a column that is added', async () => {
          await recreate('id int, n int')
          const { writable, rejected, done } = await started(options)
          await db.pool.query('ALTER TABLE t ADD note text')
          writable.end([{ id: 150, n: 1, note: 'new' }, ...rowsOf(10, id => ({ id, n: 1 }))])
          await done
          expect(rejected).to.deep.equal([])
          expect(await valuesOf(db.pool, 'SELECT id FROM t WHERE note IS NOT NULL')).to.deep.equal([[150]])
          expect(writable.stats.rowsCommitted).to.equal(161)
        })

        it('takes two columns that are added one soon after the other', async () => {
          await recreate('id int, n int')
          const { writable, rejected, done } = await started(options)
          for (const name of ['a', 'b']) {
            await db.pool.query(`ALTER TABLE t ADD ${name} int`)
            const committed = new Promise(resolve => writable.once('commit', resolve))
            writable.write([{ id: 200, [name]: 1 }])
            await Promise.race([committed, done])
          }
          writable.end()
          await done
          expect(rejected).to.deep.equal([])
          expect(await valuesOf(db.pool, 'SELECT count(a)::int, count(b)::int FROM t')).to.deep.equal([
            [1, 1],
          ])
        })

        it('does without a column that is dropped, and takes one under its new name', async () => {
          await recreate('id int, n int, gone text, old text')
          const { writable, rejected, done } = await started(options)
          await db.pool.query('ALTER TABLE t DROP gone, ADD extra int; ALTER TABLE t RENAME old TO new')
          writable.end([...rowsOf(20, id => ({ id, new: 'x' }), 150)])
          await done
          expect(rejected).to.deep.equal([])
          expect(await valuesOf(db.pool, "SELECT count(*)::int FROM t WHERE new = 'x'")).to.deep.equal([[20]])
        })

        it('writes DEFAULT where a column has become NOT NULL with one', async () => {
          await recreate('id int, n int, kind text')
          const { writable, rejected, done } = await started(options)
          await db.pool.query(
            "UPDATE t SET kind = ''; ALTER TABLE t ALTER kind SET DEFAULT 'd', ALTER kind SET NOT NULL",
          )
          writable.end(rowsOf(20, id => ({ id, n: 1 }), 150))
          await done
          expect(rejected).to.deep.equal([])
          expect(await valuesOf(db.pool, "SELECT count(*)::int FROM t WHERE kind = 'd'")).to.deep.equal([
            [20],
          ])
        })

        it('takes a label that is added to an enum', async () => {
          await recreate('id int, n int')
          await db.pool.query(
            "DROP TYPE IF EXISTS mood; CREATE TYPE mood AS ENUM ('old'); ALTER TABLE t ADD m mood",
          )
          const { writable, rejected, done } = await started(options)
          await db.pool.query("ALTER TYPE mood ADD VALUE 'new'")
          writable.end([{ id: 150, m: 'new' }])
          await done
          expect(rejected).to.deep.equal([])
          await db.pool.query('DROP TABLE t; DROP TYPE mood')
        })
      })
    }
  }

  it('takes a column that is added while several lanes work, and calls toRow once for each item', async () => {
    await recreate('id int, n int')
    let calls = 0
    const toRow = (item: Row): Row => {
      calls++
      return { ...item }
    }
    const { writable, rejected, done } = await started({ concurrency: 4, toRow, rejectLimit: 10 })
    await db.pool.query('ALTER TABLE t ADD note text')
    for (const batch of batchesOf(
      rowsOf(4000, id => ({ id, n: 1, note: 'x' })),
      100,
    ))
      writable.write(batch)
    writable.end()
    await done
    expect(rejected).to.deep.equal([])
    expect(calls).to.equal(4150)
    expect(await valuesOf(db.pool, 'SELECT count(note)::int FROM t')).to.deep.equal([[4000]])
  })

  it('works with a pool of one connection', async () => {
    await recreate('id int, n int')
    const { pool } = makePool({ max: 1 })
    const { writable, done } = await started({ pool, inTransaction: () => {} })
    await db.pool.query('ALTER TABLE t ADD note text')
    for (const id of [1, 2, 3])
      writable.write([
        { id, n: 1 },
        { id, note: 'x' },
      ])
    writable.end()
    await done
    expect(await valuesOf(db.pool, 'SELECT count(note)::int FROM t')).to.deep.equal([[3]])
  })

  it('rejects what stays unknown, and asks the catalogue at most every other second', async () => {
    await recreate('id int, n int')
    const { pool } = makePool()
    let asked = 0
    pool.on('connect', client => {
      const query = client.query.bind(client) as (...args: unknown[]) => unknown
      client.query = ((...args: unknown[]) => {
        if (JSON.stringify(args[0])?.includes('WITH RECURSIVE target')) asked++
        return query(...args)
      }) as typeof client.query
    })
    const { writable, rejected, done } = await started({ pool, rejectLimit: 1000 })
    for (let id = 0; id < 100; id++)
      writable.write([
        { id, n: 1 },
        { id, stray: 1 },
      ])
    writable.end()
    await done
    expect(rejected.length).to.equal(100)
    expect(rejected[0]!.error).to.include({ code: 'ROW_INVALID', column: 'stray' })
    expect(asked).to.be.at.least(2).and.at.most(3)
  })

  it('takes no columns beyond those that were named', async () => {
    await recreate('id int, n int')
    const { writable, done } = await started({ columns: ['id', 'n'] })
    await db.pool.query('ALTER TABLE t ADD note text')
    writable.end([{ id: 1, note: 'x' }])
    expect(await failureOf(done)).to.include({ code: 'ROW_INVALID', column: 'note' })
  })
})
