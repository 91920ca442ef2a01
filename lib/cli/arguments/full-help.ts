import type { Command } from 'commander'

/** Hides options that few people need. Only `--help-all` shows them, so that `--help` fits a screen. */
export function hideOptions(command: Command, names: readonly string[]): Command {
  for (const option of command.options) if (option.long && names.includes(option.long)) option.hidden = true
  return command
}

/** Adds `--help-all`, the help with all options. */
export function addFullHelp(command: Command): Command {
  return command
    .option('--help-all', 'print the help with all options')
    .on('option:help-all', () => {
      for (const option of command.options) option.hidden = false
      command.help()
    })
    .addHelpText('after', () => hiddenNames(command))
}

/** Lists the hidden options by name: `With --help-all: --quote, --escape …`. */
function hiddenNames(command: Command): string {
  const hidden = command.options.filter(option => option.hidden)
  if (hidden.length === 0) return ''
  const lines = ['With --help-all:']
  for (const { long } of hidden) {
    if (lines.at(-1)!.length + long!.length + 1 > 80) lines.push(' ')
    lines.push(`${lines.pop()} ${long}`)
  }
  return lines.join('\n')
}

/** The exit statuses, for the help of every command that writes rows. */
export const EXIT_STATUSES = 'Exit status: 0 done; 1 failed; 2 usage; 130 Ctrl-C, 143 SIGTERM, 129 SIGHUP.'
