import { type Command, InvalidArgumentError, Option } from 'commander'
import { nameList, oneOf, positiveInteger } from './option-values.ts'

/** What happens to the table before rows are written. */
export interface CreateArguments {
  readonly create?: boolean
  readonly infer?: 'sample' | 'all'
  readonly type?: ReadonlyMap<string, string>
  readonly key?: readonly string[]
  readonly notNull?: boolean
  /** Add columns for names that the table lacks. */
  readonly evolve?: boolean
  /** The most columns that --evolve adds. */
  readonly maxNewColumns?: number
  readonly truncate?: boolean
  readonly append?: boolean
  /** `all`: every row is tried, and not only the first ones. */
  readonly dryRun?: 'first' | 'all'
}

export function addCreateOptions(command: Command): Command {
  return command
    .option('--create', 'create the table, with types inferred from the data')
    .option('--key <a,b,…>', 'with --create: the primary key', nameList)
    .option('--evolve', 'add columns that the table lacks, with types inferred')
    .option('--truncate', 'empty the table first; without it rows are appended')
    .option(
      '--dry-run [=all]',
      'show the plan, and try the first 1,000 rows, or all',
      oneOf(['first', 'all']),
    )
    .addOption(new Option('--append', 'append rows, which is the default').conflicts(['truncate', 'create']))
    .addOption(
      new Option('--infer <rows>', 'for new columns: types of the first 1,000 rows, or all').choices([
        'sample',
        'all',
      ]),
    )
    .option('--type <column=type>', 'the type of a new column; repeatable', typeOfColumn)
    .option('--max-new-columns <n>', 'with --evolve: more are refused (20)', positiveInteger)
    .option('--not-null', 'with --create: NOT NULL where all rows have values')
}

export const RARE_CREATE_OPTIONS = ['--append', '--infer', '--type', '--not-null', '--max-new-columns']

/** Returns why the options contradict each other, as a usage error. */
export function createUsageError(
  args: CreateArguments & {
    readonly files: readonly string[]
    readonly resume?: unknown
    readonly identity?: unknown
    readonly columns?: unknown
    readonly header?: boolean
  },
): string | undefined {
  const { create, truncate, evolve } = args
  const lone = firstGiven({ '--key': args.key, '--not-null': args.notNull })
  if (lone && !create) return `${lone} works only with --create`
  const loneType = firstGiven({ '--infer': args.infer, '--type': args.type })
  if (loneType && !create && !evolve) return `${loneType} works only with --create or --evolve`
  if (args.maxNewColumns !== undefined && !evolve) return '--max-new-columns works only with --evolve'
  if (evolve && args.columns) return '--evolve adds columns for all names in the file; leave out --columns'
  if (evolve && args.header === false) return '--evolve needs the names of a header, or of JSON'
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

function firstGiven(options: Record<string, unknown>): string | undefined {
  return Object.keys(options).find(name => options[name] !== undefined)
}

/** Reads `column=type`. The type is the user's own SQL, without characters that could end the statement. */
function typeOfColumn(text: string, before: ReadonlyMap<string, string> = new Map()): Map<string, string> {
  const [, name, type] = /^(.+)=([^=;'-]+)$/.exec(text) ?? []
  if (name === undefined || type === undefined) throw new InvalidArgumentError('Expected "column=type".')
  if (before.has(name)) throw new InvalidArgumentError(`"${name}" has a type already.`)
  return new Map([...before, [name, type.trim()]])
}
