import { basename } from 'node:path'
import { Command } from 'commander'
import { nearest } from '../../options/nearest.ts'
import { shellWord } from '../../sources/shell-word.ts'

/**
 * A command of commander whose "Did you mean" knows every option, those that `--help` hides among them, and knows that
 * a file's name in the place of a command is a forgotten `load`.
 */
export class Program extends Command {
  override createCommand(name?: string): Program {
    return new Program(name)
  }

  /** Called by commander, whose typings leave it out. */
  unknownOption(flag: string): void {
    const [name = flag] = flag.split('=', 1)
    const long = [...this.options.flatMap(({ long }) => long ?? []), '--help']
    this.error(`unknown option '${flag}'${meant(name.length > 2 ? nearest(name, long) : [])}`, {
      code: 'commander.unknownOption',
    })
  }

  /** Called by commander, whose typings leave it out. */
  unknownCommand(): void {
    const [word = ''] = this.args
    const names = this.commands.map(command => command.name())
    const hint = namesFile(word) ? `; did you mean: ${loadCommand(word)}` : meant(nearest(word, names))
    this.error(`unknown command '${word}'${hint}`, { code: 'commander.unknownCommand' })
  }
}

/** ` (Did you mean --table?)` */
function meant(words: readonly string[]): string {
  return words.length === 0 ? '' : ` (Did you mean ${words.join(' or ')}?)`
}

/** True for a word with an extension, a path or a pattern: no command has these. */
function namesFile(word: string): boolean {
  return /[./*?\\]/.test(word)
}

/** `pg-batch load guests.csv --table guests` */
function loadCommand(file: string): string {
  return `pg-batch load ${shellWord(file)} --table ${tableFor(file)}`
}

/** A table's name for a file: `sales` for `in/Sales-2026.csv.gz`; TABLE where the name gives none. */
export function tableFor(file: string): string {
  const [stem = ''] = basename(file).split('.', 1)
  return (
    stem
      .toLowerCase()
      .replace(/[^a-z0-9_]+/g, '_')
      .replace(/^[\d_]+|_+$/g, '') || 'TABLE'
  )
}
