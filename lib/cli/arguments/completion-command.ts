import { Argument, type Command } from 'commander'
import { completionScript, SHELLS, type Shell } from './completion.ts'

/** Adds `pg-batch completion bash|zsh`, which prints a script for the shell. */
export function addCompletionCommand(program: Command): void {
  program
    .command('completion')
    .summary('print a script that completes words in a shell')
    .description('Print a script that makes SHELL complete the commands, options and files of pg-batch.')
    .addArgument(new Argument('<shell>', 'the shell').choices(SHELLS))
    .addHelpText('after', COMPLETION_HELP)
    .action((shell: Shell, _options: unknown, command: Command) => {
      const write = command.configureOutput().writeOut ?? (text => process.stdout.write(text))
      write(completionScript(program, shell))
    })
}

const COMPLETION_HELP = `
Examples:
  source <(pg-batch completion bash)
  pg-batch completion zsh > ~/.zfunc/_pg-batch

Exit status: 0 done; 2 wrong usage.`
