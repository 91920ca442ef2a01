import { CommanderError } from 'commander'
import { makeProgram } from './arguments/arguments.ts'
import { EXIT, type ExitError, usageError } from './exit-error.ts'
import {
  noteIn,
  outputModeOf,
  redirectWarnings,
  reportError,
  reportUnexpected,
} from './report/report-error.ts'
import { type Interruption, listenForSignals } from './signals.ts'
import { type Terminal, terminalOf, watchOutputs } from './terminal/output.ts'

/** Runs the command as the process. Returns the exit status. */
export function run(argv: readonly string[]): Promise<number> {
  const terminal = terminalOf(process)
  const mode = outputModeOf(argv)
  watchOutputs(terminal, noteIn(mode, terminal))
  redirectWarnings(mode, terminal)
  return runCommand(argv, terminal, listenForSignals())
}

/** Runs the command that the arguments ask for. Returns the exit status. */
export async function runCommand(
  argv: readonly string[],
  terminal: Terminal,
  interruption: Interruption,
): Promise<number> {
  const mode = outputModeOf(argv)
  const program = makeProgram(
    {
      // loaded when needed, so that --help does not wait for a database driver
      load: async args => (await import('./load/load.ts')).load(args, terminal, interruption.signal),
      server: async args => (await import('./server/server.ts')).server(args, terminal, interruption.signal),
    },
    {
      print: text => terminal.stdout.write(text),
      report: message => reportError(usageError(message), EXIT.usage, mode, terminal),
    },
  )
  try {
    await program.parseAsync(argv, { from: 'user' })
    return EXIT.ok
  } catch (error) {
    // commander has reported it
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage
    let failure: ExitError
    // loaded when needed: it knows the errors of all that a load can do
    const { explain } = await import('./report/explain.ts')
    try {
      failure = explain(error)
    } catch (unforeseen) {
      if (mode !== 'json') throw unforeseen
      reportUnexpected(unforeseen, terminal)
      return EXIT.failed
    }
    const status = interruption.status() ?? failure.status
    reportError(failure, status, mode, terminal)
    return status
  }
}
