import { type KafkaBroker, startKafka } from './broker.ts'

// one broker for a whole test run; mocha may load this module twice, see database.ts
const shared = globalThis as { pgBatchTestKafka?: Promise<KafkaBroker> | undefined }

export function testKafka(): Promise<KafkaBroker> {
  shared.pgBatchTestKafka ??= startKafka()
  return shared.pgBatchTestKafka
}

/** Ends the run's broker, if a test has asked for one. */
export async function stopTestKafka(): Promise<void> {
  const broker = await shared.pgBatchTestKafka
  shared.pgBatchTestKafka = undefined
  await broker?.stop()
}
