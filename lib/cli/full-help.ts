import type { Command } from 'commander'

/** Options that few people need: only `--help-all` shows them, so that `--help` fits a screen. */
export function hideOptions(command: Command, names: readonly string[]): Command {
  for (const option of command.options) if (option.long && names.includes(option.long)) option.hidden = true
  return command
}

/** Adds `--help-all`, the help with every option in it. */
export function addFullHelp(command: Command): Command {
  return command.option('--help-all', 'print the help with all options').on('option:help-all', () => {
    for (const option of command.options) option.hidden = false
    command.help()
  })
}

/** What every command that writes rows says of its end. */
export const EXIT_STATUSES = 'Exit status: 0 done; 1 rows or database failed; 2 wrong usage; 130 Ctrl-C.'
