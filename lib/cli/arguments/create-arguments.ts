import { type Command, InvalidArgumentError, Option } from 'commander'
import { nameList, oneOf } from './option-values.ts'

/** What happens to the table before rows are written. */
export interface CreateArguments {
  readonly create?: boolean
  readonly infer?: 'sample' | 'all'
  readonly type?: ReadonlyMap<string, string>
  readonly key?: readonly string[]
  readonly notNull?: boolean
  readonly truncate?: boolean
  readonly append?: boolean
  /** `all`: every row is tried, and not only the first ones. */
  readonly dryRun?: 'first' | 'all'
}

export function addCreateOptions(command: Command): Command {
  return command
    .option('--create', 'create the table, with types inferred from the data')
    .option('--key <a,b,…>', 'with --create: the primary key', nameList)
    .option('--truncate', 'empty the table first; without it rows are appended')
    .option(
      '--dry-run [=all]',
      'show the plan, and try the first 1,000 rows, or all',
      oneOf(['first', 'all']),
    )
    .addOption(new Option('--append', 'append rows, which is the default').conflicts(['truncate', 'create']))
    .addOption(
      new Option('--infer <rows>', 'with --create: types of the first 1,000 rows, or all').choices([
        'sample',
        'all',
      ]),
    )
    .option('--type <column=type>', 'with --create: the type of a column; repeatable', typeOfColumn)
    .option('--not-null', 'with --create: NOT NULL where all rows have values')
}

export const RARE_CREATE_OPTIONS = ['--append', '--infer', '--type', '--not-null']

/** Returns why the options contradict each other, as a usage error. */
export function createUsageError(
  args: CreateArguments & {
    readonly files: readonly string[]
    readonly resume?: unknown
    readonly identity?: unknown
  },
): string | undefined {
  const { create, truncate } = args
  const needing = Object.entries({
    '--infer': args.infer,
    '--type': args.type,
    '--key': args.key,
    '--not-null': args.notNull,
  })
  const lone = needing.find(([, value]) => value !== undefined)
  if (lone && !create) return `${lone[0]} works only with --create`
  if (create && args.identity)
    return '--identity is for a table that exists; --create makes no identity columns'
  if (create && truncate) return '--create makes a new table; there is nothing to --truncate'
  if (truncate && args.resume !== undefined) {
    return '--truncate would remove the rows that --resume continues after; choose one of them'
  }
  if (args.infer === 'all' && args.files.includes('-')) {
    return '--infer all reads the rows twice, which standard input cannot; save them to a file first'
  }
  return undefined
}

/** Reads `column=type`. The type is the user's own SQL, without characters that could end the statement. */
function typeOfColumn(text: string, before: ReadonlyMap<string, string> = new Map()): Map<string, string> {
  const [, name, type] = /^(.+)=([^=;'-]+)$/.exec(text) ?? []
  if (name === undefined || type === undefined) throw new InvalidArgumentError('Expected "column=type".')
  if (before.has(name)) throw new InvalidArgumentError(`"${name}" has a type already.`)
  return new Map([...before, [name, type.trim()]])
}
