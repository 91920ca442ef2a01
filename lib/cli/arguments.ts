import { createRequire } from 'node:module'
import { Command } from 'commander'
import { addCreateOptions, CREATE_HELP, type CreateArguments, createMistake } from './create-arguments.ts'
import { addInputOptions, CSV_HELP, type InputArguments, inputMistake } from './input-arguments.ts'
import { nameList, oneOf, positiveInteger } from './option-values.ts'

/** What `pg-batch load` was asked to do. */
export interface LoadArguments extends InputArguments, CreateArguments {
  /** Names and patterns; `-` is standard input. */
  readonly files: readonly string[]
  readonly table: string
  readonly columns?: readonly string[]
  readonly onConflict?: readonly string[]
  readonly onConflictDo?: 'update' | 'nothing'
  readonly batchSize?: number
  readonly concurrency?: number
  readonly database?: string
}

/** What `pg-batch server` was asked to do. */
export interface ServerArguments {
  readonly port?: number
}

/** What each command does; the arguments only decide which. */
export interface Commands {
  load(given: LoadArguments): Promise<void>
  server(given: ServerArguments): Promise<void>
}

const { version } = createRequire(import.meta.url)('../../package.json') as { version: string }

/** The command line of `pg-batch`. Wrong usage throws a CommanderError, after its line was written. */
export function makeProgram(commands: Commands): Command {
  const program = new Command('pg-batch')
    .description('Load CSV, NDJSON and JSON files into PostgreSQL, in batches, by COPY.')
    .version(version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .helpCommand(false)
    .showSuggestionAfterError()
    .exitOverride()
    .configureOutput({ outputError: writeError })
    .addHelpText('after', PROGRAM_HELP)
  const load = program
    .command('load')
    .summary('load files, or standard input, into a table')
    .description('Load files into a table. "-" is standard input; gzip, zstd, brotli are unpacked.')
    .argument('<file...>', "CSV, TSV, NDJSON, JSON arrays; or 'part-*.csv'")
    .option('-t, --table <name>', 'the table, or schema.table; has to be named')
  addCreateOptions(addInputOptions(load))
    .option('-c, --columns <a,b,…>', 'load only these of the columns in the file', nameList)
    .option('--on-conflict <a,b,…>', 'columns of a unique key: rows in the table are updated', nameList)
    .option('--on-conflict-do <what>', 'update (the last row wins) or nothing', oneOf(['update', 'nothing']))
    .option('--batch-size <rows>', 'rows in a batch (1000)', positiveInteger)
    .option('--concurrency <n>', 'connections that write at the same time (1)', positiveInteger)
    .option('-d, --database <url>', 'else DATABASE_URL, PG*, or the embedded server')
    .addHelpText('after', LOAD_HELP)
    .action((files: string[], options: Partial<LoadArguments>, command: Command) =>
      commands.load(checkedLoad(files, options, command)),
    )
  program
    .command('server')
    .summary('run the embedded server, to look at what was loaded')
    .description(
      'Run the embedded PostgreSQL, which load uses when no database is named, until Ctrl-C. The data stays.',
    )
    .option('-p, --port <port>', 'default: 54320, or any free port', positiveInteger)
    .action((options: ServerArguments) => commands.server(options))
  return program
}

/** What no single option can check. In this order an unknown option is told before one that is missing. */
function checkedLoad(files: string[], options: Partial<LoadArguments>, command: Command): LoadArguments {
  const { table, onConflict, onConflictDo } = options
  if (!table) return command.error('error: name the table, with --table')
  const mistake = inputMistake(options) ?? createMistake({ ...options, files })
  if (mistake) return command.error(`error: ${mistake}`)
  if (onConflictDo === 'update' && !onConflict) {
    return command.error(
      'error: --on-conflict-do update needs the columns of a unique key, with --on-conflict',
    )
  }
  // commander's default for --no-header is a header that nobody asked for
  const { header, ...others } = options
  return { ...others, ...(header === false ? { header } : {}), files, table }
}

/** One line, in the command's own name: `pg-batch: unknown option '--tabel' (Did you mean --table?)`. */
function writeError(text: string, write: (text: string) => void): void {
  write(
    `${text
      .replace(/^error: /, 'pg-batch: ')
      .trimEnd()
      .replaceAll('\n', ' ')}\n`,
  )
}

const PROGRAM_HELP = `
Examples:
  pg-batch load orders.csv --table orders
  pg-batch load events.ndjson.gz --table log.events --on-conflict id
  curl -s https://example.com/rows.json | pg-batch load - --table rows
  pg-batch server

Exit status: 0 done; 1 rows or database failed; 2 wrong usage; 130 Ctrl-C.
Options of a command: pg-batch load --help`

const LOAD_HELP = `${CSV_HELP}${CREATE_HELP}

Examples:
  pg-batch load 'part-*.csv' --table orders --create --key id --dry-run
  pg-batch load orders.csv.gz --table sales.orders --on-conflict id
  pg-batch load - --table orders --columns id,total < orders.ndjson
  pg-batch load orders.json -t orders -d postgres://me@db.example.com/shop`
