import { expect } from 'chai'
import pg from 'pg'
import type { PgClientLike } from '../../../../lib/connection/pg-types.ts'
import { PgBatchWritable } from '../../../../lib/writable/pg-batch-writable.ts'
import { readCheckpoint } from '../../../../lib/write/checkpoint/read-checkpoint.ts'
import { useDatabase } from '../../../support/servers/database.ts'
import { usePools } from '../../../support/servers/pools.ts'
import { failureOf, METHODS, options, valuesOf } from '../../../support/writing.ts'
import { load } from '../load.ts'

/**
 * bool, "char", name, int8, int2, int4, text, oid, json, float4, float8, text[], timestamptz, numeric, jsonb.
 */
const OIDS = [16, 18, 19, 20, 21, 23, 25, 26, 114, 700, 701, 1009, 1184, 1700, 3802]

const PARSERS: readonly [title: string, parse: (text: string) => unknown][] = [
  ['leave the text', text => text],
  ['make other values', text => ({ text })],
  ['make null', () => null],
  [
    'throw',
    () => {
      throw new Error('parser of the program')
    },
  ],
]

const replaced: [oid: number, parser: (text: string) => unknown][] = []

describe("type parsers that the program has replaced, as ORMs do, change nothing of the stream's own", () => {
  const db = useDatabase()
  // before the pools are looked at
  afterEach(restoreParsers)
  const makePool = usePools(db)
  function replaceParsers(parse: (text: string) => unknown): void {
    for (const oid of OIDS) {
      replaced.push([oid, pg.types.getTypeParser(oid)])
      pg.types.setTypeParser(oid, parse)
    }
  }

  function restoreParsers(): void {
    for (const [oid, parser] of replaced.splice(0)) pg.types.setTypeParser(oid, parser)
  }

  beforeEach(async () => {
    await db.pool.query(`DROP TABLE IF EXISTS stored, bad, pg_batch_checkpoint;
      CREATE TABLE stored (id int PRIMARY KEY, doc jsonb, j json, n int DEFAULT 7 CHECK (n < 100),
        full_name text GENERATED ALWAYS AS ('a' || 'b') STORED)`)
  })

  const rowsAt = (ids: readonly number[]) => ids.map(id => ({ id, doc: [], j: [id] }))

  for (const [title, parse] of PARSERS) {
    for (const way of METHODS) {
      it(`where they ${title}, by ${way.title}`, async () => {
        const { pool } = makePool()
        const make = (extra: object = {}) =>
          new PgBatchWritable<{ id: number }>({
            pool,
            table: 'stored',
            checkpoint: { name: 'parsers', position: ({ id }) => ({ offset: id }) },
            deadLetter: { table: 'bad' },
            rejectLimit: 1,
            ...options(way),
            ...extra,
          })
        replaceParsers(parse)
        await load([rowsAt([0, 1, 2]), [{ id: 3, n: 100 } as { id: number }], rowsAt([4])], make())
        const again = make({
          columns: ['id', 'doc', 'j', 'n'],
          onConflict: { target: ['id'], action: 'nothing' },
        })
        await load([rowsAt([1, 2, 3, 4, 5])], again)
        const positions = await readCheckpoint(pool, 'parsers')
        restoreParsers()
        expect(positions).to.deep.equal(new Map([['', 5n]]))
        expect(again.stats).to.include({ rowsCommitted: 1, rowsSkipped: 4 })
        const rows = await valuesOf(db.pool, 'SELECT id, doc::text, j::text, n FROM stored ORDER BY id')
        expect(rows).to.deep.equal([0, 1, 2, 4, 5].map(id => [id, '[]', `[${id}]`, 7]))
      })
    }
  }

  it('with `method: "insert"` and `columns`, which needs no catalogue on other servers', async () => {
    const { pool } = makePool()
    replaceParsers(text => text)
    const writable = new PgBatchWritable<Record<string, unknown>>({
      pool,
      table: 'stored',
      columns: ['id', 'doc'],
      method: 'insert',
    })
    await load([[{ id: 1, doc: [] }]], writable)
    restoreParsers()
    expect(await valuesOf(db.pool, 'SELECT doc::text FROM stored')).to.deep.equal([['[]']])
  })

  it('and a query that times out does not make it skip the catalogue', async () => {
    const { pool } = makePool({ max: 1 })
    const late = {
      async connect() {
        const client = await pool.connect()
        const query = async (text: string, values?: unknown[]) => {
          if (text.includes('pg_attribute')) throw new Error('Query read timeout')
          return client.query(text, values)
        }
        return { query, release: () => client.release() } as unknown as PgClientLike
      },
    }
    const writable = new PgBatchWritable<Record<string, unknown>>({
      pool: late,
      table: 'stored',
      columns: ['id', 'doc'],
      method: 'insert',
      retry: { retries: 0 },
    })
    const error = await failureOf(load([[{ id: 1, doc: [] }]], writable))
    expect(error).to.include({ code: 'CONNECTION', outcome: 'not-sent' })
    expect(await valuesOf(db.pool, 'SELECT * FROM stored')).to.deep.equal([])
  })
})
