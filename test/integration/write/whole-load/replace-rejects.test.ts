import { expect } from 'chai'
import { PgBatchWritable } from '../../../../lib/writable/pg-batch-writable.ts'
import { useDatabase } from '../../../support/servers/database.ts'
import { valuesOf } from '../../../support/writing.ts'
import { load } from '../../reliability/load.ts'

type Row = Record<string, unknown>

const ROWS = 600

describe('replace rejects by the row', () => {
  const db = useDatabase()

  beforeEach(() =>
    db.pool.query(`
      DROP TABLE IF EXISTS t, parent, rejects CASCADE;
      CREATE TABLE t (id int PRIMARY KEY, note text, rank int UNIQUE);
      INSERT INTO t SELECT n, 'old ' || n, n FROM generate_series(1, ${ROWS}) n;
      CREATE TABLE parent (id int PRIMARY KEY); INSERT INTO parent SELECT generate_series(1, 50);
      ALTER TABLE t ADD p int REFERENCES parent, ADD q int REFERENCES parent DEFAULT 1,
        ADD CONSTRAINT low CHECK (rank < 1000), ALTER note SET NOT NULL`),
  )
  const good = (): Row[] =>
    Array.from({ length: ROWS }, (_, n) => ({ id: n + 1, note: 'new', rank: n + 1, p: n % 50 || null, q: 1 }))
  const replaceRejecting = (rows: readonly Row[], more: object = {}) =>
    load(
      [rows],
      new PgBatchWritable<Row>({
        pool: db.pool,
        table: 't',
        replace: true,
        rejectLimit: 10,
        deadLetter: { table: 'rejects' },
        ...more,
      }),
    )

  for (const method of ['copy', 'insert'] as const) {
    it(`what NOT NULL, a CHECK and a foreign key refuse, by ${method}`, async () => {
      const next: Row[] = good()
      next[3] = { ...next[3], rank: 1000 }
      next[40] = { ...next[40], p: 51 }
      next[41] = { ...next[41], note: null }
      next[90] = { ...next[90], p: 0 }
      const rejected = await replaceRejecting(next, { method })
      expect(rejected.map(({ index, error }) => [index, error.sqlState, error.constraint])).to.deep.equal([
        [3, '23514', 'low'],
        [40, '23503', 't_p_fkey'],
        [41, '23502', undefined],
        [90, '23503', 't_p_fkey'],
      ])
      for (const { error } of rejected) expect(error.message).not.to.match(/pg_batch|relation/)
      expect(await valuesOf(db.pool, 'SELECT id FROM t ORDER BY id')).to.deep.equal(
        next.filter((_, index) => ![3, 40, 41, 90].includes(index)).map(({ id }) => [id]),
      )
      const left = await valuesOf(db.pool, `SELECT count(*)::int FROM pg_proc WHERE proname LIKE 'pg_batch%'`)
      expect(left).to.deep.equal([[0]])
    })
  }

  it('nothing that a trigger of the table corrects', async () => {
    await db.pool.query(`
        CREATE FUNCTION correct() RETURNS trigger LANGUAGE plpgsql AS
          'BEGIN NEW.note = coalesce(NEW.note, ''none''); NEW.rank = NEW.rank % 1000; RETURN NEW; END';
        CREATE TRIGGER correct BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION correct()`)
    const next: Row[] = good()
    next[3] = { ...next[3], rank: 1999, note: null }
    const rejected = await replaceRejecting(next)
    expect(rejected).to.deep.equal([])
    expect(await valuesOf(db.pool, 'SELECT rank, note FROM t WHERE id = 4')).to.deep.equal([[999, 'none']])
  })
})
