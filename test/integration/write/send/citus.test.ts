import type { Writable } from 'node:stream'
import { expect } from 'chai'
import fc from 'fast-check'
import type pg from 'pg'
import { CsvRecord } from '../../../../lib/csv/record.ts'
import { PgBatchWritable } from '../../../../lib/writable/pg-batch-writable.ts'
import { WireParser } from '../../../support/network/wire.ts'
import { pretendCitus, pretendReferenceTable } from '../../../support/servers/citus.ts'
import { useDatabase } from '../../../support/servers/database.ts'
import { usePools } from '../../../support/servers/pools.ts'
import { thorough } from '../../../support/thorough.ts'
import { countOf, failureOf, METHODS, options, rowsOf, valuesOf, write } from '../../../support/writing.ts'
import { load } from '../../reliability/load.ts'

interface Change {
  op: 'upsert' | 'delete'
  row: { id: number; v?: number | null; note?: string }
}

/**
 * Statements that Citus refuses on distributed tables (0A000), and binary rows on their way to a merge
 * (22P02).
 */
const REFUSED_BY_CITUS = /FOR (NO KEY )?UPDATE|WITH pg_batch_rows/
const BINARY_STAGING = /COPY "pg_temp"[^;]*FORMAT binary/

/** Collects the text of every statement that a pool's clients send. */
function statementsOf(pool: pg.Pool): string[] {
  const texts: string[] = []
  pool.on('connect', client => {
    const { stream } = (client as unknown as { connection: { stream: Writable } }).connection
    const parser = new WireParser('up', false)
    const write = stream.write.bind(stream) as (...args: unknown[]) => boolean
    stream.write = ((bytes: Buffer, ...rest: unknown[]) => {
      for (const { name, text } of parser.take(bytes)) {
        if (name === 'Query' || name === 'Parse') texts.push(text)
      }
      return write(bytes, ...rest)
    }) as typeof stream.write
  })
  return texts
}

/** Makes errors of a COPY into `t` look as if a worker of Citus had refused it: XX000 with only a message. */
function hideSqlStatesOfCopy(
  pool: pg.Pool,
  { message, where }: { message?: string; where?: string } = {},
): void {
  pool.on('connect', client => {
    const { connection } = client as unknown as { connection: NodeJS.EventEmitter }
    connection.prependListener('errorMessage', (error: Record<string, unknown>) => {
      if (!/^COPY t,/.test(String(error.where))) return
      Object.assign(error, { code: 'XX000', routine: 'ReportCopyError' }, message ? { message } : {})
      for (const field of ['where', 'schema', 'table', 'column', 'constraint']) delete error[field]
      if (where) error.where = where
    })
  })
}

const id = fc.integer({ min: 1, max: 4 })
const v = fc.oneof(fc.integer({ min: 0, max: 99 }), fc.constant(null))
const deletion = id.map((id): Change => ({ op: 'delete', row: { id } }))
const KINDS: readonly [title: string, key: string, upsert: fc.Arbitrary<Change>][] = [
  ['whole rows', 'int', fc.record({ id, v }).map(row => ({ op: 'upsert', row }))],
  ['rows whose keys have several forms', 'numeric', fc.record({ id, v }).map(row => ({ op: 'upsert', row }))],
  [
    'rows of several shapes',
    'int',
    fc.record({ id, v }, { requiredKeys: ['id'] }).map(row => ({ op: 'upsert', row })),
  ],
]

/** What change after change leaves, and how many of them change something. */
function model(changes: readonly Change[]): { table: unknown[][]; changed: number } {
  const table = new Map<number, number | null>()
  let changed = 0
  for (const { op, row } of changes) {
    if (op === 'delete') changed += Number(table.delete(row.id))
    else if (row.v !== undefined || !table.has(row.id)) {
      table.set(row.id, row.v ?? null)
      changed++
    }
  }
  return { table: [...table].sort(([a], [b]) => a - b), changed }
}

