import { type Command, InvalidArgumentError, Option } from 'commander'
import { parseRejectLimit, type RejectLimit } from './reject-limit.ts'

/** How a load runs, whatever it reads: the options that `load` and `replay` share. */
export interface RunArguments {
  /** The file that rejected rows are appended to. */
  readonly rejects?: string
  readonly rejectLimit?: RejectLimit
  /** The name of a load that can be run again. */
  readonly resume?: string
  /** The table at the end, also where standard error is no terminal. */
  readonly summary?: boolean
  readonly log?: 'json'
  readonly quiet?: boolean
  /** The file that Prometheus reads. */
  readonly metricsFile?: string
}

/** Options that files with rejected rows need; `--resume` is added apart, for it makes sense for files only. */
export function addRunOptions(command: Command): Command {
  return command
    .option('--rejects <file>', 'append rejected rows to a file, as NDJSON', notEmpty)
    .option('--reject-limit <n|p%>', 'rows that may be rejected (0; with --rejects: any)', rejectLimit)
    .option('--summary', 'a table at the end, as on a terminal')
    .option('--quiet', 'say nothing but errors')
    .addOption(new Option('--log <format>', 'json: one object a line on standard error').argParser(json))
    .option('--metrics-file <file>', 'keep Prometheus metrics in a file', notEmpty)
}

export function addResumeOption(command: Command): Command {
  return command.option('--resume <name>', 'restartable: run again, it goes on where it was', notEmpty)
}

/** What no single option can check; undefined when all is well. */
export function runUsageError(
  args: RunArguments & { files: readonly string[]; concurrency?: number },
): string | undefined {
  if (args.quiet && (args.summary || args.log)) {
    return `--quiet and ${args.summary ? '--summary' : '--log'} contradict each other`
  }
  if (args.resume === undefined) return undefined
  if (args.files.includes('-')) {
    return '--resume needs a file: standard input cannot be read again from where it was'
  }
  if ((args.concurrency ?? 1) > 1) {
    return '--resume writes rows in order, on one connection; leave out --concurrency'
  }
  return undefined
}

/**
 * What a batch costs by itself shows at 1,000 rows: 1,000,000 of CSV take 2.34 s with those, 2.16 with 5,000, 2.12 with
 * 10,000. More only means more to send again when one of the rows is bad.
 */
const BATCH_ROWS = 5000

export function batchRowsOf({ batchSize = BATCH_ROWS }: { batchSize?: number }): number {
  return batchSize
}

/**
 * How many connections write. Two let the server work on both of two cores, and no wait for a commit stops the reading;
 * a third gains nothing there. One, where the order of rows decides what is stored, or from where a load goes on.
 */
export function connectionsOf(args: {
  concurrency?: number
  resume?: string
  onConflict?: readonly string[]
  onConflictDo?: string
}): number {
  const inOrder = args.resume !== undefined || args.onConflict || args.onConflictDo
  return args.concurrency ?? (inOrder ? 1 : 2)
}

function rejectLimit(text: string): RejectLimit {
  const limit = parseRejectLimit(text)
  if (!limit) throw new InvalidArgumentError('Expected a number of rows, or a share of them such as 0.5%.')
  return limit
}

function parseLog(text: string): 'json' {
  if (text !== 'json') throw new InvalidArgumentError('Expected json.')
  return text
}

/** With its words, for the completions. */
const json = Object.assign(parseLog, { words: ['json'] })

function notEmpty(text: string): string {
  if (text === '') throw new InvalidArgumentError('Expected a name.')
  return text
}
