import { basename } from 'node:path'
import { Command } from 'commander'
import { shellWord } from '../../sources/shell-word.ts'
import { nearest } from '../../values/names/nearest.ts'
import { COMMAND } from '../terminal/command-name.ts'
import { hostOption, insteadOf } from './other-tools.ts'

/**
 * A command of commander that suggests more. "Did you mean" knows all options, also those that `--help`
 * hides. A file's name in the place of a command suggests `load`.
 */
export class Program extends Command {
  override createCommand(name?: string): Program {
    return new Program(name)
  }

  /**
   * Keeps an option with an optional value from taking the name of a file as its value, and `-h HOST` from
   * printing the help.
   */
  override parseOptions(argv: string[]): ReturnType<Command['parseOptions']> {
    if (this.#loadsRows && hostOption(argv) >= 0) {
      this.error(`option '-h' prints the help and takes no value; ${insteadOf('-h')}`)
    }
    const end = argv.includes('--') ? argv.indexOf('--') : argv.length
    this.#checkDashes(argv.slice(0, end))
    const parsed = super.parseOptions(
      argv.map((arg, at) => (arg === '--dry-run' && at < end ? '--dry-run=first' : arg)),
    )
    this.#checkCommand(parsed.operands)
    return parsed
  }

  /** Reports an option with a dash of word processors. The name of a file, or a value, may begin with one. */
  #checkDashes(argv: readonly string[]): void {
    const { options } = this.commands.find(command => command.name() === argv[0]) ?? this
    const names = ['-h', '--help', ...options.flatMap(({ short, long }) => [short, long])]
    const takesValue = (word = '') =>
      options.some(({ short, long, required }) => required && (word === short || word === long))
    for (const [at, word] of argv.entries()) {
      if (!LONG_DASH.test(word) || takesValue(argv[at - 1])) continue
      const meant = word.replace(LONG_DASH, /^.{2}(=|$)/u.test(word) ? '-' : '--')
      if (!names.includes(meant.split('=', 1)[0])) continue
      this.error(`'${word}' begins with a dash of word processors; write ${meant}`)
    }
  }

  /** Reports a mistyped command also after `help` and before `--help`. Commander prints the help for both. */
  #checkCommand([word, topic]: readonly string[]): void {
    const named = word === 'help' ? topic : word
    const known = ['help', ...this.commands.map(command => command.name())]
    if (this.commands.length > 0 && named !== undefined && !known.includes(named)) this.#refuseCommand(named)
  }

  /** Adds the next step to messages of commander, which have none. */
  override error(message: string, options: ErrorOptions & { code?: string; exitCode?: number } = {}): never {
    const names: string[] = []
    for (let command: Command | null = this; command; command = command.parent) names.unshift(command.name())
    const help = this.options.some(({ long }) => long === '--help-all') ? '--help-all' : '--help'
    const step = NEXT_STEPS[options.code ?? '']?.(names.join(' '), help)
    // what was meant is a next step
    return super.error(
      step && !/did you mean/i.test(message) ? `${message.replace(/\.$/, '')}; ${step}` : message,
      options,
    )
  }

  /** Commander calls this method. Its typings leave it out. */
  unknownOption(flag: string): void {
    const instead = this.#loadsRows ? insteadOf(flag) : undefined
    if (instead) this.error(`unknown option '${flag}'; ${instead}`)
    const [name = flag, value] = flag.split('=', 2)
    if (value !== undefined && this.options.some(({ long }) => long === name)) {
      this.error(`option '${name}' takes no value; write ${this.#withoutValue(name, value)}`)
    }
    const long = [...this.options.flatMap(({ long }) => long ?? []), '--help']
    this.error(`unknown option '${flag}'${meant(name.length > 2 ? nearest(name, long) : [])}`, {
      code: 'commander.unknownOption',
    })
  }

  /** Returns what `--header=false` means: `--no-header`, or no option. */
  #withoutValue(name: string, value: string): string {
    if (!/^(false|no|off|0)$/i.test(value)) return name
    const opposite = name.replace('--', '--no-')
    return this.options.some(({ long }) => long === opposite) ? opposite : `no ${name}`
  }

  /** True for the commands that write rows into a database. */
  get #loadsRows(): boolean {
    return this.options.some(({ long }) => long === '--database')
  }

  #refuseCommand(word: string): never {
    const names = [...this.commands.map(command => command.name()), '--version']
    const hint = namesFile(word) ? `; did you mean: ${loadCommand(word)}` : meant(nearest(word, names))
    return this.error(`unknown command '${word}'${hint}`, { code: 'commander.unknownCommand' })
  }
}

/** Word processors and web pages replace `--` by one long dash. */
const LONG_DASH = /^[\u2010-\u2015\u2212]{1,2}(?=\p{L})/u

/** What to do about an error of commander, by its code. */
const NEXT_STEPS: Readonly<Record<string, (command: string, help: string) => string>> = {
  'commander.missingArgument': command =>
    `name it: ${command} ${command.endsWith(' completion') ? 'bash' : 'FILE --table TABLE'}`,
  'commander.optionMissingArgument': (command, help) => `its values: ${command} ${help}`,
  'commander.conflictingOption': () => 'leave one of them out',
  'commander.excessArguments': command => `a name with spaces needs quotes; see ${command} --help`,
  'commander.unknownOption': (command, help) => `all options: ${command} ${help}`,
  'commander.unknownCommand': command => `the commands: ${command} --help`,
}

/** Returns ` (Did you mean --table?)`, or an empty string. */
function meant(words: readonly string[]): string {
  return words.length === 0 ? '' : ` (Did you mean ${words.join(' or ')}?)`
}

/** Returns true for a word with an extension, a path or a pattern. No command has these. */
export function namesFile(word: string): boolean {
  return /[./*?\\]/.test(word)
}

/** Returns `pg-batch load guests.csv --table guests`. */
function loadCommand(file: string): string {
  return `${COMMAND} load ${shellWord(file)} --table ${tableFor(file)}`
}

/**
 * Returns a table's name for a file: `sales` for `in/Sales.csv.gz`. Returns TABLE if the file's name gives
 * none.
 */
export function tableFor(file: string): string {
  const [stem = ''] = basename(file).split('.', 1)
  return (
    stem
      .toLowerCase()
      .replace(/[^a-z0-9_]+/g, '_')
      .replace(/^[\d_]+|_+$/g, '') || 'TABLE'
  )
}
