import { once } from 'node:events'
import type { ServerArguments } from './arguments.ts'
import { openEmbeddedDatabase } from './embedded-database.ts'
import type { Output } from './output.ts'

/** Runs the embedded server in the foreground until the signal. */
export async function server(given: ServerArguments, output: Output, signal: AbortSignal): Promise<void> {
  const database = await openEmbeddedDatabase(given.port)
  const state = database.shared ? 'is running already' : 'is running'
  output.result(`The embedded PostgreSQL ${state}; any client reaches it, for example:`)
  output.result(`  psql ${database.connectionString}`)
  output.result(`Its data: ${database.dataDir}`)
  if (database.shared) return
  output.result('Ctrl-C stops it; the data stays.')
  if (!signal.aborted) await untilAborted(signal)
  await database.stop()
  output.note('Stopped.')
}

/** A signal alone does not keep the process alive. */
async function untilAborted(signal: AbortSignal): Promise<void> {
  const alive = setInterval(() => {}, 2 ** 30)
  try {
    await once(signal, 'abort')
  } finally {
    clearInterval(alive)
  }
}
