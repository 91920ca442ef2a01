import { stopTestServer } from './database.ts'
import { stopTestKafka } from './kafka/test-broker.ts'

// A worker of a parallel run has its root hooks called after each of its files. A server takes a second to
// start, so a worker keeps its own from file to file, and its exit ends it.
const inWorker = process.env.MOCHA_WORKER_ID !== undefined
// a process that a test starts is not a worker
delete process.env.MOCHA_WORKER_ID

export const mochaHooks = {
  async afterAll(): Promise<void> {
    if (inWorker) return
    await stopTestKafka()
    await stopTestServer()
  },
}
