import type { Command, Option } from 'commander'

/** The shells that scripts are made for. */
export const SHELLS = ['bash', 'zsh'] as const
export type Shell = (typeof SHELLS)[number]

/**
 * What can be completed of one command. It is read from the program itself, so that the two cannot differ.
 */
interface Completions {
  readonly name: string
  readonly summary: string
  readonly options: readonly OptionWords[]
  readonly argument: Completable
  /** The argument may be repeated. */
  readonly repeats: boolean
}

/** What may be in one place of the command line. */
type Completable =
  | { readonly kind: 'nothing' }
  | { readonly kind: 'file' }
  /** One of these words. If there are none, any word. */
  | { readonly kind: 'words'; readonly words: readonly string[] }

interface OptionWords {
  readonly flags: readonly string[]
  readonly description: string
  readonly value: Completable
}

/** Returns the script that `pg-batch completion bash|zsh` prints. */
export function completionScript(program: Command, shell: Shell): string {
  const commands = [...program.commands.map(completionsOf), helpCompletions(program)]
  return shell === 'bash' ? bashScript(program.name(), commands) : zshScript(program.name(), commands)
}

function completionsOf(command: Command): Completions {
  const help = { flags: ['-h', '--help'], description: 'print this help', value: NOTHING }
  const [argument] = command.registeredArguments
  return {
    name: command.name(),
    summary: command.summary(),
    options: [...command.options.map(wordsOf), help],
    argument: argument ? wordsOrFile(argument.argChoices) : NOTHING,
    repeats: argument?.variadic ?? false,
  }
}

/** Commander's own command, which is not among the program's. */
function helpCompletions(program: Command): Completions {
  const words = program.commands.map(command => command.name())
  const argument = { kind: 'words', words } as const
  return { name: 'help', summary: 'print the help of a command', options: [], argument, repeats: false }
}

function wordsOf(option: Option): OptionWords {
  const flags = [option.short, option.long].filter(flag => flag !== undefined)
  return { flags, description: option.description, value: valueOfOption(option) }
}

function valueOfOption({ flags, argChoices, parseArg }: Option): Completable {
  const placeholder = /[<[](.*)[>\]]/.exec(flags)?.[1]
  // the value after = is optional: the next word is not one
  if (placeholder === undefined || placeholder.startsWith('=')) return NOTHING
  if (placeholder === 'file') return { kind: 'file' }
  return { kind: 'words', words: argChoices ?? (parseArg as { words?: string[] })?.words ?? [] }
}

const NOTHING: Completable = { kind: 'nothing' }

/** An argument without a list of words is a file. */
function wordsOrFile(words: readonly string[] | undefined): Completable {
  return words ? { kind: 'words', words } : { kind: 'file' }
}

/** @see https://www.gnu.org/software/bash/manual/html_node/Programmable-Completion.html */
function bashScript(program: string, commands: readonly Completions[]): string {
  const name = `_${program.replace(/\W/g, '_')}`
  const values = commands.flatMap(({ name, options }) =>
    options
      .filter(({ value }) => value.kind !== 'nothing')
      .map(
        ({ flags, value }) =>
          `    ${flags.map(flag => `${name}:${flag}`).join('|')}) lines=$(${compgen(value)}) ;;`,
      ),
  )
  const flags = commands.map(
    ({ name, options }) => `      ${name}) words='${options.flatMap(option => option.flags).join(' ')}' ;;`,
  )
  const arguments_ = commands.map(({ name, argument }) => `      ${name}) lines=$(${compgen(argument)}) ;;`)
  const first = [...commands.map(command => command.name), '--help', '--version']
  return `# bash completion for ${program}: put it where bash-completion looks, or run
#   source <(${program} completion bash)
${name}() {
  local word=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD-1]} command=\${COMP_WORDS[1]}
  local lines='' words=''
  COMPREPLY=()
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W '${first.join(' ')}' -- "$word"))
    return
  fi
  case "$command:$previous" in
${values.join('\n')}
    *) case "$word" in
    -*) case "$command" in
${flags.join('\n')}
      esac
      lines=$(compgen -W "$words" -- "$word") ;;
    *) case "$command" in
${arguments_.join('\n')}
      esac ;;
    esac ;;
  esac
  local IFS=$'\\n'
  COMPREPLY=($lines)
}
complete -o filenames -F ${name} ${program}
`
}

/** Returns the command of bash that lists the candidates. */
function compgen(place: Completable): string {
  if (place.kind === 'file') return 'compgen -f -- "$word"'
  return `compgen -W '${place.kind === 'words' ? place.words.join(' ') : ''}' -- "$word"`
}

/** @see https://zsh.sourceforge.io/Doc/Release/Completion-System.html#Completion-Functions */
function zshScript(program: string, commands: readonly Completions[]): string {
  const name = `_${program.replace(/\W/g, '_')}`
  const cases = commands.map(({ name, options, argument, repeats }) => {
    const place = zshPlace(argument)
    const specs = [...options.flatMap(zshOption), ...(place ? [`'${repeats ? '*' : '1'}${place}'`] : [])]
    return `    ${name})\n      _arguments \\\n        ${specs.join(' \\\n        ')} ;;`
  })
  const described = commands.map(({ name, summary }) => `    ${quoted(`${name}:${summary}`)}`)
  return `#compdef ${program}
# zsh completion for ${program}: put it as ${name} into a directory of $fpath, or run
#   source <(${program} completion zsh)
${name}() {
  local -a commands=(
${described.join('\n')}
  )
  if (( CURRENT == 2 )); then
    _describe command commands
    return
  fi
  local command=$words[2]
  shift words
  (( CURRENT-- ))
  case $command in
${cases.join('\n')}
  esac
}
if [ "$funcstack[1]" = ${name} ]; then ${name} "$@"; else compdef ${name} ${program}; fi
`
}

/** Returns `'(-t --table)'{-t,--table}'[the table]: : '`. */
function zshOption({ flags, description, value }: OptionWords): string[] {
  const text = description.replace(/[\\[\]:]/g, '\\$&')
  return flags.map(flag => quoted(`(${flags.join(' ')})${flag}[${text}]${zshPlace(value)}`))
}

function zshPlace(place: Completable): string {
  if (place.kind === 'nothing') return ''
  return place.kind === 'file' ? ':file:_files' : `: :(${place.words.join(' ')})`
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`
}
