import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { inspect } from 'node:util'
import { expect } from 'chai'
import type { PgBatchError } from '../../../lib/errors.ts'
import { PgBatchWritable } from '../../../lib/writable/pg-batch-writable.ts'
import { useDatabase } from '../../support/servers/database.ts'
import { usePools } from '../../support/servers/pools.ts'
import { batchesOf, countOf, failureOf, METHODS, options, rowsOf, write } from '../../support/writing.ts'

const SECRET = 'hunter2'
const circular: Record<string, unknown> = { [SECRET]: SECRET }
circular.self = circular

interface Bad {
  readonly title: string
  readonly row: Record<string, unknown>
  readonly expected: Partial<PgBatchError>
  /** Details that only one of the methods can know. */
  readonly byCopy?: Partial<PgBatchError>
}

const REFUSED: readonly Bad[] = [
  {
    title: 'text for a number',
    row: { n: SECRET },
    expected: { sqlState: '22P02' },
    byCopy: { column: 'n' },
  },
  {
    title: 'a number out of range',
    row: { n: 2 ** 40 },
    expected: { sqlState: '22003' },
    byCopy: { column: 'n' },
  },
  { title: 'a NUL byte', row: { label: `${SECRET}\u0000` }, expected: { sqlState: '22021' } },
  {
    title: 'text that is too long',
    row: { short: SECRET },
    expected: { sqlState: '22001' },
    byCopy: { column: 'short' },
  },
  {
    title: 'NULL for NOT NULL',
    row: { must: null, label: SECRET },
    expected: { sqlState: '23502', column: 'must' },
  },
  {
    title: 'a CHECK',
    row: { n: -1, label: SECRET },
    expected: { sqlState: '23514', constraint: 'positive' },
  },
  {
    title: 'a duplicate key',
    row: { id: 1, label: SECRET },
    expected: { sqlState: '23505', constraint: 'once' },
  },
  {
    title: "a domain's CHECK",
    row: { email: SECRET },
    expected: { sqlState: '23514', constraint: 'email_check' },
  },
  {
    title: 'a word that is not in the enum',
    row: { mood: SECRET },
    expected: { sqlState: '22P02' },
    byCopy: { column: 'mood' },
  },
  { title: 'what a trigger raises', row: { label: `raise ${SECRET}` }, expected: { sqlState: 'P0001' } },
]

const UNENCODABLE: readonly [title: string, data: unknown][] = [
  ['a circular object', circular],
  ['a BigInt in JSON', { [SECRET]: 1n }],
  [
    'a toPostgres that throws',
    {
      toPostgres() {
        throw new Error(SECRET)
      },
    },
  ],
  ['a Promise', Promise.resolve(SECRET)],
  [
    'a toJSON that throws',
    {
      toJSON() {
        throw new Error(SECRET)
      },
    },
  ],
]

