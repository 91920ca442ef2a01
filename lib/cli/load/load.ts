import type { LoadArguments } from '../arguments/arguments.ts'
import { connectionsOf } from '../arguments/run-options.ts'
import { chooseDatabase } from '../database/database.ts'
import { EarlyDatabase } from '../database/early-database.ts'
import { expandFiles } from '../files/expand-files.ts'
import { InputMeter } from '../files/input-meter.ts'
import { checkRejectsFile } from '../rejects/check-rejects-file.ts'
import type { Terminal } from '../terminal/output.ts'
import { chooseNotify } from '../watch/choose-notify.ts'

/**
 * Loads files into one table and prints one line about it. This module has only what comes before the
 * connection, since it takes 10 ms to load the rest.
 */
export async function load(args: LoadArguments, terminal: Terminal, signal: AbortSignal): Promise<void> {
  const notify = chooseNotify(args, terminal)
  if (args.files.includes('-') && terminal.stdin.isTTY) {
    notify('Reading rows from the terminal; Ctrl-D ends them.')
  }
  // an embedded server is started once the input is open: a wrong file name should not cost that
  const { files, notes } = await expandFiles(args.files)
  const destination = { url: args.database, embedded: args.embedded, env: terminal.env }
  chooseDatabase(destination, terminal.env) // checked before standard input is read
  if (args.rejects !== undefined) await checkRejectsFile(args.rejects, files)
  for (const note of notes) notify(note)
  const meter = await InputMeter.of(files)
  const request = { ...destination, connections: connectionsOf(args) + 1, notify, signal }
  // a pipe may be silent for long, and the columns of --evolve may come from a header
  const connectsEarly = !args.embedded && !args.evolve && meter.bytesTotal !== undefined
  const early = connectsEarly ? new EarlyDatabase(request, args.table) : undefined
  try {
    if (early) await turn() // the server starts a session while the code is loaded
    const { loadFiles } = await import('./load-files.ts')
    await loadFiles(files, { args, terminal, notify, signal, meter, request, early })
  } finally {
    await early?.abandon()
  }
}

/** Resolves once the event loop has looked for events, as for that of a socket that has connected. */
function turn(): Promise<void> {
  return new Promise(resolve => setImmediate(() => setImmediate(resolve)))
}
