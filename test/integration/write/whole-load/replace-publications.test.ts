import { expect } from 'chai'
import pg from 'pg'
import type { EmbeddedServer } from '../../../../lib/embedded/embedded-server.ts'
import { startMemoryServer } from '../../../support/servers/memory-server.ts'
import { until } from '../../../support/until.ts'
import { batchesOf, rowsOf, valuesOf, write } from '../../../support/writing.ts'

const ROWS = 2000

describe('replace of a table in a publication', function () {
  this.timeout(60_000)
  let server: EmbeddedServer
  let pool: pg.Pool
  let subscriber: pg.Pool

  before(async () => {
    server = await startMemoryServer({
      settings: ['wal_level=logical', 'max_connections=20'],
    })
    const { connectionString } = server
    pool = new pg.Pool({ connectionString })
    await pool.query('CREATE DATABASE subscriber')
    const url = new URL(connectionString)
    url.pathname = '/subscriber'
    subscriber = new pg.Pool({ connectionString: url.href })
    for (const one of [pool, subscriber]) one.on('error', () => {}) // the server stops while they say goodbye
    const columns = 'id int PRIMARY KEY, note text'
    await subscriber.query(`CREATE TABLE t (${columns})`)
    await pool.query(`
      CREATE TABLE t (${columns});
      INSERT INTO t SELECT n, 'old ' || n FROM generate_series(1, ${ROWS}) n;
      CREATE PUBLICATION published FOR TABLE t`)
    // the server is its own subscriber, and would wait for itself if the subscription made its slot
    await pool.query("SELECT pg_create_logical_replication_slot('subscribed', 'pgoutput')")
    await subscriber.query(
      `CREATE SUBSCRIPTION subscribed CONNECTION '${connectionString}' PUBLICATION published
       WITH (create_slot = false, slot_name = subscribed)`,
    )
    await until('the subscriber has the old rows', async () => (await subscribed()).length === ROWS, 20_000)
    await pool.query("SELECT pg_create_logical_replication_slot('watched', 'test_decoding')")
  })

  after(async () => {
    await subscriber?.query('DROP SUBSCRIPTION subscribed')
    await subscriber?.end()
    await pool?.end()
    await server?.stop()
  })

  const subscribed = () => valuesOf(subscriber, 'SELECT id, note FROM t ORDER BY id')

  it('publishes the difference, in one transaction, and the subscriber has the new rows', async () => {
    const next = rowsOf(ROWS, n => ({ id: n, note: n % 10 === 0 ? 'changed' : `old ${n}` }), 101)
    await write(batchesOf(next, 500), { pool, table: 't', replace: true })

    const changes = (
      await valuesOf(pool, "SELECT data FROM pg_logical_slot_get_changes('watched', NULL, NULL)")
    ).map(([data]) => /^(table public\.t: )?([A-Z]+)/.exec(String(data))![2]!)
    const count = (change: string): number => changes.filter(one => one === change).length
    expect(Object.fromEntries([...new Set(changes)].sort().map(one => [one, count(one)]))).to.deep.equal({
      BEGIN: 1,
      COMMIT: 1,
      DELETE: 100,
      INSERT: 100,
      UPDATE: 190,
    })
    const expected = next.map(({ id, note }) => [id, note])
    await until(
      'the subscriber has the new rows',
      async () => JSON.stringify(await subscribed()) === JSON.stringify(expected),
      20_000,
    )
    expect(await valuesOf(pool, 'SELECT pubname, tablename FROM pg_publication_tables')).to.deep.equal([
      ['published', 't'],
    ])
  })
})
