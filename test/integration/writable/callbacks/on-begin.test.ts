import { expect } from 'chai'
import pg from 'pg'
import type { PgTransactionClient } from '../../../../lib/connection/pg-transaction-client.ts'
import { PgRowWriter } from '../../../../lib/row-writer/pg-row-writer.ts'
import { useDatabase } from '../../../support/servers/database.ts'
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

type Row = Record<string, unknown>

/** Logs in as a role without any grant on the tables, which may become one that has them. */
const asTenant = async (client: PgTransactionClient): Promise<void> => {
  await client.query("SET LOCAL ROLE tenant_writer; SET LOCAL app.tenant = 'acme'")
}

describe('onBegin', () => {
  let login: pg.Pool
  after(async () => {
    await login?.end()
    await db.pool.query('DROP OWNED BY tenant_writer, tenant_login; DROP ROLE tenant_login, tenant_writer')
  })
  const db = useDatabase() // its pool ends after that

  before(async () => {
    await db.pool.query(`CREATE ROLE tenant_writer; CREATE ROLE tenant_login LOGIN PASSWORD 'part' NOINHERIT;
      GRANT tenant_writer TO tenant_login;
      CREATE SCHEMA side AUTHORIZATION tenant_writer`)
    const url = new URL(db.directConnectionString)
    url.username = 'tenant_login'
    url.password = 'part'
    login = new pg.Pool({ connectionString: url.href })
    login.on('error', () => {})
  })
  beforeEach(() =>
    db.pool.query(`DROP TABLE IF EXISTS t, log; CREATE TABLE log (note text);
      CREATE TABLE t (id int PRIMARY KEY CHECK (id >= 0), a text, b int DEFAULT 7,
        tenant text DEFAULT current_setting('app.tenant', true), secret text DEFAULT 'kept');
      GRANT INSERT (id, a, b), UPDATE (a, b), SELECT (id, a, b) ON t TO tenant_writer`),
  )

  for (const way of METHODS) {
    it(`sets role and settings before rows and introspection, without \`columns\`, by ${way.title}`, async () => {
      const rows = rowsOf(300, id => ({ id, a: 'x' }))
      const given = { pool: login, table: 't', onBegin: asTenant, ...options(way) }
      const { stats } = await write<Row>(batchesOf(rows, 100), given)
      expect(stats.rowsCommitted).to.equal(300)
      const again = rows.map(({ id }) => (id % 2 ? { id, a: 'y' } : { id, b: 8 }))
      await write<Row>([again], { ...given, onConflict: { target: ['id'], action: 'update' } })
      const found = 'SELECT a, b, tenant, secret, count(*)::int FROM t GROUP BY 1, 2, 3, 4 ORDER BY 1'
      expect(await valuesOf(db.pool, found)).to.deep.equal([
        ['x', 8, 'acme', 'kept', 150],
        ['y', 7, 'acme', 'kept', 150],
      ])
      const left = "SELECT current_user, coalesce(current_setting('app.tenant', true), '')"
      expect(await valuesOf(login, left)).to.deep.equal([['tenant_login', '']])
    })
  }

  it('names a column that the role may not write, and fails without the role', async () => {
    const given = { pool: login, table: 't' }
    const denied = await failureOf(write<Row>([[{ id: 1, secret: 'no' }]], { ...given, onBegin: asTenant }))
    expect(denied).to.include({ code: 'ROW_INVALID', column: 'secret' })
    const without = await failureOf(write<Row>([[{ id: 1 }]], given))
    expect(without).to.include({ code: 'REFUSED', sqlState: '42501' })
    expect(await countOf(db.pool, 't')).to.equal(0)
  })

  it('obeys row-level security of the role, which rules out COPY', async () => {
    await db.pool.query(`ALTER TABLE t ENABLE ROW LEVEL SECURITY; GRANT INSERT (tenant), SELECT ON t TO tenant_writer;
      CREATE POLICY own ON t USING (tenant = current_setting('app.tenant'))`)
    const given = { pool: db.pool, table: 't', onBegin: asTenant } // a superuser, whom the policy does not bind
    const { commits } = await write<Row>([rowsOf(300, id => ({ id }))], given)
    expect(commits[0]!.method).to.equal('insert')
    const error = await failureOf(write<Row>([[{ id: 900, tenant: 'other' }]], given))
    expect(error).to.include({ code: 'REFUSED', sqlState: '42501' })
    expect(await countOf(db.pool, 't')).to.equal(300)
  })

  it('runs first in each transaction, and in that which introspects', async () => {
    const seen: string[] = []
    const { stats } = await write<Row>([[{ id: 1 }], [{ id: 2 }], [{ id: 3 }]], {
      pool: db.pool,
      table: 't',
      concurrency: 1,
      onBegin: async client => {
        const { rows } = await client.query('SELECT pg_current_xact_id()::text AS xid')
        seen.push(rows[0]!.xid as string)
      },
      inTransaction: async client => {
        const { rows } = await client.query('SELECT pg_current_xact_id()::text AS xid')
        expect(rows[0]!.xid).to.equal(seen.at(-1))
      },
    })
    expect(seen.length).to.equal(stats.transactions + 1)
    expect(new Set(seen).size).to.equal(seen.length)
  })

  it('makes the tables of checkpoint and dead letter as the role, and writes them as the role', async () => {
    const given = {
      pool: login,
      table: 't',
      onBegin: asTenant,
      rejectLimit: 10,
      deadLetter: { table: 'side.rejected' },
      checkpoint: {
        name: 'c',
        table: 'side.positions',
        position: (row: Row) => ({ offset: Number(row.id) }),
      },
    }
    const rows = [{ id: 0 }, { id: 1, b: 'no number' }, { id: 2 }]
    const { stats } = await write<Row>([rows], given)
    expect(stats).to.include({ rowsCommitted: 2, rowsRejected: 1 })
    const again = await write<Row>([[...rows, { id: 3 }]], given)
    expect(again.stats).to.include({ rowsCommitted: 1, rowsSkipped: 3 })
    const owners = "SELECT tablename, tableowner FROM pg_tables WHERE schemaname = 'side' ORDER BY 1"
    expect(await valuesOf(db.pool, owners)).to.deep.equal([
      ['positions', 'tenant_writer'],
      ['rejected', 'tenant_writer'],
    ])
  })

  it('adds the column for indexes of items as the role', async () => {
    await db.pool.query(`CREATE TABLE side.old (name text, partition text, position bigint,
      updated_at timestamptz NOT NULL DEFAULT now(), PRIMARY KEY (name, partition));
      ALTER TABLE side.old OWNER TO tenant_writer`)
    const { stats } = await write<Row>([[{ id: 0 }, { id: 1 }]], {
      pool: login,
      table: 't',
      onBegin: asTenant,
      checkpoint: {
        name: 'c',
        table: 'side.old',
        position: row => ({ offset: 5, index: Number(row.id) }),
      },
    })
    expect(stats.rowsCommitted).to.equal(2)
  })

  for (const way of METHODS) {
    it(`keeps its setting while bad rows are isolated, by ${way.title}`, async () => {
      const rows = rowsOf(200, id => ({ id: id === 77 ? -1 : id, a: 'x' }))
      const { stats } = await write<Row>([rows], {
        pool: login,
        table: 't',
        onBegin: asTenant,
        rejectLimit: 5,
        ...options(way),
      })
      expect(stats).to.include({ rowsCommitted: 199, rowsRejected: 1 })
      expect(await valuesOf(db.pool, 'SELECT DISTINCT tenant FROM t')).to.deep.equal([['acme']])
    })
  }

  it('runs first in each transaction of a PgRowWriter', async () => {
    const writer = new PgRowWriter<Row>({ pool: login, table: 't', onBegin: asTenant })
    const results = await Promise.all([writer.write({ id: 1 }), writer.write({ id: 2, a: 'x' })])
    await writer.end()
    expect(results.map(({ action }) => action)).to.deep.equal(['inserted', 'inserted'])
    expect(await valuesOf(db.pool, 'SELECT tenant FROM t')).to.deep.equal([['acme'], ['acme']])
  })

  it('nests a transaction of its own', async () => {
    await write<Row>([[{ id: 1 }]], {
      pool: db.pool,
      table: 't',
      onBegin: async client => {
        await client.query('BEGIN')
        await client.query("SET LOCAL app.tenant = 'nested'")
        await client.query('COMMIT')
        await client.query('BEGIN')
        await client.query("SET LOCAL app.tenant = 'undone'")
        await client.query('ROLLBACK')
      },
    })
    expect(await valuesOf(db.pool, 'SELECT tenant FROM t')).to.deep.equal([['nested']])
  })

  it('leaves nothing of what it has written while the table is introspected', async () => {
    const { stats } = await write<Row>([[{ id: 1 }]], {
      pool: db.pool,
      table: 't',
      onBegin: async client => void (await client.query("INSERT INTO log VALUES ('begun')")),
    })
    expect(stats.transactions).to.equal(1)
    expect(await countOf(db.pool, 'log')).to.equal(1)
  })
})
