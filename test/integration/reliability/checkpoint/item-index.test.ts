import { expect } from 'chai'
import fc from 'fast-check'
import { aroundThePooler } from '../../../support/servers/around-pooler.ts'
import { thorough } from '../../../support/thorough.ts'
import { batchesOf, failureOf, METHODS, options, valuesOf } from '../../../support/writing.ts'
import { load } from '../load.ts'
import { type Line, useLines } from './lines.ts'

describe('a checkpoint of messages that become several rows', () => {
  const { db, makePool, byOffset, byIndex, make, linesOf, stored, checkpoint } = useLines()

  for (const way of METHODS) {
    it(`continues within a message whose first rows were committed, by ${way.title}`, async () => {
      const message = linesOf(7, 3)
      await load([linesOf(6, 2), message.slice(0, 1)], make(byIndex, options(way)))
      expect([...(await checkpoint())], 'a source that starts after it misses nothing').to.deep.equal([
        ['a', 6n],
      ])
      const again = make(byIndex, options(way))
      await load([linesOf(6, 2), message.slice(0, 2), message, linesOf(9, 1)], again)
      expect(again.stats).to.include({ rowsCommitted: 3, rowsSkipped: 5 })
      expect(await stored()).to.deep.equal([
        [6, 0],
        [6, 1],
        [7, 0],
        [7, 1],
        [7, 2],
        [9, 0],
      ])
      expect([...(await checkpoint())]).to.deep.equal([['a', 8n]])
    })
  }

  it('mixes items with an index and items without', async () => {
    const mixed = (item: Line) => (item.line === 0 ? byOffset(item) : byIndex(item))
    await load([linesOf(0, 1), linesOf(1, 3), linesOf(2, 1)], make(mixed))
    expect([...(await checkpoint())]).to.deep.equal([['a', 2n]])
    await load([linesOf(1, 3), linesOf(2, 2)], make(mixed))
    expect([...(await checkpoint())]).to.deep.equal([['a', 1n]])
    await load([linesOf(2, 3), linesOf(3, 1)], make(mixed))
    expect((await stored()).length).to.equal(8)
    expect(
      await valuesOf(db.pool, 'SELECT position::text, item_index::text FROM pg_batch_checkpoint'),
    ).to.deep.equal([['3', null]])
  })

  it('refuses an index that does not count', async () => {
    const same = (item: Line) => ({ ...byIndex(item), index: 0 })
    expect(await failureOf(load([linesOf(1, 2)], make(same)))).to.include({ code: 'OFFSET_REPEATED' })
    for (const index of [-1, 0.5, '1', Number.NaN, null, 2 ** 60]) {
      const wrong = (item: Line) => ({ ...byIndex(item), index })
      expect(await failureOf(load([linesOf(1, 1)], make(wrong)))).to.include({ code: 'CALLBACK_FAILED' })
    }
    await load(
      [linesOf(1, 1)],
      make(item => ({ ...byIndex(item), index: 2n ** 63n - 1n })),
    )
    expect([...(await checkpoint())]).to.deep.equal([['a', 0n]])
  })

  it('notices a server that has lost rows of a message', async () => {
    const writable = make()
    const until = async (rows: number) => {
      while (writable.stats.rowsCommitted < rows) await new Promise(resolve => setImmediate(resolve))
    }
    const message = linesOf(7, 4)
    const forgotten = (async function* () {
      yield message.slice(0, 3)
      await until(3)
      await db.pool.query('DELETE FROM lines WHERE line > 0; UPDATE pg_batch_checkpoint SET item_index = 0')
      yield message.slice(3)
    })()
    const failed = load(forgotten as unknown as Iterable<Line[]>, writable)
    expect(await failureOf(failed)).to.include({ code: 'CHECKPOINT_REGRESSED' })
    await load([message], make())
    expect(await stored()).to.deep.equal(message.map(({ line }) => [7, line]))
  })

  it('holds the index in the position of a rejected row', async () => {
    await db.pool.query('ALTER TABLE lines ADD CHECK (line <> 1)')
    const rejected = await load([linesOf(4, 3)], make(byIndex, { rejectLimit: 1 }))
    expect(rejected.map(({ position }) => position)).to.deep.equal([
      { partition: 'a', offset: 4n, index: 1n },
    ])
  })

  describe('in a table that an earlier version has created', () => {
    const columns = () =>
      valuesOf(
        db.pool,
        "SELECT attname FROM pg_attribute WHERE attrelid = 'pg_batch_checkpoint'::regclass AND attnum > 4",
      )

    beforeEach(async () => {
      await db.pool.query(`CREATE TABLE pg_batch_checkpoint (name text NOT NULL, partition text NOT NULL, position bigint,
        updated_at timestamptz NOT NULL DEFAULT now(), PRIMARY KEY (name, partition))`)
    })

    it('adds a column, and only for a stream that has indexes', async () => {
      await load([linesOf(1, 1)], make(byOffset))
      expect(await columns()).to.deep.equal([])
      await load([linesOf(1, 2), linesOf(2, 2)], make())
      expect(await columns()).to.deep.equal([['item_index']])
      expect([...(await checkpoint())]).to.deep.equal([['a', 1n]])
    })

    it('adds it in the middle of a transaction, too, and again where that was rolled back', async () => {
      const mixed = (item: Line) => (item.line === 0 ? byOffset(item) : byIndex(item))
      await db.pool.query('ALTER TABLE lines ADD CHECK (message <> 3)')
      const writable = make(mixed, { rejectLimit: 1 })
      await load([linesOf(1, 1), linesOf(2, 2), linesOf(3, 1), linesOf(4, 2)], writable)
      expect((await stored()).length).to.equal(5)
      expect(await columns()).to.deep.equal([['item_index']])
    })

    it('says what its owner has to run where the role may not', async () => {
      await db.pool.query(`DROP ROLE IF EXISTS reader_of_lines; CREATE ROLE reader_of_lines LOGIN PASSWORD 'x';
        GRANT ALL ON lines, pg_batch_checkpoint TO reader_of_lines; GRANT ALL ON SEQUENCE lines_place_seq TO reader_of_lines`)
      const url = new URL(aroundThePooler(db, 'a role of the test'))
      url.username = 'reader_of_lines'
      url.password = 'x'
      const { pool } = makePool({ connectionString: url.href })
      await load([linesOf(1, 1)], make(byOffset, { pool }))
      const error = await failureOf(load([linesOf(2, 2)], make(byIndex, { pool })))
      expect(error).to.include({ code: 'REFUSED', sqlState: '42501' })
      expect(error.message).to.match(/owner: ALTER TABLE "?pg_batch_checkpoint"? ADD COLUMN/)
      await db.pool.query('DROP OWNED BY reader_of_lines; DROP ROLE reader_of_lines')
    })
  })

  it('holds every row once, whatever the batches and wherever the stream stops', async () => {
    const message = fc.integer({ min: 0, max: 4 })
    const run = fc.record({ batch: fc.integer({ min: 1, max: 7 }), stop: fc.integer({ min: 1, max: 30 }) })
    await fc.assert(
      fc.asyncProperty(
        fc.array(message, { minLength: 1, maxLength: 12 }),
        fc.array(run, { maxLength: 4 }),
        async (counts, runs) => {
          await db.pool.query('TRUNCATE lines; DROP TABLE IF EXISTS pg_batch_checkpoint')
          const all = counts.flatMap((count, offset) => linesOf(offset, count))
          for (const { batch, stop } of [...runs, { batch: 5, stop: 100 }]) {
            const start = (await checkpoint()).get('a') ?? -1n
            const rest = all.filter(item => BigInt(item.message) > start)
            await load(batchesOf(rest.slice(0, stop), batch), make())
          }
          expect(await stored()).to.deep.equal(all.map(({ message, line }) => [message, line]))
        },
      ),
      { numRuns: thorough(25) },
    )
  })
})
