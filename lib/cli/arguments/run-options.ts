import { type Command, InvalidArgumentError, Option } from 'commander'
import { BATCH_BYTES, type BatchLimits } from '../../sources/rows.ts'
import { integerUpTo } from './option-values.ts'
import { parseRejectLimit, type RejectLimit } from './reject-limit.ts'

/** How a load runs. `load` and `replay` share these options. */
export interface RunArguments {
  /** Rejected rows are appended to this file. */
  readonly rejects?: string
  readonly rejectLimit?: RejectLimit
  /** The number of threads that encode and write CSV records, each on a connection of its own. */
  readonly workers?: number
  /** The name of a load that can be run again. */
  readonly resume?: string
  /** Print the table at the end, even if standard error is not a terminal. */
  readonly summary?: boolean
  readonly log?: 'json'
  readonly quiet?: boolean
  /** The file that Prometheus reads. */
  readonly metricsFile?: string
}

/** Adds the options that `replay` has as well. `--resume` makes sense for files only and is added apart. */
export function addRunOptions(command: Command): Command {
  return command
    .option('--rejects <file>', 'append rejected rows to a file, as NDJSON', notEmpty)
    .option('--reject-limit <n|p%>', 'rows that may be rejected (0; with --rejects any)', rejectLimit)
    .option('--summary', 'print a table at the end, as on a terminal')
    .option('--quiet', 'print errors only')
    .addOption(new Option('--log <format>', 'json: an object a line on standard error').argParser(json))
    .option('--metrics-file <file>', 'keep Prometheus metrics in a file', notEmpty)
}

/** Options of files only: of rows that can be read again, or by several threads. */
export function addResumeOption(command: Command): Command {
  return command
    .option('--workers <n>', WORKERS, integerUpTo(MAX_WORKERS))
    .option('--resume <name>', 'make the load restartable: run again, it continues', notEmpty)
}

/** Each takes memory, and a connection, of which a server has 100 by default. */
const MAX_WORKERS = 64

const WORKERS = 'CSV: threads that encode and write (1; 4 for large files)'

/** Returns why the options contradict each other, as a usage error. */
export function runUsageError(
  args: RunArguments & { files: readonly string[]; concurrency?: number },
): string | undefined {
  if (args.workers !== undefined && args.concurrency !== undefined) {
    return '--workers and --concurrency contradict each other: each worker has a connection of its own'
  }
  if (args.quiet && (args.summary || args.log)) {
    return `--quiet and ${args.summary ? '--summary' : '--log'} contradict each other`
  }
  if (args.resume === undefined) return undefined
  if (args.files.includes('-')) {
    return '--resume needs a file: standard input cannot be read again'
  }
  if ((args.concurrency ?? 1) > 1) {
    return '--resume writes rows in order, on one connection; leave out --concurrency'
  }
  return undefined
}

/**
 * The cost of a batch itself shows at 1,000 rows: loading 1,000,000 rows of CSV takes 2.34 s with batches of
 * 1,000 rows, 2.16 s with 5,000, and 2.12 s with 10,000. Larger batches mean that more is sent again when a
 * row is bad.
 */
const BATCH: BatchLimits = Object.freeze({ rows: 5000, bytes: BATCH_BYTES })

/**
 * A batch for another thread costs more, since it is also a message and memory of its own. With these limits
 * two threads take 5 % less CPU, and 12 % less where other programs want the cores, too.
 */
const WORKERS_BATCH: BatchLimits = Object.freeze({ rows: 20_000, bytes: 4 * BATCH_BYTES })

/** @param workers how many threads write */
export function batchLimitsOf({ batchSize }: { batchSize?: number }, workers = 1): BatchLimits {
  const { rows, bytes } = workers > 1 ? WORKERS_BATCH : BATCH
  return { rows: batchSize ?? rows, bytes }
}

/**
 * Returns how many connections write. With two, the server works on both of two cores and a commit does not
 * stop the reading; a third gains nothing there. One connection writes if the order of rows matters: for
 * conflicts and for --resume. A single transaction has one, and so have rows whose keys become columns: the
 * types of these say how later rows are read.
 */
export function connectionsOf(args: {
  concurrency?: number
  workers?: number
  resume?: string
  onConflict?: unknown
  onConflictDo?: string
  singleTransaction?: boolean
  evolve?: boolean
}): number {
  const isOne = args.singleTransaction || args.evolve
  const inOrder = isOne || args.resume !== undefined || args.onConflict || args.onConflictDo
  return args.concurrency ?? (inOrder || args.workers === 1 ? 1 : 2)
}

/** Returns true if bad rows are to be rejected, and do not fail the load at once. */
export function keepsRejects({
  rejects,
  rejectLimit,
}: Pick<RunArguments, 'rejects' | 'rejectLimit'>): boolean {
  return rejects !== undefined || rejectLimit !== undefined
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

/** Its words are for the completions. */
const json = Object.assign(parseLog, { words: ['json'] })

function notEmpty(text: string): string {
  if (text === '') throw new InvalidArgumentError('Expected a name.')
  return text
}
