import { Pool as NeonPool, neonConfig } from '@neondatabase/serverless'
import { expect } from 'chai'
import pg from 'pg'
import { WebSocket } from 'ws'
import type { PgPoolLike } from '../../../lib/connection/pg-types.ts'
import { readCheckpoint } from '../../../lib/index.ts'
import { startWebSocketProxy, type WebSocketProxy } from '../../support/network/web-socket-proxy.ts'
import { useDatabase } from '../../support/servers/database.ts'
import { batchesOf, countOf, METHODS, options, rowsOf, valuesOf, write } from '../../support/writing.ts'

/** Enough bytes to fill a socket's buffer several times, so that the writer has to wait for it. */
const WIDE = 'x'.repeat(2000)

interface EndablePool {
  on(event: 'error', listener: (error: Error) => void): unknown
  end(): Promise<void>
}

describe('pools of other drivers and in other modes', () => {
  const db = useDatabase()
  let proxy: WebSocketProxy
  const pools: EndablePool[] = []

  before(async () => {
    proxy = await startWebSocketProxy(Number(new URL(db.connectionString).port))
    neonConfig.webSocketConstructor = WebSocket
    neonConfig.wsProxy = () => `${proxy.address}/v1`
    neonConfig.useSecureWebSocket = false
    neonConfig.pipelineConnect = false
    neonConfig.pipelineTLS = false
  })
  after(() => proxy.close())
  beforeEach(() =>
    db.pool.query(
      'DROP TABLE IF EXISTS t; CREATE TABLE t (id int PRIMARY KEY, at timestamptz, price numeric, text text)',
    ),
  )
  afterEach(() => Promise.all(pools.splice(0).map(pool => pool.end())))

  const kept = <Pool extends EndablePool>(pool: Pool): Pool => {
    pool.on('error', () => {}) // the database is dropped while the last session says goodbye
    pools.push(pool)
    return pool
  }

  const KINDS: readonly [title: string, make: (config: pg.PoolConfig) => PgPoolLike][] = [
    ['pg with binary: true', config => kept(new pg.Pool({ ...config, binary: true } as pg.PoolConfig))],
    ['pg with pipeline: true', config => kept(new pg.Pool({ ...config, pipeline: true } as pg.PoolConfig))],
    ['Neon over a WebSocket', config => kept(new NeonPool(config)) as unknown as PgPoolLike],
  ]

  for (const [title, make] of KINDS) {
    for (const method of METHODS) {
      it(`${title}: writes 3,000 wide rows by ${method.title}`, async () => {
        const pool = make({ connectionString: db.connectionString })
        const at = new Date('2024-02-29T12:34:56.789Z')
        const rows = rowsOf(3000, id => ({ id, at, price: '1.50', text: WIDE }))
        await write(batchesOf(rows, 500), { pool, table: 't', ...options(method) })
        const stored = await valuesOf(
          db.pool,
          `SELECT count(*)::int, min(price)::text, count(*) FILTER (WHERE text = '${WIDE}')::int,
             min(at) = '2024-02-29T12:34:56.789Z' FROM t`,
        )
        expect(stored).to.deep.equal([[3000, '1.50', 3000, true]])
      })
    }

    it(`${title}: upserts, reads and stores a checkpoint, and isolates a bad row`, async () => {
      const pool = make({ connectionString: db.connectionString })
      const items = rowsOf(400, id => ({ id, price: id === 7 ? 'x' : id }))
      const { stats } = await write(batchesOf(items, 200), {
        pool,
        table: 't',
        onConflict: { target: ['id'], action: 'update' },
        checkpoint: { name: title, position: ({ id }) => ({ partition: '0', offset: id }) },
        rejectLimit: 1,
      })
      expect(stats).to.include({ rowsCommitted: 399, rowsRejected: 1 })
      expect(await readCheckpoint(pool, title)).to.deep.equal(new Map([['0', 399n]]))
    })
  }

  it('Neon: the sessions went through the WebSocket', () => expect(proxy.sessions).to.be.at.least(1))

  for (const mode of ['binary', 'pipeline'] as const) {
    it(`gives a client back in the mode ${mode} in which it came`, async () => {
      const pool = kept(
        new pg.Pool({ connectionString: db.connectionString, max: 1, [mode]: true } as pg.PoolConfig),
      )
      await write([[{ id: 1 }]], { pool, table: 't' })
      const client = await pool.connect()
      expect(client).to.have.property(mode, true)
      expect((await client.query('SELECT id FROM t WHERE id = $1', [1])).rows).to.deep.equal([{ id: 1 }])
      client.release()
      expect(await countOf(db.pool, 't')).to.equal(1)
    })

    it(`a callback reads parsed values on a pool with ${mode}: true`, async () => {
      const pool = kept(new pg.Pool({ connectionString: db.connectionString, [mode]: true } as pg.PoolConfig))
      const seen: unknown[] = []
      await write([[{ id: 1 }, { id: 2 }]], {
        pool,
        table: 't',
        inTransaction: async client => {
          const { rows } = await client.query('SELECT id FROM t WHERE id > $1 ORDER BY id', [0])
          seen.push(...rows)
        },
      })
      expect(seen).to.deep.equal([{ id: 1 }, { id: 2 }])
    })
  }
})
