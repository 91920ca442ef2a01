import { expect } from 'chai'
import type { EvolveEvent } from '../../../lib/writable/events.ts'
import { PgBatchWritable } from '../../../lib/writable/pg-batch-writable.ts'
import { useDatabase } from '../../support/servers/database.ts'
import { usePools } from '../../support/servers/pools.ts'
import { failureOf, METHODS, options, slug, valuesOf } from '../../support/writing.ts'
import { rejectedBy } from '../reliability/load.ts'

type Row = Record<string, unknown>

describe('evolve.widenTypes', function () {
  this.timeout(60_000)
  const db = useDatabase()
  const makePool = usePools(db)

  const typesOf = async (table: string): Promise<string[]> =>
    (
      await valuesOf(
        db.pool,
        `SELECT format_type(atttypid, atttypmod) FROM pg_attribute
         WHERE attrelid = '${table}'::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum`,
      )
    ).flat() as string[]

  async function writeAll(table: string, batches: readonly Row[][], more: object = {}) {
    const { pool } = makePool()
    const writable = new PgBatchWritable<Row>({ pool, table, evolve: { widenTypes: true }, ...more })
    const events: EvolveEvent[] = []
    writable.on('evolve', event => events.push(event))
    const rejected = rejectedBy(writable)
    const done = new Promise<void>((resolve, reject) => writable.on('error', reject).on('finish', resolve))
    for (const batch of batches) writable.write(batch)
    writable.end()
    await done
    return { events, rejected, transactions: writable.stats.transactions }
  }

  const create = (table: string, columns: string) =>
    db.pool.query(`DROP TABLE IF EXISTS ${table} CASCADE; CREATE TABLE ${table} (${columns})`)

  const CASES: readonly [from: string, values: unknown[], to: string][] = [
    ['smallint', [1, 40_000], 'integer'],
    ['integer', [1, 2 ** 31], 'bigint'],
    ['integer', ['1', '-2147483649'], 'bigint'],
    ['integer', [1, 3.5], 'numeric'],
    ['integer', [2n ** 64n, 2 ** 40], 'numeric'],
    ['bigint', [1, '9223372036854775808'], 'numeric'],
    ['bigint', [1, 1e300], 'numeric'],
    ['numeric(5,2)', [1.5, 12_345.67], 'numeric(7,2)'],
    ['numeric(3,1)', ['99.94', '99.96'], 'numeric(4,1)'],
    ['character varying(3)', ['abc', 'abcd'], 'character varying(6)'],
    ['character varying(3)', ['abc   ', '😀😀😀', 'a'.repeat(20)], 'character varying(24)'],
  ]
  for (const way of METHODS.filter(({ title }) => title !== 'binary COPY')) {
    for (const [from, values, to] of CASES) {
      it(`widens ${from} to ${to} for ${values.map(String).join(', ').slice(0, 40)}, by ${way.title}`, async () => {
        const table = `w_${slug(way.title)}`
        await create(table, `id int, v ${from} NOT NULL`)
        const rows = values.map((v, id) => ({ id, v }))
        const { events } = await writeAll(table, [rows], options(way))
        expect(await typesOf(table)).to.deep.equal(['integer', to])
        expect(events.map(({ added, widened }) => ({ added, widened }))).to.deep.equal([
          { added: [], widened: [{ name: 'v', from, to }] },
        ])
        expect(events[0]!.sql).to.equal(`ALTER TABLE "public"."${table}" ALTER COLUMN "v" TYPE ${to}`)
        expect(await valuesOf(db.pool, `SELECT count(*)::int FROM ${table}`)).to.deep.equal([[values.length]])
        const { rows: nullable } = await db.pool.query(
          `SELECT attnotnull FROM pg_attribute WHERE attrelid = '${table}'::regclass AND attname = 'v'`,
        )
        expect(nullable).to.deep.equal([{ attnotnull: true }])
      })
    }
  }

  // the first batches have left as bytes, and nothing else of them is held, when the server refuses the last
  for (const copyFormat of ['auto', 'text'] as const) {
    it(`writes the bytes that it holds of earlier batches into the wider columns, ${copyFormat}`, async () => {
      await create(
        'held',
        `id int, s2 smallint, i4 int, i8 bigint, s varchar(5), n numeric(6,2), at timestamptz,
         more text DEFAULT 'by default', odd int[]`,
      )
      const row = (id: number) => ({
        id,
        s2: id % 7 ? -id : null,
        i4: id - 2000,
        i8: BigInt(id) - 2n ** 40n,
        s: id % 3 ? 'a\tö' : null,
        n: id % 5 ? `-${id}.25` : '0.01',
        at: new Date(id * 1000),
        odd: [id, null],
      })
      const batches = Array.from({ length: 6 }, (_, batch) =>
        Array.from({ length: 500 }, (_, index) => row(batch * 500 + index)),
      )
      const last = { ...row(5000), s2: 40_000, i4: 2 ** 40, i8: '9223372036854775808' }
      batches.at(-1)!.push({ ...last, s: 'a\t\\\nöx', n: '-12345.99' } as never)
      const { events } = await writeAll('held', batches, { copyFormat })
      expect(await typesOf('held')).to.deep.equal(
        ['integer', 'integer', 'bigint', 'numeric', 'character varying(10)', 'numeric(7,2)'].concat([
          'timestamp with time zone',
          'text',
          'integer[]',
        ]),
      )
      expect(events.length).to.be.greaterThan(0)
      const { rows } = await db.pool.query(
        `SELECT id, s2, i4, i8, s, n, at, odd FROM held WHERE more = 'by default' ORDER BY id`,
      )
      expect(rows).to.have.lengthOf(3001)
      for (const [index, stored] of rows.slice(0, -1).entries()) {
        const { i4, i8, n, ...rest } = row(index)
        expect(stored).to.deep.equal({ ...rest, i4: String(i4), i8: String(i8), n })
      }
    })
  }

  it('writes the bytes that it holds of rows of several shapes when another session has added columns', async () => {
    await create('mixed', "id int PRIMARY KEY, v smallint, a text DEFAULT 'a', b int DEFAULT 7")
    const brings: Row[] = [{}, { a: null }, { b: 1 }, { a: '\\D', b: 2 }]
    const batches = [0, 1].map(batch =>
      Array.from({ length: 120 }, (_, i) => ({ id: batch * 120 + i, v: 1, ...brings[i % 4] })),
    )
    let begun = 0
    const onBegin = async (): Promise<void> => {
      // the first COPY, the ALTER TABLE of the stream, and then the second COPY
      if (++begun === 2) await db.pool.query("ALTER TABLE mixed ADD c text, ADD d text DEFAULT 'd'")
    }
    const { transactions } = await writeAll('mixed', [...batches, [{ id: 240, v: 40_000 }]], { onBegin })
    expect(transactions).to.equal(1) // the plan with the new columns has written all of them together
    const stored = await valuesOf(
      db.pool,
      'SELECT id % 4, a, b, c, d, count(*)::int FROM mixed GROUP BY 1, 2, 3, 4, 5 ORDER BY 1',
    )
    expect(stored).to.deep.equal([
      [0, 'a', 7, null, 'd', 61],
      [1, null, 7, null, 'd', 60],
      [2, 'a', 1, null, 'd', 60],
      [3, '\\D', 2, null, 'd', 60],
    ])
  })

  it('fails where the bytes that it holds do not suit what another session has made of a column', async () => {
    await create('foreign_type', 'id int, v smallint')
    let begun = 0
    const onBegin = async (): Promise<void> => {
      // the first COPY, the ALTER TABLE of the stream, and then the second COPY
      if (++begun === 3) await db.pool.query('ALTER TABLE foreign_type ALTER id TYPE text')
    }
    const batches = [1, 2, 3].map(id => [{ id, v: 1 }])
    const error = await failureOf(writeAll('foreign_type', [...batches, [{ id: 4, v: 40_000 }]], { onBegin }))
    expect([error.code, error.outcome]).to.deep.equal(['TABLE_CHANGED', 'rolled-back'])
    expect(await valuesOf(db.pool, 'SELECT count(*)::int FROM foreign_type')).to.deep.equal([[0]])
  })

  it('widens a column that it has added, as later values need it', async () => {
    await create('grown', 'id int PRIMARY KEY')
    const { events } = await writeAll(
      'grown',
      [[{ id: 1, v: 1 }], [{ id: 2, v: 2 ** 40 }], [{ id: 3, v: 3.5 }]],
      {
        onConflict: { target: ['id'], action: 'update' },
      },
    )
    expect(await typesOf('grown')).to.deep.equal(['integer', 'numeric'])
    expect(await valuesOf(db.pool, 'SELECT v::text FROM grown ORDER BY id')).to.deep.equal([
      ['1'],
      ['1099511627776'],
      ['3.5'],
    ])
    // batches that share a statement are widened for together
    expect(events[0]!.added.map(({ name, type }) => [name, type])).to.deep.equal([['v', 'integer']])
    expect(events.slice(1).map(({ added }) => added.length)).to.not.include(1)
    expect(events.at(-1)!.widened.map(({ name, to }) => [name, to])).to.deep.equal([['v', 'numeric']])
  })

  it('rejects the value instead where only addColumns is asked for', async () => {
    await create('kept', 'id int')
    const { rejected } = await writeAll('kept', [[{ id: 1, v: 1 }], [{ id: 2, v: 3.5 }]], {
      evolve: true,
      rejectLimit: 1,
    })
    expect(await typesOf('kept')).to.deep.equal(['integer', 'integer'])
    expect(rejected.map(({ error }) => [error.column, error.sqlState])).to.deep.equal([['v', '22P02']])
  })

  it('widens for the good values of a batch, and rejects the others', async () => {
    await create('mixed', 'id int PRIMARY KEY, v int, s varchar(2), d date')
    const { rejected, events } = await writeAll(
      'mixed',
      [
        [
          { id: 1, v: 2 ** 33, s: 'abc', d: '2026-01-01' },
          { id: 2, v: 'many', s: 'a' },
          { id: 3, v: 1, d: 'yesterday-ish' },
          { id: 1, v: 5 },
          { id: 4, v: Number.NaN },
        ],
      ],
      { rejectLimit: 10 },
    )
    expect(rejected.map(({ index }) => index)).to.deep.equal([1, 2, 3, 4])
    expect(await typesOf('mixed')).to.deep.equal(['integer', 'bigint', 'character varying(4)', 'date'])
    expect(events).to.have.lengthOf(1)
    expect(await valuesOf(db.pool, 'SELECT id, v, s FROM mixed')).to.deep.equal([[1, '8589934592', 'abc']])
  })

  it('rejects the row where the column cannot be altered; without rejects it fails with the statement', async () => {
    await create('viewed', 'id int, v int')
    await db.pool.query('CREATE VIEW viewing AS SELECT v FROM viewed')
    const rows = [
      { id: 1, v: 1 },
      { id: 2, v: 2 ** 33 },
    ]
    const { rejected } = await writeAll('viewed', [rows], { rejectLimit: 5 })
    expect(rejected.map(({ error }) => [error.column, error.sqlState])).to.deep.equal([['v', '22003']])
    const error = await failureOf(writeAll('viewed', [rows]))
    expect(error.sqlState).to.equal('0A000')
    expect(error.outcome).to.equal('rolled-back')
    expect(error.message).to.include('ALTER TABLE "public"."viewed" ALTER COLUMN "v" TYPE bigint')
    expect(await typesOf('viewed')).to.deep.equal(['integer', 'integer'])
  })

  it('widens the other columns where one cannot be altered', async () => {
    await create('partly', 'v int, other smallint, last int')
    await db.pool.query('CREATE VIEW of_partly AS SELECT v, last FROM partly')
    const rows = [
      { v: 2 ** 33, other: 1, last: 1 },
      { v: 1, other: 70_000, last: 2 },
      { v: 1, other: 1, last: 2 ** 33 },
    ]
    const { rejected, events } = await writeAll('partly', [rows], { rejectLimit: 5 })
    expect(rejected.map(({ error }) => error.column)).to.deep.equal(['v', 'last'])
    expect(events.flatMap(({ widened }) => widened.map(({ name }) => name))).to.deep.equal(['other'])
    expect(await typesOf('partly')).to.deep.equal(['integer', 'integer', 'integer'])
    expect(await valuesOf(db.pool, 'SELECT other FROM partly')).to.deep.equal([[70_000]])
  })

  it('works with columns and with unknownKeys ignore where no column may be added', async () => {
    await create('named', 'id int, v smallint')
    await writeAll('named', [[{ id: 1, v: 2 ** 40, more: 1 }]], {
      evolve: { addColumns: false, widenTypes: true },
      columns: ['id', 'v'],
      unknownKeys: 'ignore',
    })
    expect(await typesOf('named')).to.deep.equal(['integer', 'bigint'])
  })

  it('continues where another session has widened the column', async () => {
    await create('widened', 'id int, v int')
    const { pool } = makePool()
    const writable = new PgBatchWritable<Row>({ pool, table: 'widened', evolve: { widenTypes: true } })
    const events: EvolveEvent[] = []
    writable.on('evolve', event => events.push(event))
    const done = new Promise<void>((resolve, reject) => writable.on('error', reject).on('finish', resolve))
    writable.write([{ id: 1, v: 1 }])
    await new Promise(resolve => writable.once('commit', resolve))
    await db.pool.query('ALTER TABLE widened ALTER v TYPE numeric')
    writable.end([
      { id: 2, v: 2 ** 40 },
      { id: 3, v: 2.5 },
    ])
    await done
    expect(events).to.deep.equal([])
    expect(await valuesOf(db.pool, 'SELECT sum(v)::text FROM widened')).to.deep.equal([['1099511627779.5']])
  })
})
