import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'chai'
import { PgBatchWritable } from '../../../lib/writable/pg-batch-writable.ts'
import { useDatabase } from '../../support/servers/database.ts'
import { usePools } from '../../support/servers/pools.ts'
import { countOf } from '../../support/writing.ts'

const BATCHES = 40

describe("pg's query_timeout", () => {
  const db = useDatabase()
  const makePool = usePools(db)

  for (const upsert of [false, true]) {
    it(`does not end a COPY that is open for longer${upsert ? ', of an upsert' : ''}`, async () => {
      await db.pool.query('DROP TABLE IF EXISTS t; CREATE TABLE t (id int PRIMARY KEY)')
      const retries: unknown[] = []
      const writable = new PgBatchWritable<{ id: number }>({
        pool: makePool({ query_timeout: 800 }).pool,
        table: 't',
        method: 'copy',
        ...(upsert ? { onConflict: { target: ['id'], action: 'update' } as const } : {}),
      })
      writable.on('retry', retry => retries.push(retry))
      // each batch is ready before the one before is written, so that all of them share a transaction
      const slow = (id: number) => ({
        get id() {
          const end = performance.now() + 40
          while (performance.now() < end);
          return id
        },
      })
      async function* batches() {
        for (let id = 0; id < BATCHES; id++) {
          yield [slow(id)]
          await sleep(0)
        }
      }
      await pipeline(Readable.from(batches()), writable)
      expect(retries).to.deep.equal([])
      expect(await countOf(db.pool, 't')).to.equal(BATCHES)
    })
  }
})
