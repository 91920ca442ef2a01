import { explainSample } from '../report/explain-load.ts'
import { loadIntoCreated } from './load-into-created.ts'
import { loadIntoExisting } from './load-into-existing.ts'
import type { LoadTask } from './load-task.ts'

/** Loads into the table that exists, or that `--create` makes. */
export async function loadIntoTable(task: LoadTask): Promise<void> {
  const { args, source } = task
  try {
    await (args.create ? loadIntoCreated(task) : loadIntoExisting(task))
  } catch (error) {
    throw explainSample(error, { args, format: source.format })
  }
}
