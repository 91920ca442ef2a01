import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { expect } from 'chai'
import { PgBatchError } from '../../../../lib/errors.ts'
import { PgBatchWritable } from '../../../../lib/writable/pg-batch-writable.ts'
import { sentValueOf } from '../../../../lib/write/transaction/sent-value.ts'
import { useDatabase } from '../../../support/servers/database.ts'
import { usePools } from '../../../support/servers/pools.ts'

describe('The value that is too long for its column', () => {
  const db = useDatabase()
  const makePool = usePools(db)

  beforeEach(() =>
    db.pool.query('DROP TABLE IF EXISTS t; CREATE TABLE t (id int, name varchar(5), day date, code char(2))'),
  )

  async function refused(arrays: object[][], way: object): Promise<PgBatchError> {
    const sink = new PgBatchWritable<object>({ pool: makePool().pool, table: 't', ...way })
    return pipeline(Readable.from(arrays), sink).then(
      () => expect.fail('it was written'),
      error => error,
    )
  }

  const rows = (from: number, count: number) =>
    Array.from({ length: count }, (_, index) => ({
      id: from + index,
      name: null,
      day: '2026-01-05',
      code: 'é',
    }))

  for (const [title, way] of [
    ['binary COPY', {}],
    ['a single transaction', { singleTransaction: true }],
    ['rows that are kept', { onDiscard: () => {} }],
  ] as const) {
    for (const batches of [1, 40]) {
      it(`is known to the command, and in no message: ${title}, batch ${batches}`, async () => {
        const arrays = Array.from({ length: batches }, (_, index) => rows(index * 500, 500))
        arrays.at(-1)!.splice(77, 1, { id: 1, name: 'zu lang ☂' as never, day: '2026-01-05', code: 'a' })
        const error = await refused(arrays, way)
        expect(error).to.be.instanceOf(PgBatchError)
        expect(error).to.include({ sqlState: '22001', batchId: batches, rowIndex: 77, column: 'name' })
        expect(error.message).not.to.contain('lang')
        const known = sentValueOf(error.cause as Error)
        // a single transaction forgets its rows, once the socket has them
        expect(known).to.be.oneOf('singleTransaction' in way ? ['zu lang ☂', undefined] : ['zu lang ☂'])
      })
    }
  }
})
