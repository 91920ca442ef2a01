import { expect } from 'chai'
import { sql } from 'drizzle-orm'
import { drizzle } from 'drizzle-orm/node-postgres'
import { integer, pgTable } from 'drizzle-orm/pg-core'
import knexModule from 'knex'
import { Kysely, PostgresDialect } from 'kysely'
import type pg from 'pg'
import { useDatabase } from '../../../support/servers/database.ts'
import { usePools } from '../../../support/servers/pools.ts'
import { countOf, failureOf, rowsOf, valuesOf, write } from '../../../support/writing.ts'

/** An ORM, or a query builder, on the client of `inTransaction`. */
interface Orm {
  readonly title: string
  /** Inserts `outer` in a transaction, and `inner` in one within it; throws in either on request. */
  transact(client: pg.PoolClient, outer: number, inner: number, fails?: 'outer' | 'inner'): Promise<unknown>
  serializable(client: pg.PoolClient): Promise<unknown>
}

const log = pgTable('log', { n: integer('n') })
const boom = (): never => {
  throw new Error('boom')
}

const kyselyOn = (client: pg.PoolClient) =>
  new Kysely<{ log: { n: number } }>({
    dialect: new PostgresDialect({
      pool: {
        // the client is not Kysely's to release
        connect: async () => ({ query: client.query, release() {} }) as never,
        end: async () => {},
      },
    }),
  })
const knex = knexModule({ client: 'pg' })
type Connection = { connection: pg.PoolClient }

const ORMS: readonly Orm[] = [
  {
    title: 'drizzle-orm',
    transact: (client, outer, inner, fails) =>
      drizzle(client).transaction(async transaction => {
        await transaction.insert(log).values({ n: outer })
        await transaction
          .transaction(async nested => {
            await nested.insert(log).values({ n: inner })
            if (fails === 'inner') boom()
          })
          .catch(error => expect(error.message).to.equal('boom'))
        if (fails === 'outer') boom()
      }),
    serializable: client =>
      drizzle(client).transaction(transaction => transaction.execute(sql`SELECT 1`), {
        isolationLevel: 'serializable',
      }),
  },
  {
    title: 'Kysely',
    transact: (client, outer, inner, fails) =>
      kyselyOn(client)
        .transaction()
        .execute(async transaction => {
          await transaction.insertInto('log').values({ n: outer }).execute()
          const savepoint = await transaction
            .insertInto('log')
            .values({ n: inner })
            .execute()
            .then(() => fails)
          if (savepoint === 'inner') await transaction.deleteFrom('log').where('n', '=', inner).execute()
          if (fails === 'outer') boom()
        }),
    serializable: client =>
      kyselyOn(client)
        .transaction()
        .setIsolationLevel('serializable')
        .execute(transaction => transaction.selectFrom('log').selectAll().execute()),
  },
  {
    title: 'knex',
    transact: (client, outer, inner, fails) =>
      knex.transaction(
        async transaction => {
          await transaction('log').insert({ n: outer })
          await transaction
            .transaction(async nested => {
              await nested('log').insert({ n: inner })
              if (fails === 'inner') boom()
            })
            .catch(error => expect(error.message).to.equal('boom'))
          if (fails === 'outer') boom()
        },
        { connection: client } as Connection as never,
      ),
    serializable: client =>
      knex.transaction(async transaction => transaction.raw('SELECT 1'), {
        connection: client,
        isolationLevel: 'serializable',
      } as Connection as never),
  },
]

describe('inTransaction with', () => {
  const db = useDatabase()
  const makePool = usePools(db)
  const rows = rowsOf(3, id => ({ id }))

  beforeEach(async () => {
    await db.pool.query('DROP TABLE IF EXISTS t, log; CREATE TABLE t (id int); CREATE TABLE log (n int)')
  })

  for (const { title, transact, serializable } of ORMS) {
    const run = (work: (client: pg.PoolClient) => Promise<unknown>) =>
      write([rows], {
        pool: makePool().pool,
        table: 't',
        inTransaction: async client => void (await work(client as unknown as pg.PoolClient)),
      })

    it(`${title}: a transaction whose body throws is undone, and the rows are committed`, async () => {
      const { stats } = await run(async client => {
        await transact(client, 1, 2)
        const error = await transact(client, 3, 4, 'outer').then(
          () => undefined,
          (reason: Error) => reason,
        )
        expect(error?.message).to.equal('boom')
        await transact(client, 5, 6, 'inner')
        await transact(client, 7, 8)
      })
      expect(stats.rowsCommitted).to.equal(3)
      expect(await countOf(db.pool, 't')).to.equal(3)
      expect(await valuesOf(db.pool, 'SELECT n FROM log ORDER BY n')).to.deep.equal([[1], [2], [5], [7], [8]])
    })

    it(`${title}: a transaction whose body throws through the callback rolls the batch back`, async () => {
      const error = await failureOf(run(client => transact(client, 1, 2, 'outer')))
      expect(error).to.include({ code: 'CALLBACK_FAILED', outcome: 'rolled-back' })
      expect(error.cause).to.have.property('message', 'boom')
      expect(await countOf(db.pool, 't')).to.equal(0)
      expect(await countOf(db.pool, 'log')).to.equal(0)
    })

    it(`${title}: a statement that fails within a transaction is undone with it`, async () => {
      await db.pool.query('ALTER TABLE log ADD UNIQUE (n)')
      await run(async client => {
        await transact(client, 1, 2)
        await transact(client, 3, 1).catch(() => {})
        await transact(client, 4, 5)
      })
      const stored = (await valuesOf(db.pool, 'SELECT n FROM log ORDER BY n')).flat()
      expect(stored).to.include.members([1, 2, 4, 5])
      expect(await countOf(db.pool, 't')).to.equal(3)
    })

    it(`${title}: an isolation level is refused, naming inTransaction`, async () => {
      const error = await failureOf(run(serializable))
      expect(error).to.include({ code: 'CALLBACK_FAILED', outcome: 'rolled-back' })
      expect(error.message).to.contain('inTransaction')
      expect(await countOf(db.pool, 't')).to.equal(0)
    })
  }
})
