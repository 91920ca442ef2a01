import { stopTestServer } from './database.ts'
import { stopTestKafka } from './kafka/test-broker.ts'

export const mochaHooks = {
  async afterAll(): Promise<void> {
    await stopTestKafka()
    await stopTestServer()
  },
}
