import { CommanderError } from 'commander'
import { makeProgram } from './arguments.ts'
import { explain } from './explain.ts'
import { EXIT } from './failure.ts'
import { ignoreClosedPipes, terminal } from './output.ts'
import { listenForSignals } from './signals.ts'

/** Runs the command that the words ask for, and returns the exit status. */
export async function run(words: readonly string[]): Promise<number> {
  ignoreClosedPipes()
  const interruption = listenForSignals()
  const program = makeProgram({
    // loaded when needed, so that --help does not wait for a database driver
    load: async given => (await import('./load.ts')).load(given, terminal, interruption.signal),
    server: async given => (await import('./server.ts')).server(given, terminal, interruption.signal),
  })
  try {
    await program.parseAsync(words, { from: 'user' })
    return EXIT.ok
  } catch (error) {
    // commander has written its line already
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage
    const failure = explain(error)
    if (!failure.told) terminal.note(`pg-batch: ${failure.message}`)
    return interruption.status() ?? failure.status
  }
}
