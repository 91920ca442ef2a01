import { type Command, Option } from 'commander'
import { inGlyphs } from '../terminal/glyphs.ts'
import { version } from '../version.ts'
import { addCompletionCommand } from './completion-command.ts'
import {
  addConflictOptions,
  type ConflictArguments,
  conflictUsageError,
  RARE_CONFLICT_OPTIONS,
} from './conflict-arguments.ts'
import {
  addCreateOptions,
  type CreateArguments,
  createUsageError,
  RARE_CREATE_OPTIONS,
} from './create-arguments.ts'
import { addFullHelp, EXIT_STATUSES, hideOptions } from './full-help.ts'
import {
  addInputOptions,
  type InputArguments,
  inputUsageError,
  RARE_INPUT_OPTIONS,
} from './input-arguments.ts'
import { nameList, oneOf, positiveInteger } from './option-values.ts'
import { namesFile, Program, tableFor } from './program.ts'
import { addResumeOption, addRunOptions, type RunArguments, runUsageError } from './run-options.ts'
import {
  addReplaceOptions,
  addSingleTransactionOption,
  RARE_WHOLE_LOAD_OPTIONS,
  type WholeLoadArguments,
  wholeLoadUsageError,
} from './whole-load-arguments.ts'

/** The arguments of `pg-batch load`. */
export interface LoadArguments
  extends InputArguments,
    CreateArguments,
    ConflictArguments,
    RunArguments,
    WholeLoadArguments {
  /** File names and patterns; `-` is standard input. */
  readonly files: readonly string[]
  readonly table: string
  readonly columns?: readonly string[]
  /** `keep`: the file's values go into identity columns that are GENERATED ALWAYS. */
  readonly identity?: 'keep'
  readonly batchSize?: number
  readonly concurrency?: number
  readonly database?: string
  /** Load into the embedded server, even if the environment names a database. */
  readonly embedded?: boolean
  /** The file holds rejected rows: set by `pg-batch replay`. */
  readonly replay?: boolean
}

/** The arguments of `pg-batch server`. */
export interface ServerArguments {
  readonly port?: number
}

/** The work of each command. This module only decides which one runs. */
export interface Commands {
  load(args: LoadArguments): Promise<void>
  server(args: ServerArguments): Promise<void>
}

/** How help, and what is wrong, are printed. By default the process prints them. */
export interface UsageOutput {
  print?(text: string): void
  report?(message: string): void
}

/** Returns the command line of `pg-batch`. Wrong usage is reported and then thrown as a CommanderError. */
export function makeProgram(commands: Commands, { print, report }: UsageOutput = {}): Command {
  const program: Command = new Program('pg-batch')
    .description('Load CSV, NDJSON, JSON and Parquet files into PostgreSQL, in batches, by COPY.')
    .version(version, '-v, --version', 'print the version')
    .addOption(new Option('-V').hideHelp())
    .on('option:V', () => program.parse(['--version'], { from: 'user' }))
    .helpOption('-h, --help', 'print this help')
    .helpCommand('help [command]', 'print the help of a command')
    .exitOverride()
    .configureOutput({
      writeOut: text => (print ?? (shown => process.stdout.write(shown)))(inGlyphs(text)),
      outputError: (text, write) =>
        reportUsage(inGlyphs(text), report ?? (line => write(`pg-batch: ${line}\n`))),
    })
    .addHelpText('after', PROGRAM_HELP)
  addLoad(program, commands)
  addReplay(program, commands)
  program
    .command('server')
    .summary('run the embedded server, to query what was loaded')
    .description('Run the embedded PostgreSQL of load --embedded until Ctrl-C. The data is kept.')
    .option('-p, --port <port>', 'default: 54320, or any free port', positiveInteger)
    .action((options: ServerArguments) => commands.server(options))
  addCompletionCommand(program)
  return program
}

function addLoad(program: Command, commands: Commands): void {
  const load = addTableOption(
    program
      .command('load')
      .summary('load files, or standard input, into a table')
      .description('Load files into a table. "-" is standard input; gzip, zstd, *.br are unpacked.')
      .argument('<file...>', "files, a folder, or a pattern such as 'part-*.csv'"),
  )
  addCreateOptions(addInputOptions(load)).option(
    '-c, --columns <a,b,…>',
    'load only these columns of the file',
    nameList,
  )
  addTargetOptions(addReplaceOptions(load))
    .addHelpText('after', LOAD_HELP)
    .action((files: string[], options: Partial<LoadArguments>, command: Command) =>
      commands.load(checkedLoad(files, options, command)),
    )
  addFullHelp(hideOptions(addResumeOption(addRunOptions(load)), RARE_OPTIONS))
}