describe('the error of a bad row', () => {
  const db = useDatabase()
  const makePool = usePools(db)

  before(async () => {
    await db.pool.query(`CREATE TYPE mood AS ENUM ('sad', 'glad');
      CREATE DOMAIN email AS text CHECK (VALUE LIKE '%@%');
      CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        IF NEW.label LIKE 'raise %' THEN RAISE EXCEPTION 'refused %', NEW.label; END IF; RETURN NEW; END $$`)
  })
  beforeEach(async () => {
    await db.pool.query(`DROP TABLE IF EXISTS picky;
      CREATE TABLE picky (id int CONSTRAINT once UNIQUE, must text NOT NULL,
      n int CONSTRAINT positive CHECK (n > 0),
        label text, short varchar(3), email email, mood mood, data jsonb);
      CREATE TRIGGER refuse BEFORE INSERT ON picky FOR EACH ROW EXECUTE FUNCTION refuse()`)
  })

  const good = (id: number): Record<string, unknown> => ({ id, must: 'x', n: 1, label: 'fine' })

  /** Batches of 100 good rows before and after one whose 42nd row is the bad one. */
  const batchesAround = (bad: Record<string, unknown>) => {
    const batches = batchesOf(rowsOf(400, good), 100)
    Object.assign(batches[2]![42]!, bad)
    return batches
  }

  const expectNoSecret = (error: PgBatchError) => {
    for (const text of [
      error.message,
      inspect(error),
      inspect({ error }),
      String(error),
      JSON.stringify(error),
    ])
      expect(text).not.to.contain(SECRET)
  }

  for (const way of METHODS) {
    for (const { title, row, expected, byCopy } of REFUSED) {
      it(`reports what was refused, keeps the batches before it: ${title}, by ${way.title}`, async () => {
        const fits = way.title !== 'binary COPY' || !('n' in row) || typeof row.n !== 'string'
        const { pool } = makePool()
        const error = await failureOf(write(batchesAround(row), { pool, table: 'picky', ...options(way) }))
        expect(error.batchId).to.equal(3)
        if (fits && error.code !== 'VALUE_NOT_ENCODABLE') {
          expect(error).to.include({ code: 'REFUSED', outcome: 'rolled-back', retryable: false, ...expected })
          if (way.method !== 'insert') expect(error).to.include({ rowIndex: 42, ...byCopy })
          expect(error.cause).to.be.instanceOf(Error)
        } else {
          expect(way.title).to.equal('binary COPY')
          expect(error).to.include({ code: 'VALUE_NOT_ENCODABLE', rowIndex: 42 })
        }
        expectNoSecret(error)
        expect(await countOf(db.pool, 'picky')).to.equal(200)
        expect(await countOf(db.pool, 'picky WHERE id >= 200')).to.equal(0)
      })
    }

    for (const [title, data] of UNENCODABLE) {
      it(`rejects a value that has no form before it is sent: ${title}, by ${way.title}`, async () => {
        const { pool } = makePool()
        const error = await failureOf(
          write(batchesAround({ data }), { pool, table: 'picky', ...options(way) }),
        )
        expect(error).to.include({ code: 'VALUE_NOT_ENCODABLE', batchId: 3, rowIndex: 42, column: 'data' })
        expect(error.outcome).to.be.oneOf(['not-sent', 'rolled-back'])
        expect(error.cause).to.be.instanceOf(Error)
        expectNoSecret(error)
        expect(await countOf(db.pool, 'picky')).to.equal(200)
      })
    }

    it(`asks for the await of a Promise in a column of any type, by ${way.title}`, async () => {
      const { pool } = makePool()
      for (const column of ['label', 'n', 'mood', 'email']) {
        const rows = batchesAround({ [column]: Promise.resolve(1) })
        const error = await failureOf(write(rows, { pool, table: 'picky', ...options(way) }))
        expect(error).to.include({ code: 'VALUE_NOT_ENCODABLE', rowIndex: 42, column })
        expect(error.message).to.contain('the value is a Promise: await it before the row is written')
        await db.pool.query('TRUNCATE picky')
      }
    })

    it(`names the row of an INSERT or COPY that holds one row, by ${way.title}`, async () => {
      const { pool } = makePool()
      const error = await failureOf(
        write([[{ ...good(1), must: null }]], { pool, table: 'picky', ...options(way) }),
      )
      expect(error).to.include({ rowIndex: 0, batchId: 1, column: 'must', sqlState: '23502' })
    })

    it(`reports the outcome of rows refused at COMMIT by a deferred constraint, by ${way.title}`, async () => {
      await db.pool.query(`DROP TABLE IF EXISTS later; CREATE TABLE later (id int PRIMARY KEY,
        next int CONSTRAINT next_fk REFERENCES later DEFERRABLE INITIALLY DEFERRED)`)
      const { pool } = makePool()
      const rows = batchesOf(
        rowsOf(300, id => ({ id, next: id === 299 ? 4711 : id % 100 })),
        100,
      )
      const error = await failureOf(write(rows, { pool, table: 'later', ...options(way) }))
      expect(error).to.include({
        code: 'REFUSED',
        outcome: 'rolled-back',
        sqlState: '23503',
        constraint: 'next_fk',
        batchId: 3,
      })
      expect(error.message).not.to.contain('4711')
      expect(await countOf(db.pool, 'later')).to.equal(200)
    })

    it(`fails once, after end() as well, and never finishes, by ${way.title}`, async () => {
      const { pool } = makePool()
      const writable = new PgBatchWritable({ pool, table: 'picky', ...options(way) })
      const events: string[] = []
      for (const name of ['error', 'finish', 'close', 'commit'] as const)
        writable.on(name as 'close', () => events.push(name))
      writable.write([good(1)])
      writable.end([good(1)])
      await new Promise<void>(resolve => writable.once('close', resolve))
      expect(events).to.deep.equal(['commit', 'error', 'close'])
      expect(await countOf(db.pool, 'picky')).to.equal(1)
      expect(writable.stats).to.include({ rowsReceived: 2, rowsCommitted: 1, rowsPending: 1 })
    })

    it(`fails at a table that is dropped midway, by ${way.title}`, async () => {
      await db.pool.query('DROP TABLE IF EXISTS fleeting; CREATE TABLE fleeting (id int)')
      const { pool } = makePool()
      const writable = new PgBatchWritable({ pool, table: 'fleeting', ...options(way) })
      async function* source() {
        yield [{ id: 1 }]
        await new Promise(resolve => writable.once('commit', resolve))
        await db.pool.query('DROP TABLE fleeting')
        yield [{ id: 2 }]
      }
      const error = await failureOf(pipeline(Readable.from(source()), writable))
      expect(error).to.include({ code: 'REFUSED', sqlState: '42P01', outcome: 'rolled-back', batchId: 2 })
    })
  }

  it('names the row by its index in the array that was written, where lanes split the array', async () => {
    const rows = rowsOf(400, good)
    rows[250]!.must = null
    const { pool } = makePool()
    const laneOf = (item: Record<string, unknown>) => Number(item.id)
    const error = await failureOf(
      write([rows], { pool, table: 'picky', method: 'copy', concurrency: 4, laneOf }),
    )
    expect(error).to.include({ rowIndex: 250, batchId: 1, sqlState: '23502' })
  })

  it('names the row by its index in the array, among several shapes and skipped items', async () => {
    // without its trigger, because rows of several shapes go by INSERT where one may depend on their order
    await db.pool.query(`ALTER TABLE picky ALTER label SET DEFAULT 'd', DISABLE TRIGGER refuse`)
    const rows = rowsOf(400, index => (index % 3 ? good(index) : { id: index, must: 'x', n: 1 }))
    rows[301]!.n = -5
    const { pool } = makePool()
    const toRow = (item: Record<string, unknown>) => (Number(item.id) % 5 === 2 ? null : item)
    const error = await failureOf(write([rows], { pool, table: 'picky', method: 'copy', toRow }))
    expect(error).to.include({ rowIndex: 301, constraint: 'positive' })
  })
})
