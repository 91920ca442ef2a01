import { expect } from 'chai'
import pg from 'pg'
import { PgBatchWritable } from '../../../../lib/writable/pg-batch-writable.ts'
import { useDatabase } from '../../../support/servers/database.ts'
import { failureOf, METHODS, options, rowsOf, valuesOf, write } from '../../../support/writing.ts'

type Row = Record<string, unknown>

describe('a role with grants on some columns', () => {
  let pool: pg.Pool
  after(async () => {
    await pool?.end()
    await db.pool.query('DROP OWNED BY part_writer; DROP ROLE part_writer')
  })
  const db = useDatabase() // its pool ends after that

  before(async () => {
    await db.pool.query(`CREATE ROLE part_writer LOGIN PASSWORD 'part';
      CREATE TABLE t (id int PRIMARY KEY, a text, b int DEFAULT 7, secret text DEFAULT 'kept');
      GRANT INSERT (id, a, b), UPDATE (a, b), SELECT (id, a, b) ON t TO part_writer;
      CREATE TABLE blind (id int PRIMARY KEY, a text, b int DEFAULT 7);
      GRANT INSERT (id, a) ON blind TO part_writer`)
    const url = new URL(db.directConnectionString)
    url.username = 'part_writer'
    url.password = 'part'
    pool = new pg.Pool({ connectionString: url.href })
    pool.on('error', () => {})
  })
  beforeEach(() => db.pool.query('TRUNCATE t, blind'))

  for (const way of METHODS) {
    it(`appends and upserts without \`columns\`, by ${way.title}`, async () => {
      const onConflict = { target: ['id'], action: 'update' } as const
      const rows = rowsOf(300, id => ({ id, a: 'x' }))
      await write<Row>([rows], { pool, table: 't', ...options(way) })
      const again = rows.map(({ id }) => (id % 2 ? { id, a: 'y' } : { id, b: 8 }))
      await write<Row>([again], { pool, table: 't', onConflict, ...options(way) })
      const found = `SELECT a, b, secret, count(*)::int FROM t GROUP BY 1, 2, 3 ORDER BY 1`
      expect(await valuesOf(db.pool, found)).to.deep.equal([
        ['x', 8, 'kept', 150],
        ['y', 7, 'kept', 150],
      ])
    })

    it(`gets an error for a column that it may not write, by ${way.title}`, async () => {
      const error = await failureOf(
        write<Row>([[{ id: 1, secret: 'no' }]], { pool, table: 't', ...options(way) }),
      )
      expect(error).to.include({ code: 'ROW_INVALID', column: 'secret', outcome: 'not-sent' })
      expect(error.message).to.match(/may not write: grant it INSERT/)
    })
  }

  it('upserts by INSERT where it may not read what it writes', async () => {
    const rows = rowsOf(300, id => ({ id: id % 200, a: 'x' }))
    const { stats } = await write<Row>([rows], { pool, table: 'blind', onConflict: { action: 'nothing' } })
    expect(stats).to.include({ rowsCommitted: 200, rowsUnchanged: 100 })
    const copy = new PgBatchWritable({
      pool,
      table: 'blind',
      onConflict: { action: 'nothing' },
      method: 'copy',
    })
    copy.end([{ id: 1 }])
    const error = await failureOf(new Promise((_, reject) => copy.on('error', reject)))
    expect(error.message).to.match(/needs the privilege SELECT on the columns/)
  })

  it('is refused by the server where it may write nothing', async () => {
    await db.pool.query('CREATE TABLE closed (id int); GRANT SELECT ON closed TO part_writer')
    const error = await failureOf(write<Row>([[{ id: 1 }]], { pool, table: 'closed' }))
    expect(error).to.include({ sqlState: '42501' })
  })
})

describe('an upsert of rows of several shapes', () => {
  const db = useDatabase()

  for (const way of METHODS) {
    it(`takes a DEFAULT that was changed meanwhile, by ${way.title}`, async () => {
      await db.pool.query(
        `DROP TABLE IF EXISTS t; CREATE TABLE t (id int PRIMARY KEY, a text DEFAULT 'old', b int)`,
      )
      const pool = new pg.Pool({ connectionString: db.connectionString })
      const writable = new PgBatchWritable<Row>({
        pool,
        table: 't',
        onConflict: { target: ['id'], action: 'update' },
        ...options(way),
      })
      try {
        const committed = () => new Promise(resolve => writable.once('commit', resolve))
        const first = committed()
        writable.write([{ id: 1 }, { id: 2, a: 'own' }, { id: 3, b: 3 }])
        await first
        await db.pool.query(`ALTER TABLE t ALTER a SET DEFAULT 'new'`)
        const second = committed()
        writable.write([{ id: 1 }, { id: 4 }, { id: 5, a: 'own' }, { id: 6, b: 6 }])
        await second
        expect(await valuesOf(db.pool, 'SELECT id, a FROM t ORDER BY id')).to.deep.equal([
          [1, 'old'],
          [2, 'own'],
          [3, 'old'],
          [4, 'new'],
          [5, 'own'],
          [6, 'new'],
        ])
      } finally {
        await new Promise<void>(resolve => writable.end(() => resolve()))
        await pool.end()
      }
    })
  }
})
