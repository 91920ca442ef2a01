import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect } from 'chai'
import type { PgBatchWritableOptions } from '../../../../lib/writable/options.ts'
import { PgBatchWritable } from '../../../../lib/writable/pg-batch-writable.ts'
import { useDatabase } from '../../../support/servers/database.ts'
import { until } from '../../../support/until.ts'
import { failureOf, METHODS, options, rowsOf, valuesOf } from '../../../support/writing.ts'

interface Row {
  id: number
  note: string | null
}

const GATE = 4711
const COPIES = METHODS.filter(({ method }) => method !== 'insert')

/**
 * Before COMMIT a transaction holds only the bytes of its batches' rows, where no callback asks for the
 * items.
 */
describe('a transaction that may have to send its rows again', () => {
  const db = useDatabase()

  beforeEach(async () => {
    await db.pool.query('DROP TABLE IF EXISTS t; CREATE TABLE t (id int PRIMARY KEY, note text)')
  })

  /** Refuses the first COPYs of `t` when all their rows are there, with an error that will pass. */
  const refuseFirst = (times: number) =>
    db.pool.query(`
      DROP SEQUENCE IF EXISTS tries; CREATE SEQUENCE tries;
      CREATE OR REPLACE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        IF nextval('tries') <= ${times} THEN RAISE SQLSTATE '40001'; END IF; RETURN NULL; END $$;
      CREATE TRIGGER refuse AFTER INSERT ON t FOR EACH STATEMENT EXECUTE FUNCTION refuse()`)

  const start = (
    batches: Row[][],
    extra: Pick<PgBatchWritableOptions<Row>, 'method' | 'copyFormat' | 'onBegin'> = {},
  ) => {
    const retry = { minDelayMs: 1, maxDelayMs: 5 }
    const writable = new PgBatchWritable<Row>({ pool: db.pool, table: 't', retry, ...extra })
    const done = pipeline(Readable.from(batches), writable)
    done.catch(() => {})
    return { writable, done }
  }

  const stored = () => valuesOf(db.pool, 'SELECT id, note FROM t ORDER BY id')
  const batchesOfThree = (): Row[][] =>
    [1, 4, 7].map(first => rowsOf(3, id => ({ id: first + id, note: `note ${first + id}` })))

  for (const way of COPIES) {
    it(`sends by ${way.title} the same rows as before, even if the items have changed since`, async () => {
      await refuseFirst(2)
      const batches = batchesOfThree()
      const expected = batches.flat().map(({ id, note }) => [id, note])
      const { writable, done } = start(batches, options(way))
      const attempts: number[] = []
      writable.on('retry', ({ attempt }) => {
        attempts.push(attempt)
        for (const row of batches.flat()) Object.assign(row, { id: -row.id, note: 'changed' })
      })
      await done
      expect(attempts).to.deep.equal([1, 2])
      expect(await stored()).to.deep.equal(expected)
      expect(writable.stats).to.include({ rowsCommitted: 9, rowsPending: 0, batchesCommitted: 3 })
    })

    it(`names by ${way.title} the row that the server refuses, earlier batches committed`, async () => {
      const batches = batchesOfThree()
      batches[1]![2]!.id = 1
      const { writable, done } = start(batches, options(way))
      const error = await failureOf(done)
      expect(error).to.include({ batchId: 2, rowIndex: 2, sqlState: '23505', outcome: 'rolled-back' })
      expect((await stored()).length).to.equal(3)
      expect(writable.stats).to.include({ rowsCommitted: 3, batchesCommitted: 1 })
    })
  }

  it('sends a batch again that changed from binary to text midway, and those around it', async () => {
    await db.pool.query('ALTER TABLE t ADD at timestamptz')
    await refuseFirst(3) // the second batch takes two COPYs
    const at = (row: Row, time: Date | string) => ({ ...row, at: time })
    const [first, second, third] = batchesOfThree()
    const { done } = start([
      first!.map(row => at(row, new Date(0))),
      second!.map((row, index) => at(row, index === 1 ? 'yesterday' : new Date(0))),
      third!.map(row => at(row, new Date(0))),
    ])
    await done
    expect(await valuesOf(db.pool, 'SELECT id FROM t ORDER BY id')).to.deep.equal(rowsOf(9, id => [id + 1]))
    expect(await valuesOf(db.pool, "SELECT id FROM t WHERE at = 'yesterday'::timestamptz")).to.deep.equal([
      [5],
    ])
  })

  for (const [change, what] of [
    ['ALTER n TYPE int', '"n" is integer, and was bigint'],
    ['ALTER n TYPE float8', '"n" is double precision, and was bigint'],
    ['ALTER n TYPE text', '"n" is text, and was bigint'],
    ['DROP n', '"n" is missing'],
    [
      'DROP n, ADD m int NOT NULL DEFAULT 1, ALTER id TYPE int2',
      '"id" is smallint, and was integer, "n" is missing',
    ],
  ] as const) {
    it(`says what has changed where its bytes do not fit the table any more: ${change}`, async () => {
      await db.pool.query('ALTER TABLE t ADD n bigint')
      await refuseFirst(1)
      let begun = 0
      const onBegin = async (): Promise<void> => {
        // the catalogue, the first COPY, and then the second one
        if (++begun === 3) await db.pool.query(`ALTER TABLE t ${change}`)
      }
      const batches = batchesOfThree().map(batch => batch.map(row => ({ ...row, n: 5 })))
      const { done } = start(batches, { onBegin })
      expect(await failureOf(done)).to.include({
        code: 'TABLE_CHANGED',
        outcome: 'rolled-back',
        retryable: false,
        reason: `The columns of "public"."t" have changed since these rows were encoded: ${what}. Start a new stream`,
      })
      expect(await stored()).to.deep.equal([])
    })
  }

  it('releases the items once they are sent, unless a callback receives them', async () => {
    await db.pool.query(`
      CREATE OR REPLACE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        PERFORM pg_advisory_xact_lock_shared(${GATE}); RETURN NULL; END $$;
      CREATE TRIGGER wait AFTER INSERT ON t FOR EACH STATEMENT EXECUTE FUNCTION wait()`)
    setFlagsFromString('--expose-gc')
    const collect = runInNewContext('gc') as () => void
    const gate = await db.pool.connect()
    await gate.query('SELECT pg_advisory_lock($1)', [GATE])
    try {
      for (const wanted of [false, true]) {
        const items: WeakRef<Row>[] = []
        const source = function* (): Generator<Row[]> {
          const row = { id: wanted ? 2 : 1, note: null }
          items.push(new WeakRef(row))
          yield [row]
        }
        const writable = new PgBatchWritable<Row>({
          pool: db.pool,
          table: 't',
          ...(wanted ? { afterCommit: () => {} } : {}),
        })
        const done = pipeline(Readable.from(source()), writable)
        await until('the COPY waits behind its rows', async () => {
          const { rows } = await db.pool.query(
            "SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND objid = $1 AND NOT granted",
            [GATE],
          )
          return rows.length > 0
        })
        const collected = until(
          'collected',
          () => {
            collect()
            return items[0]!.deref() === undefined
          },
          500,
        ).then(
          () => true,
          () => false,
        )
        expect(await collected).to.equal(!wanted)
        await gate.query('SELECT pg_advisory_unlock($1)', [GATE])
        await done
        await gate.query('SELECT pg_advisory_lock($1)', [GATE])
      }
    } finally {
      await gate.query('SELECT pg_advisory_unlock_all()')
      gate.release()
    }
  })
})