function addReplay(program: Command, commands: Commands): void {
  const replay = addTableOption(
    program
      .command('replay')
      .summary('load rejected rows again after a correction')
      .description('Load the rows of a file that `load --rejects` wrote, after you corrected them.')
      .argument('<file>', 'NDJSON: each line a rejected row, or the "row" of one'),
  )
  addTargetOptions(replay)
    .addHelpText('after', REPLAY_HELP)
    .action((file: string, options: Partial<LoadArguments>, command: Command) =>
      commands.load({ ...checkedLoad([file], options, command), replay: true }),
    )
  addFullHelp(hideOptions(addRunOptions(replay), RARE_OPTIONS))
}

function addTableOption(command: Command): Command {
  return command.option('-t, --table <name>', 'the table, or schema.table; required')
}

/** Adds the options that say how rows go into the table, and into which database. */
function addTargetOptions(command: Command): Command {
  return addSingleTransactionOption(addConflictOptions(command))
    .option('--identity <what>', "keep: write the file's values of GENERATED ALWAYS columns", oneOf(['keep']))
    .option('--batch-size <rows>', 'the most rows in a batch (5000; 20000 for workers)', positiveInteger)
    .option('--concurrency <n>', 'connections that write (2; 1 if order matters)', positiveInteger)
    .option('-d, --database <url>', 'the database (DATABASE_URL, or PG* as for psql)')
    .option('--embedded', 'use the embedded PostgreSQL: see pg-batch server')
}

/** Checks what no single option can check. An unknown option has been reported by now. */
function checkedLoad(files: string[], options: Partial<LoadArguments>, command: Command): LoadArguments {
  const { table } = options
  if (!table) {
    const [file, second] = files
    // as in other commands, the table may be meant by a second word
    const isTable = files.length === 2 && second !== undefined && !namesFile(second)
    const name = isTable ? second : file === undefined || file === '-' ? undefined : tableFor(file)
    const example = name === undefined ? 'with --table' : `for example with --table ${name}`
    return command.error(`error: name the table, ${example}`)
  }
  if (options.embedded && options.database !== undefined) {
    return command.error('error: --embedded and --database contradict each other')
  }
  const args = { ...options, files, table, ...(options.replace ? { singleTransaction: true } : {}) }
  const mistake =
    conflictUsageError(args) ??
    wholeLoadUsageError(args) ??
    inputUsageError(args) ??
    createUsageError(args) ??
    runUsageError(args)
  return mistake === undefined ? args : command.error(`error: ${mistake}`)
}

/** Reports commander's text in one line and without its prefix `error: `. */
function reportUsage(text: string, report: (message: string) => void): void {
  report(
    text
      .replace(/^error: /, '')
      .trimEnd()
      .replaceAll('\n', ' '),
  )
}

const PROGRAM_HELP = `
Examples:
  pg-batch load orders.csv --table orders
  pg-batch load events.ndjson.gz --table log.events --on-conflict id
  curl -s https://example.com/rows.json | pg-batch load - --table rows
  pg-batch replay rejected.ndjson --table orders
  pg-batch server

${EXIT_STATUSES}
Options of a command: pg-batch load --help`

const RARE_OPTIONS = [
  ...RARE_INPUT_OPTIONS,
  ...RARE_CREATE_OPTIONS,
  ...RARE_CONFLICT_OPTIONS,
  '--identity',
  ...RARE_WHOLE_LOAD_OPTIONS,
  '--batch-size',
  '--concurrency',
  '--workers',
  '--summary',
  '--quiet',
  '--log',
  '--metrics-file',
]

const LOAD_HELP = `
Examples:
  pg-batch load 'part-*.csv' --table orders --create --key id --dry-run
  pg-batch load orders.csv.gz --table sales.orders --on-conflict id
  pg-batch load orders.csv -t orders --rejects bad.ndjson --reject-limit 1%

${EXIT_STATUSES}`

const REPLAY_HELP = `
Examples:
  pg-batch replay bad.ndjson --table orders
  pg-batch replay bad.ndjson -t orders --rejects still-bad.ndjson

${EXIT_STATUSES}`