describe('a table of Citus', () => {
  const db = useDatabase()
  const makePool = usePools(db)

  before(() => pretendCitus(db.pool))

  async function recreate(columns: string): Promise<void> {
    await db.pool.query(
      `DROP TABLE IF EXISTS t; TRUNCATE pg_catalog.pg_dist_partition; CREATE TABLE t (${columns})`,
    )
    await pretendReferenceTable(db.pool, 't')
  }

  for (const way of METHODS) {
    for (const [title, key, upsert] of KINDS) {
      it(`takes change events without locks by SELECT: ${title}, by ${way.title}`, async () => {
        await recreate(`id ${key} PRIMARY KEY, v int`)
        const { pool } = makePool()
        const statements = statementsOf(pool)
        const batches = fc.array(fc.array(fc.oneof(upsert, deletion), { minLength: 1, maxLength: 12 }), {
          minLength: 1,
          maxLength: 4,
        })
        await fc.assert(
          fc.asyncProperty(batches, async written => {
            await db.pool.query('TRUNCATE t')
            const { stats } = await write<Change, Change['row']>(written, {
              pool,
              table: 't',
              toRow: ({ row }) => row,
              operation: ({ op }) => op,
              onConflict: { target: ['id'], action: 'update' },
              ...options(way),
            })
            const { table, changed } = model(written.flat())
            expect(await valuesOf(db.pool, 'SELECT id::int, v FROM t ORDER BY id')).to.deep.equal(table)
            expect(stats.rowsCommitted).to.equal(changed)
          }),
          { numRuns: thorough(40) },
        )
        expect(statements.some(text => text.includes('DELETE FROM "public"."t"'))).to.equal(true)
        expect(statements.filter(text => REFUSED_BY_CITUS.test(text))).to.deep.equal([])
        if (way.title !== 'binary COPY')
          expect(statements.filter(text => BINARY_STAGING.test(text))).to.deep.equal([])
      })
    }

    it(`takes upserts of several shapes without locks by SELECT, by ${way.title}`, async () => {
      await recreate('id int PRIMARY KEY, v int, note text')
      const { pool } = makePool()
      const statements = statementsOf(pool)
      const rows = rowsOf(300, id => (id % 2 ? { id: id % 100, v: id } : { id: id % 100, note: `${id}` }))
      await write([rows], {
        pool,
        table: 't',
        onConflict: { target: ['id'], action: 'update' },
        ...options(way),
      })
      expect(await countOf(db.pool, 't')).to.equal(100)
      expect(statements.filter(text => REFUSED_BY_CITUS.test(text))).to.deep.equal([])
      expect(statements.some(text => text.includes('COPY "pg_temp"'))).to.equal(way.method !== 'insert')
      // a format that was asked for by name is kept
      expect(statements.some(text => BINARY_STAGING.test(text))).to.equal(way.title === 'binary COPY')
    })
  }

  it('takes the change events of parallel writers in opposite orders', async () => {
    await recreate('id int PRIMARY KEY, v int')
    const { pool } = makePool({ max: 8 })
    const changes = (writer: number, batch: number): Change[] =>
      rowsOf(200, index => {
        const id = writer % 2 ? index : 199 - index
        return (id + batch) % 3 ? { op: 'upsert', row: { id, v: writer } } : { op: 'delete', row: { id } }
      })
    const written = await Promise.all(
      rowsOf(4, writer =>
        write<Change, Change['row']>(
          rowsOf(10, batch => changes(writer, batch)),
          {
            pool,
            table: 't',
            toRow: ({ row }) => row,
            operation: ({ op }) => op,
            onConflict: { target: ['id'], action: 'update' },
            method: 'copy',
          },
        ),
      ),
    )
    for (const { stats } of written) expect(stats.rowsCommitted + stats.rowsUnchanged).to.equal(2000)
    // the last batch of each writer is the same but for its values
    expect(await valuesOf(db.pool, 'SELECT count(*)::int FROM t WHERE (id + 9) % 3 = 0')).to.deep.equal([[0]])
    expect(await countOf(db.pool, 't')).to.equal(133)
  })

  it('goes by binary COPY where rows are appended', async () => {
    await recreate('id int PRIMARY KEY')
    const { pool } = makePool()
    const statements = statementsOf(pool)
    await write([rowsOf(200, id => ({ id }))], { pool, table: 't' })
    expect(
      statements.some(text => text.includes('COPY "public"."t" ("id") FROM STDIN (FORMAT binary)')),
    ).to.equal(true)
  })

  for (const [method, where] of [
    ['auto', undefined],
    ['copy', undefined],
    ['auto', 'COPY t, line 100'],
  ] as const) {
    it(`rejects rows whose SQLSTATE a worker hides, by ${method}, context ${where ?? 'empty'}`, async () => {
      await recreate('id int PRIMARY KEY, v int CHECK (v > 0)')
      await db.pool.query('INSERT INTO t VALUES (5, 1)')
      const { pool } = makePool()
      hideSqlStatesOfCopy(pool, where ? { where } : {})
      const writable = new PgBatchWritable<{ id: number; v: number }>({
        pool,
        table: 't',
        method,
        rejectLimit: 9,
      })
      const rejected = await load(
        [
          rowsOf(100, id => ({ id, v: id === 70 ? 0 : 1 })),
          rowsOf(100, id => ({ id, v: 1 }), 100),
          rowsOf(100, id => ({ id: id === 250 ? 5 : id, v: 1 }), 200),
        ],
        writable,
      )
      expect(
        rejected.map(({ error, index, batchId }) => [batchId, index, error.sqlState, error.constraint]),
      ).to.deep.equal([
        [1, 5, '23505', 't_pkey'],
        [1, 70, '23514', 't_v_check'],
        [3, 50, '23505', 't_pkey'],
      ])
      expect(await countOf(db.pool, 't')).to.equal(298)
    })
  }

  for (const onConflict of [undefined, { target: ['id'], action: 'update' } as const]) {
    it(`rejects a CSV record with a hidden SQLSTATE, ${onConflict ? 'upserted' : 'appended'}`, async () => {
      // a name that a record has a property of
      await recreate('id int PRIMARY KEY, line int CHECK (line > 0), note text')
      const { pool } = makePool()
      hideSqlStatesOfCopy(pool)
      const lines = ['1,5,a', '2,-1,b', '3,7,', '4,8', '5,9,"c ""d"""']
      const records = lines.map((text, index) => new CsvRecord(Buffer.from(text), 0, text.length, index + 1))
      const format = { delimiter: ',', quote: '"', escape: '"', nulls: [''] }
      const writable = new PgBatchWritable<object, Record<string, unknown>>({
        pool,
        table: 't',
        csv: { format, fields: ['id', 'line', 'note'] },
        rejectLimit: 9,
        ...(onConflict ? { onConflict } : {}),
      })
      const rejected = await load([records], writable)
      expect(rejected.map(({ index, error }) => [index, error.code, error.sqlState])).to.deep.equal([
        [1, 'REFUSED', '23514'],
        [3, 'VALUE_NOT_ENCODABLE', undefined],
      ])
      expect(await valuesOf(db.pool, 'SELECT * FROM t ORDER BY id')).to.deep.equal([
        [1, 5, 'a'],
        [3, 7, null],
        [5, 9, 'c "d"'],
      ])
    })
  }

  it('fails with the SQLSTATE of the worker where no row may be rejected', async () => {
    await recreate('id int PRIMARY KEY')
    await db.pool.query('INSERT INTO t VALUES (5)')
    const { pool } = makePool()
    hideSqlStatesOfCopy(pool)
    const failure = await failureOf(write([rowsOf(100, id => ({ id }))], { pool, table: 't' }))
    expect(failure).to.include({
      code: 'REFUSED',
      sqlState: '23505',
      constraint: 't_pkey',
      outcome: 'rolled-back',
    })
    expect(await countOf(db.pool, 't')).to.equal(1)
  })

  it('tries again when Citus has lost the connection to a worker', async () => {
    await recreate('id int PRIMARY KEY')
    await db.pool.query('INSERT INTO t VALUES (5)')
    const { pool } = makePool()
    hideSqlStatesOfCopy(pool, { message: 'failure on connection marked as essential: worker-1:5432' })
    const writable = new PgBatchWritable<{ id: number }>({
      pool,
      table: 't',
      rejectLimit: 9,
      retry: { minDelayMs: 1 },
    })
    const retried: unknown[] = []
    writable.on('retry', ({ error }) => {
      retried.push([error.sqlState, error.retryable])
      if (retried.length === 2) db.pool.query('DELETE FROM t').catch(() => {})
    })
    const rejected = await load([rowsOf(100, id => ({ id }))], writable)
    expect(retried.slice(0, 2)).to.deep.equal([
      ['XX000', true],
      ['XX000', true],
    ])
    expect(rejected).to.deep.equal([])
    expect(await countOf(db.pool, 't')).to.equal(100)
  })

  it('is an ordinary table where the catalogue does not list it', async () => {
    await recreate('id int PRIMARY KEY, v int')
    await db.pool.query('TRUNCATE pg_catalog.pg_dist_partition')
    const { pool } = makePool()
    const statements = statementsOf(pool)
    await write([rowsOf(200, id => ({ id, v: 1 }))], {
      pool,
      table: 't',
      onConflict: { target: ['id'], action: 'update' },
    })
    expect(statements.some(text => BINARY_STAGING.test(text))).to.equal(true)
  })
})
