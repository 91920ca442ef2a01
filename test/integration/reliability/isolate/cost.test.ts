import { expect } from 'chai'
import type pg from 'pg'
import { PgBatchWritable } from '../../../../lib/writable/pg-batch-writable.ts'
import { useDatabase } from '../../../support/servers/database.ts'
import { usePools } from '../../../support/servers/pools.ts'
import { thorough } from '../../../support/thorough.ts'
import { countOf, rowsOf } from '../../../support/writing.ts'
import { load } from '../load.ts'
import { spread } from './bad-rows.ts'

const COUNT = Math.max(2_000, thorough(10_000))

interface Row {
  id: number
  n: number | string
  label: string
}

/** Counts the rows that leave by text COPY: line ends within values are escaped. */
function countSentRows(pool: pg.Pool): () => number {
  let rows = 0
  pool.on('connect', client => {
    const { stream } = (
      client as unknown as { connection: { stream: { write(bytes: Uint8Array): boolean } } }
    ).connection
    const write = stream.write
    stream.write = function (bytes, ...rest) {
      if (bytes[0] === 'd'.charCodeAt(0)) for (const byte of bytes.subarray(5)) if (byte === 10) rows++
      return write.call(this, bytes, ...rest)
    }
  })
  return () => rows
}

describe(`isolating the bad rows among ${COUNT}`, () => {
  const db = useDatabase()
  const makePool = usePools(db)

  beforeEach(async () => {
    await db.pool.query(`DROP TABLE IF EXISTS t, parents; DROP SEQUENCE IF EXISTS seen;
      CREATE TABLE parents (id int PRIMARY KEY); INSERT INTO parents VALUES (1);
      CREATE SEQUENCE seen;
      CREATE TABLE t (id int PRIMARY KEY, n int CHECK (n >= 0), label text, parent int DEFAULT 1 REFERENCES parents);
      CREATE OR REPLACE FUNCTION see() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN PERFORM nextval('seen'); RETURN NEW; END $$;
      CREATE TRIGGER see BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION see()`)
  })

  const writeBad = async (bad: number, spoil: (row: Row) => object, extra: object) => {
    const places = new Set(spread(COUNT, bad))
    const rows: object[] = rowsOf(COUNT, id => {
      const row = { id, n: id, label: `row number ${id} of the batch` }
      return places.has(id) ? spoil(row) : row
    })
    const { pool } = makePool()
    const sentRows = countSentRows(pool)
    const writable = new PgBatchWritable<object>({ pool, table: 't', rejectLimit: bad, ...extra })
    const rejected = await load([rows], writable)
    expect(rejected.map(({ index }) => index)).to.deep.equal([...places])
    expect(await countOf(db.pool, 't')).to.equal(COUNT - bad)
    expect(writable.stats.rowsCommitted).to.equal(COUNT - bad)
    const { rows: seen } = await db.pool.query('SELECT last_value::int AS rows FROM seen')
    return { sent: sentRows(), seen: seen[0].rows as number }
  }

  const WRONG_TYPE = (row: Row): object => ({ ...row, n: 'many' })
  const CHECK = (row: Row): object => ({ ...row, n: -1 })
  const CASES: readonly [title: string, spoil: (row: Row) => object, counts: readonly number[]][] = [
    ['of the wrong type', WRONG_TYPE, [1, COUNT / 100]],
    ['against a CHECK', CHECK, [1, COUNT / 100, COUNT / 2]],
  ]
  for (const [title, spoil, counts] of CASES) {
    for (const bad of counts) {
      it(`sends fewer than three times the rows when ${bad} are ${title}`, async () => {
        const { sent, seen } = await writeBad(bad, spoil, { copyFormat: 'text', method: 'copy' })
        expect(sent).to.be.within(COUNT + 1, 3 * COUNT - 1)
        expect(seen).to.be.within(COUNT - bad, 3 * COUNT - 1)
      })
    }
  }

  const UNNAMED: readonly [title: string, extra: object][] = [
    ['COPY', { method: 'copy' }],
    ['INSERT', { method: 'insert' }],
    ['COPY and merge', { method: 'copy', onConflict: { target: ['id'], action: 'update' } }],
  ]
  for (const [title, extra] of UNNAMED) {
    it(`finds 30 that no error names, by halving, by ${title}`, async () => {
      const { seen } = await writeBad(30, row => ({ ...row, parent: 2 }), extra)
      expect(seen).to.be.below(12 * COUNT)
    })
  }
})
