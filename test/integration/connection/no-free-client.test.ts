import { finished } from 'node:stream/promises'
import { expect } from 'chai'
import type { PgBatchError } from '../../../lib/errors.ts'
import { PgBatchWritable } from '../../../lib/writable/pg-batch-writable.ts'
import { useDatabase } from '../../support/servers/database.ts'
import { usePools } from '../../support/servers/pools.ts'

describe('A pool whose clients are all in use', () => {
  const db = useDatabase()
  const makePool = usePools(db)

  for (const [max, has] of [
    [1, 'the only one it has'],
    [2, 'all 2 that it has'],
  ] as const) {
    it(`is named with its max, ${max}, and not the server`, async () => {
      await db.pool.query('CREATE TABLE IF NOT EXISTS t (id int)')
      const { pool } = makePool({ max })
      const held = await Promise.all(Array.from({ length: max }, () => pool.connect()))
      try {
        const sink = new PgBatchWritable({ pool, table: 't', statementTimeoutMs: 100, retry: false })
        sink.end([{ id: 1 }])
        const error: PgBatchError = await finished(sink).then(
          () => expect.fail('it was written'),
          error => error,
        )
        expect(error).to.include({ code: 'CONNECTION', outcome: 'not-sent', retryable: true })
        expect(error.message).to.contain(
          `The pool gave no client within 100 ms: ${has} (\`max\`) stayed in use. Raise \`max\`, ` +
            'lower `concurrency`, or release clients that your program holds',
        )
      } finally {
        for (const client of held) client.release()
      }
    })
  }
})
