import { expect } from 'chai'
import { PgBatchWritable } from '../../../../lib/writable/pg-batch-writable.ts'
import { failureOf, METHODS, options } from '../../../support/writing.ts'
import { load } from '../load.ts'
import { type Line, useLines } from './lines.ts'

describe('a checkpoint of messages that become several rows', () => {
  const { db, makePool, byOffset, make, linesOf, stored } = useLines()

  describe('without an index', () => {
    for (const way of METHODS) {
      it(`fails at the second row of a message, and says what to do, by ${way.title}`, async () => {
        const batch = [...linesOf(6, 1), ...linesOf(7, 2)]
        const error = await failureOf(load([batch], make(byOffset, options(way))))
        expect(error).to.include({ code: 'OFFSET_REPEATED', retryable: false, batchId: 1, rowIndex: 2 })
        expect(error.outcome).to.be.oneOf(['not-sent', 'rolled-back'])
        expect(error.message).to.match(/rows of one message.*\{ partition, offset, index \}/)
        expect(await stored()).to.deep.equal([])
      })
    }

    it('fails where a message is split over two batches of one transaction, and commits nothing of it', async () => {
      const [first, second] = linesOf(7, 2)
      expect(await failureOf(load([[first!], [second!]], make(byOffset)))).to.include({
        code: 'OFFSET_REPEATED',
      })
      expect(await stored()).to.deep.equal([])
    })

    it('fails where a message is split over two transactions, and takes the rest once it has indexes', async () => {
      const [first, second] = linesOf(7, 2)
      const writable = make(byOffset)
      const split = (async function* () {
        yield [first!]
        while (writable.stats.rowsCommitted === 0) await new Promise(resolve => setImmediate(resolve))
        yield [second!]
      })()
      const failed = load(split as unknown as Iterable<Line[]>, writable)
      expect(await failureOf(failed)).to.include({ code: 'OFFSET_REPEATED', batchId: 2, rowIndex: 0 })
      await load([[first!, second!]], make())
      expect(await stored()).to.deep.equal([
        [7, 0],
        [7, 1],
      ])
    })

    it('fails in any lane, and when the message is delivered again after its first row', async () => {
      const parts = ['a', 'b', 'c', 'd'].map(part => linesOf(1, 1, part))
      await load(parts, make(byOffset, { concurrency: 3 }))
      const split = [
        ...parts,
        linesOf(2, 2, 'c').slice(0, 1),
        linesOf(2, 2, 'd'),
        linesOf(2, 2, 'c').slice(1),
      ]
      expect(await failureOf(load(split, make(byOffset, { concurrency: 3 })))).to.include({
        code: 'OFFSET_REPEATED',
      })
      expect(await failureOf(load([linesOf(1, 2)], make(byOffset)))).to.include({ code: 'OFFSET_REPEATED' })
    })

    it('fails where the items differ in what is done with the row', async () => {
      await db.pool.query('ALTER TABLE lines ADD UNIQUE (message)')
      const writable = new PgBatchWritable<{ message: number; gone: boolean }, { message: number }>({
        pool: makePool().pool,
        table: 'lines',
        toRow: ({ message }) => ({ message }),
        operation: ({ gone }) => (gone ? 'delete' : 'upsert'),
        onConflict: { target: ['message'], action: 'update' },
        checkpoint: { name: 'lines', position: ({ message }) => ({ offset: message }) },
      })
      const items = [
        { message: 1, gone: false },
        { message: 1, gone: true },
      ]
      expect(await failureOf(load([items], writable))).to.include({ code: 'OFFSET_REPEATED' })
    })

    for (const [title, columns] of [
      ['`toRow`', undefined],
      ['the columns', ['offset', 'text']],
    ] as const) {
      it(`fails where objects differ in private state only, which ${title} can read`, async () => {
        await db.pool.query('ALTER TABLE lines ADD "offset" int, ADD text text')
        class Message {
          readonly offset: number
          readonly #text: string

          constructor(offset: number, text: string) {
            this.offset = offset
            this.#text = text
          }

          get text(): string {
            return this.#text
          }
        }
        const open = () =>
          new PgBatchWritable<Message, { offset: number; text: string }>({
            pool: makePool().pool,
            table: 'lines',
            checkpoint: { name: 'lines', position: ({ offset }) => ({ offset }) },
            ...(columns ? { columns } : { toRow: ({ offset, text }) => ({ offset, text }) }),
          })
        const failed = load([[new Message(1, 'one'), new Message(1, 'two')]], open())
        expect(await failureOf(failed)).to.include({ code: 'OFFSET_REPEATED', rowIndex: 1 })
        const again = open()
        await load([[new Message(1, 'one'), new Message(1, 'one')]], again)
        expect(again.stats).to.include({ rowsCommitted: 1, rowsSkipped: 1 })
      })
    }

    it('skips an equal item for which `toRow` makes another row each time', async () => {
      let made = 0
      const writable = make(byOffset, { toRow: (item: Line) => ({ ...item, line: made++ }) })
      const [one] = linesOf(1, 1)
      await load([[one!, { ...one! }]], writable)
      expect(writable.stats).to.include({ rowsCommitted: 1, rowsSkipped: 1 })
    })

    it('skips redeliveries: equal items, objects that count their deliveries, what does not follow', async () => {
      const row = ({ part, message, line }: Line) => ({ part, message, line })
      const writable = make(byOffset, { toRow: row })
      const [one] = linesOf(1, 1)
      const [two] = linesOf(2, 1)
      await load(
        [
          [one!, { ...one! }, two!, { ...one!, line: 9 }],
          [two!, { ...two!, redelivered: true } as Line],
        ],
        writable,
      )
      expect(await stored()).to.deep.equal([
        [1, 0],
        [2, 0],
      ])
      expect(writable.stats).to.include({ rowsSkipped: 4 })
    })
  })
})
