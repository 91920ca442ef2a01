import type { Command } from 'commander'

/** Whether all rows are committed at once, and what happens to the rows that the table has. */
export interface WholeLoadArguments {
  /** All rows are committed at once, or none. */
  readonly singleTransaction?: boolean
  /** The rows replace all that the table has, in a single transaction. */
  readonly replace?: boolean
  /** Few rows may replace many. */
  readonly allowShrink?: boolean
}

export function addSingleTransactionOption(command: Command): Command {
  return command.option('--single-transaction', 'commit all rows at once, or none')
}

export function addReplaceOptions(command: Command): Command {
  return command
    .option('--replace', 'replace all rows of the table at once')
    .option('--allow-shrink', 'with --replace: leave fewer than half as many rows')
}

export const RARE_WHOLE_LOAD_OPTIONS = ['--single-transaction', '--allow-shrink']

/** Returns why the options contradict each other, as a usage error. */
export function wholeLoadUsageError(
  args: WholeLoadArguments & {
    readonly concurrency?: number
    readonly workers?: number
    readonly resume?: string
    readonly create?: boolean
    readonly truncate?: boolean
    readonly append?: boolean
    readonly onConflict?: unknown
    readonly onConflictDo?: unknown
  },
): string | undefined {
  const { replace, allowShrink, singleTransaction, concurrency = 1, workers = 1, resume } = args
  const name = replace ? '--replace' : '--single-transaction'
  if (allowShrink && !replace) return '--allow-shrink works only with --replace'
  if (!replace && !singleTransaction) return undefined
  if (concurrency > 1) return `${name} writes on one connection; leave out --concurrency`
  if (workers > 1) return `${name} writes on one connection; leave out --workers`
  if (resume !== undefined) {
    return `--resume continues after the rows that are committed; with ${name} it is all or none`
  }
  if (!replace) return undefined
  if (args.create) return '--create makes a new table; there is nothing to --replace'
  if (args.truncate)
    return '--truncate and --replace contradict each other; --replace keeps the old rows until COMMIT'
  if (args.append) return '--append and --replace contradict each other'
  if (args.onConflict || args.onConflictDo) {
    return '--replace compares rows by the primary key; leave out --on-conflict'
  }
  return undefined
}
