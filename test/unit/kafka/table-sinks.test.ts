import { Writable } from 'node:stream'
import { expect } from 'chai'
import { TableSinks } from '../../../lib/kafka/table-sinks.ts'
import type { PgBatchWritable } from '../../../lib/writable/pg-batch-writable.ts'

describe('TableSinks', () => {
  it('has stopped when what its streams were at has come to its end', async () => {
    let ended = false
    const writable = new Writable({
      objectMode: true,
      write: (_batch, _encoding, callback) => callback(),
      destroy(error, callback) {
        setTimeout(() => {
          ended = true
          callback(error)
        }, 20)
      },
    })
    const failures: Error[] = []
    const sinks = new TableSinks<number>({
      batch: { maxCount: 1 },
      open: () => writable as unknown as PgBatchWritable<number, object>,
      onFailure: error => failures.push(error),
    })
    sinks.write(1, 'orders')
    const stopped = new Error('stopped')
    await sinks.destroy(stopped)
    expect(ended).to.equal(true)
    expect(failures).to.deep.equal([stopped])
  })
})
