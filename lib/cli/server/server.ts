import { once } from 'node:events'
import { openEmbeddedDatabase } from '../../embedded/embedded-database.ts'
import { passwordFileOf } from '../../embedded/embedded-password.ts'
import { shellWord } from '../../sources/shell-word.ts'
import type { ServerArguments } from '../arguments/arguments.ts'
import type { Output } from '../terminal/output.ts'

/** Runs the embedded server in the foreground until the signal. */
export async function server(args: ServerArguments, output: Output, signal: AbortSignal): Promise<void> {
  const database = await openEmbeddedDatabase(args.port)
  const state = database.shared ? 'is running already' : 'is running'
  const passwordFile = passwordFileOf(database.dataDir)
  const url = new URL(database.connectionString)
  url.password = ''
  output.result(`The embedded PostgreSQL ${state}. Clients connect with this URL:`)
  output.result(`  ${database.connectionString}`)
  output.result('psql reads the password from a file that only you can read:')
  output.result(`  PGPASSFILE=${shellWord(passwordFile)} psql ${url.href}`)
  output.result(`Its data: ${database.dataDir}`)
  if (database.shared) return database.stop()
  output.result('Ctrl-C stops the server. The data is kept.')
  if (!signal.aborted) await untilAborted(signal)
  await database.stop()
  output.note('Stopped.')
}

/** Keeps the process alive, which a signal alone does not do. */
async function untilAborted(signal: AbortSignal): Promise<void> {
  const alive = setInterval(() => {}, 2 ** 30)
  try {
    await once(signal, 'abort')
  } finally {
    clearInterval(alive)
  }
}
