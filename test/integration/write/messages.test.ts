import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { expect } from 'chai'
import { PgBatchWritable } from '../../../lib/writable/pg-batch-writable.ts'
import { useDatabase } from '../../support/database.ts'
import { usePools } from '../../support/pools.ts'
import { failureOf } from '../../support/writing.ts'

type Row = Record<string, unknown>

describe('the message of an error', () => {
  const db = useDatabase()
  const makePool = usePools(db)

  beforeEach(() =>
    db.pool.query(`
      DROP TABLE IF EXISTS t; DROP TYPE IF EXISTS mood; CREATE TYPE mood AS ENUM ('good');
      CREATE TABLE t (id int, ok boolean, qty int, code varchar(3), day date, mood mood)`),
  )

  const failure = (rows: readonly Row[], options: object) =>
    failureOf(
      pipeline(
        Readable.from([rows]),
        new PgBatchWritable<Row>({ pool: makePool().pool, table: 't', ...options }),
      ),
    )

  it('names the class and the place of what `toRow` throws, and none of its message', async () => {
    const toRow = (item: Row): Row => ({ id: (item.order as { id: number }).id })
    const { message, cause } = await failure([{ order: { id: 1 } }, { secret: 1 }], { toRow })
    expect(message).to.match(
      /^`toRow` threw TypeError at messages\.test\.ts:30:\d+; see error\.cause \[row 1, batch 1\] \(nothing was sent\)$/,
    )
    expect(cause).to.be.instanceOf(TypeError)
  })

  it('says so when `toRow` throws something else than an error', async () => {
    const toRow = (): Row => {
      throw 'secret'
    }
    const { message } = await failure([{}], { toRow })
    expect(message).to.equal(
      '`toRow` threw a value that is not an Error; see error.cause [row 0, batch 1] (nothing was sent)',
    )
  })

  it('names the class and the place of what another callback throws', async () => {
    const afterCommit = (): void => {
      throw new RangeError('secret')
    }
    const { message } = await failure([{ id: 1 }], { afterCommit })
    expect(message).to.match(
      /^`afterCommit` failed: RangeError at messages\.test\.ts:50:\d+; see error\.cause \[batch 1\] \(committed\)$/,
    )
  })

  for (const [column, value, text] of [
    ['ok', 'secret', 'not a valid boolean for "ok" (22P02)'],
    ['qty', '99999999999', 'out of range for "qty" of type integer (22003)'],
    ['code', 'secret', 'too long for "code" of type character varying(3) (22001)'],
    ['day', 'secret', 'not a valid date for "day" (22007)'],
    ['day', '2026-02-30', 'out of range for "day" (22008)'],
    ['mood', 'secret', 'not a valid mood for "mood" (22P02)'],
  ] as const) {
    it(`says in words what is wrong with a value: ${text}`, async () => {
      const rows = [{ id: 1 }, { id: 2, [column]: value }]
      const { message } = await failure(rows, { method: 'copy', copyFormat: 'text' })
      expect(message).to.equal(`The server refused a row: ${text} [row 1, batch 1] (rolled back)`)
    })
  }
})
