import { MessageChannel } from 'node:worker_threads'
import { expect } from 'chai'
import { type FromWorker, PARTS_REPORTED, type WorkerTask } from '../../../../lib/cli/workers/messages.ts'
import { SharedSlot, shareRecords } from '../../../../lib/cli/workers/shared-records.ts'
import { writeParts } from '../../../../lib/cli/workers/write-parts.ts'
import { parseConnection } from '../../../../lib/connection-string/parse-connection.ts'
import { CsvRecord } from '../../../../lib/csv/record.ts'
import { tableOf } from '../../../../lib/csv/record-table-builder.ts'
import { useDatabase } from '../../../support/servers/database.ts'
import { until } from '../../../support/until.ts'
import { workerTask } from '../../../support/worker-task.ts'
import { countOf } from '../../../support/writing.ts'

describe('a worker', () => {
  const database = useDatabase()

  beforeEach(() => database.pool.query('DROP TABLE IF EXISTS t; CREATE TABLE t (id int)'))

  /** Starts one, in this thread. Each part has one record, and memory of its own. */
  function startWorker(options: Pick<WorkerTask, 'patienceMs'>) {
    const { port1: main, port2 } = new MessageChannel()
    const messages: FromWorker[] = []
    main.on('message', message => messages.push(message))
    const connection = parseConnection(database.connectionString, 'it', {})
    const ended = writeParts(workerTask({ ...options, connection }), port2)
    let slot = 0
    return {
      send(id: number): void {
        const bytes = Buffer.from(String(id))
        const records = tableOf([new CsvRecord(bytes, 0, bytes.length, 1)])
        const { memory } = shareRecords(records, size => SharedSlot.of(size))
        const part = { faults: undefined, refused: undefined, partition: undefined, firstRow: 1 }
        main.postMessage({ kind: 'part', slot: slot++, memory, count: 1, firstLine: 1, ...part })
      },
      /** Returns how many batches were in each transaction. */
      async end(): Promise<number[]> {
        main.postMessage({ kind: 'end' })
        await ended
        await until('the last message', () => messages.at(-1)?.kind === 'end')
        return messages.filter(message => message.kind === 'commit').map(({ batches }) => batches)
      },
      /** Returns how many parts are reported as accepted. */
      accepted: () =>
        messages.reduce((sum, message) => sum + (message.kind === 'accepted' ? message.parts : 0), 0),
      committed: () => messages.some(({ kind }) => kind === 'commit'),
    }
  }

  it('waits for the next part of a file before it commits', async () => {
    const worker = startWorker({ patienceMs: 3_600_000 })
    for (let id = 1; id <= PARTS_REPORTED; id++) worker.send(id)
    await until('the parts to be accepted', () => worker.accepted() === PARTS_REPORTED)
    worker.send(PARTS_REPORTED + 1)
    expect(await worker.end()).to.deep.equal([PARTS_REPORTED + 1])
    expect(await countOf(database.pool, 't')).to.equal(PARTS_REPORTED + 1)
  })

  it('commits what has come of a pipe', async () => {
    const worker = startWorker({ patienceMs: 0 })
    worker.send(1)
    await until('the commit', worker.committed)
    expect(await countOf(database.pool, 't')).to.equal(1)
    expect(await worker.end()).to.deep.equal([1])
  })
})
