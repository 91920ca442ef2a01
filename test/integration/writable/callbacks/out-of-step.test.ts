import { expect } from 'chai'
import pg from 'pg'
import type { PgTransactionClient } from '../../../../lib/connection/pg-transaction-client.ts'
import { FaultProxy } from '../../../support/network/proxy.ts'
import type { WireMessage } from '../../../support/network/wire.ts'
import { aroundThePooler } from '../../../support/servers/around-pooler.ts'
import { useDatabase } from '../../../support/servers/database.ts'
import { countOf, failureOf, write } from '../../../support/writing.ts'

interface Connection {
  query(text: string): void
}

/** Takes pg's own connection along, which any object gets that pg runs as a query. */
class Thief extends (pg.Query as unknown as new (text: string) => NodeJS.EventEmitter) {
  connection!: Connection

  submit(connection: Connection): unknown {
    this.connection = connection
    return Reflect.apply(Reflect.get(pg.Query.prototype, 'submit'), this, [connection])
  }
}

async function stolenConnection(client: PgTransactionClient): Promise<Connection> {
  const thief = new Thief('SELECT 1')
  await new Promise((resolve, reject) => {
    thief.on('end', resolve).on('error', reject)
    client.query(thief as never)
  })
  return thief.connection
}

const SPLITS: readonly [title: string, at: (message: WireMessage) => boolean, pass: number][] = [
  ['in one packet', () => false, 0],
  ['before its tag', ({ name, text }) => name === 'CommandComplete' && text === 'ROLLBACK', 0],
  ['within its tag', ({ name, text }) => name === 'CommandComplete' && text === 'ROLLBACK', 0.5],
  ['before it is ready', ({ name }) => name === 'ReadyForQuery', 0],
]

const WAYS: readonly [title: string, options: object][] = [
  ['COPY', { method: 'copy' }],
  ['INSERT', { method: 'insert' }],
  [
    'COPY with a checkpoint',
    { checkpoint: { name: 'c', position: ({ id }: { id: number }) => ({ offset: id }) } },
  ],
]

describe('a callback that sends ROLLBACK by the connection beneath its client', () => {
  const db = useDatabase()
  let proxy: FaultProxy
  let pool: pg.Pool

  beforeEach(async () => {
    await db.pool.query('DROP TABLE IF EXISTS t, log; CREATE TABLE t (id int); CREATE TABLE log (n int)')
    const server = new URL(aroundThePooler(db, 'answers without a question'))
    proxy = await FaultProxy.start(Number(server.port))
    const through = Object.assign(server, { hostname: '127.0.0.1', port: proxy.port })
    pool = new pg.Pool({ connectionString: through.href, max: 1 })
  })
  afterEach(async () => {
    await pool.end()
    await proxy.stop()
  })

  it('does not get it from its client', async () => {
    const inTransaction = async (client: PgTransactionClient): Promise<void> => {
      ;(client.connection as unknown as Connection).query('ROLLBACK')
    }
    const error = await failureOf(write([[{ id: 1 }]], { pool, table: 't', inTransaction }))
    expect(error).to.include({ code: 'CALLBACK_FAILED', outcome: 'rolled-back' })
    expect(error.message).to.match(/`inTransaction` may not use its client's connection/)
    expect(pool.idleCount).to.equal(1)
  })

  it('does not meet it in a copy of its client', async () => {
    const copies: object[] = []
    const inTransaction = async (client: PgTransactionClient): Promise<void> => {
      copies.push({ ...client }, Object.fromEntries(Object.entries(client)))
    }
    await write([[{ id: 1 }]], { pool, table: 't', inTransaction })
    for (const copy of copies) expect(copy).to.have.property('database').and.not.have.property('connection')
  })

  for (const [way, options] of WAYS) {
    for (const [split, at, pass] of SPLITS) {
      for (const sent of ['ROLLBACK', 'ROLLBACK; BEGIN']) {
        it(`fails the stream after ${sent}, answered ${split}, by ${way}`, async () => {
          for (const statements of [0, 1, 3]) {
            const inTransaction = async (client: PgTransactionClient): Promise<void> => {
              const connection = await stolenConnection(client)
              proxy.arm({ direction: 'down', at, pass, action: { do: 'delay', ms: 20 } })
              connection.query(sent)
              for (let n = 0; n < statements; n++) await client.query('INSERT INTO log VALUES (1)')
            }
            const error = await failureOf(
              write([[{ id: 1 }]], { pool, table: 't', inTransaction, ...options }),
            )
            expect(error.outcome).to.be.oneOf(['rolled-back', 'unknown'])
            expect(await countOf(db.pool, 't')).to.equal(0)
            proxy.disarm()
            expect((await pool.query('SELECT 1 AS one')).rows).to.deep.equal([{ one: 1 }])
          }
        })
      }
    }
  }
})
