import { CommanderError } from 'commander'
import { makeProgram } from './arguments/arguments.ts'
import { EXIT, type Failure, usageFailure } from './exit-error.ts'
import { explain } from './report/explain.ts'
import { redirectWarnings, reportFailure, reportUnforeseen, voiceOf } from './report/report-failure.ts'
import { listenForSignals } from './signals.ts'
import { ignoreClosedPipes, terminal } from './terminal/output.ts'

/** Runs the command that the words ask for, and returns the exit status. */
export async function run(words: readonly string[]): Promise<number> {
  ignoreClosedPipes()
  const voice = voiceOf(words)
  redirectWarnings(voice, terminal)
  const interruption = listenForSignals()
  const program = makeProgram(
    {
      // loaded when needed, so that --help does not wait for a database driver
      load: async given => (await import('./load/load.ts')).load(given, terminal, interruption.signal),
      server: async given =>
        (await import('./server/server.ts')).server(given, terminal, interruption.signal),
    },
    message => reportFailure(usageFailure(message), EXIT.usage, voice, terminal),
  )
  try {
    await program.parseAsync(words, { from: 'user' })
    return EXIT.ok
  } catch (error) {
    // its line was written already
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage
    let failure: Failure
    try {
      failure = explain(error)
    } catch (unforeseen) {
      if (voice !== 'json') throw unforeseen
      reportUnforeseen(unforeseen, terminal)
      return EXIT.failed
    }
    const status = interruption.status() ?? failure.status
    reportFailure(failure, status, voice, terminal)
    return status
  }
}
