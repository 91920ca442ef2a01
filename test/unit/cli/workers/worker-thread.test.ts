import { expect } from 'chai'
import { WorkersWritable } from '../../../../lib/cli/workers/workers-writable.ts'
import { CsvRecord } from '../../../../lib/csv/record.ts'
import { tableOf } from '../../../../lib/csv/record-table-builder.ts'
import { PgBatchError } from '../../../../lib/errors.ts'
import { workerTask } from '../../../support/worker-task.ts'

/** A task that ends its thread at once: the certificate cannot be read. */
const BROKEN = workerTask({
  connection: {
    servers: [{ host: '127.0.0.1' }],
    tls: { verify: 'full', rootCertFile: '/no/such/certificate', direct: false },
    channelBinding: undefined,
    sessionAttrs: 'any',
    loadBalance: false,
    connectTimeoutMs: undefined,
    clientSettings: {},
    notes: [],
  },
  patienceMs: 0,
})

describe('a worker thread that dies', () => {
  it('fails the load, and leaves the outcome of its rows open', async () => {
    const sink = new WorkersWritable({
      tasks: [BROKEN, BROKEN],
      distribute: records => [
        { worker: 0, records },
        { worker: 1, records },
      ],
      onPart: () => {},
      toRow: undefined,
      placeOf: undefined,
      deadLetter: undefined,
    })
    const failed = new Promise<Error>(resolve => sink.once('error', resolve))
    const closed = new Promise(resolve => sink.once('close', resolve))
    for (let number = 0; number < 9; number++) sink.write(tableOf([new CsvRecord(Buffer.from('1'), 0, 1, 1)]))
    const error = await failed
    await closed
    expect(error).to.be.instanceOf(PgBatchError)
    expect((error as PgBatchError).outcome).to.equal('unknown')
    expect(error.message).to.match(/^A worker thread has ended before its rows were written: .*certificate/)
    expect(sink.stats.rowsCommitted).to.equal(0)
    expect(sink.stats.rowsPending).to.equal(sink.stats.rowsReceived)
  })
})
