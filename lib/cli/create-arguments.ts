import { type Command, InvalidArgumentError, Option } from 'commander'
import { nameList } from './option-values.ts'

/** What becomes of the table before the rows come. */
export interface CreateArguments {
  readonly create?: boolean
  readonly infer?: 'sample' | 'all'
  readonly type?: ReadonlyMap<string, string>
  readonly key?: readonly string[]
  readonly notNull?: boolean
  readonly truncate?: boolean
  readonly append?: boolean
  readonly dryRun?: boolean
}

export function addCreateOptions(command: Command): Command {
  const hidden = (flags: string) => new Option(flags).hideHelp()
  return command
    .option('--create', 'make the table, with types inferred from the data')
    .option('--truncate', 'empty the table first; else rows are appended')
    .option('--dry-run', 'show plan, statement and first rows; write nothing')
    .addOption(hidden('--append').conflicts(['truncate', 'create']))
    .addOption(hidden('--infer <rows>').choices(['sample', 'all']))
    .addOption(hidden('--type <column=type>').argParser(typeOfColumn))
    .addOption(hidden('--key <a,b,…>').argParser(nameList))
    .addOption(hidden('--not-null'))
}

export const CREATE_HELP = `
With --create: --infer all (every row, not the first 1,000)  --key a,b
     --type "col=numeric(9,2)" (repeatable)  --not-null (where all have values)`

/** What contradicts itself, in the words of a usage error. */
export function createMistake(
  given: CreateArguments & { readonly files: readonly string[]; readonly resume?: unknown },
): string | undefined {
  const { create, truncate } = given
  const needing = Object.entries({
    '--infer': given.infer,
    '--type': given.type,
    '--key': given.key,
    '--not-null': given.notNull,
  })
  const lone = needing.find(([, value]) => value !== undefined)
  if (lone && !create) return `${lone[0]} has a meaning only with --create`
  if (create && truncate) return '--create makes a new table; there is nothing to --truncate'
  if (truncate && given.resume !== undefined) {
    return '--truncate would remove the rows that --resume goes on from; choose one of them'
  }
  if (given.infer === 'all' && given.files.includes('-')) {
    return '--infer all reads the rows twice, which standard input cannot; save them to a file first'
  }
  return undefined
}

/** The type is the user's own SQL, but no more than a type: nothing that could end the statement. */
function typeOfColumn(text: string, before: ReadonlyMap<string, string> = new Map()): Map<string, string> {
  const [, name, type] = /^(.+)=([^=;'-]+)$/.exec(text) ?? []
  if (name === undefined || type === undefined) throw new InvalidArgumentError('Expected "column=type".')
  if (before.has(name)) throw new InvalidArgumentError(`"${name}" has a type already.`)
  return new Map([...before, [name, type.trim()]])
}
