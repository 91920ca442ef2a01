import { type Command, InvalidArgumentError } from 'commander'
import type { OnConflict } from '../../writable/options/on-conflict.ts'
import { nameList, oneOf } from './option-values.ts'

/** The columns of a unique key, or the name of its constraint or index. */
export type ConflictTarget = readonly string[] | { readonly constraint: string } | { readonly index: string }

/** What happens to rows whose key is in the table. */
export interface ConflictArguments {
  readonly onConflict?: ConflictTarget
  readonly onConflictDo?: 'update' | 'nothing'
  readonly newerBy?: string
  readonly onlyIfChanged?: boolean
  readonly updateOnly?: boolean
}

export function addConflictOptions(command: Command): Command {
  return command
    .option('--on-conflict <a,b,…>', 'a unique key: update rows that are in the table', conflictTarget)
    .option('--on-conflict-do <what>', 'update (the last row wins), or nothing', oneOf(['update', 'nothing']))
    .option('--newer-by <column>', 'with --on-conflict: update only where this is greater')
    .option('--only-if-changed', 'with --on-conflict: leave rows that stay the same')
    .option('--update-only', 'with --on-conflict: insert no row')
}

/** Reads columns, `constraint:NAME` or `index:NAME`. Quotes make a name of anything: `"index:a",b`. */
function conflictTarget(text: string): ConflictTarget {
  const [, kind, rest = ''] = /^(constraint|index):(.*)$/s.exec(text.trim()) ?? []
  if (kind === undefined) return nameList(text)
  const names = /^".*"$/s.test(rest) ? nameList(rest) : [rest]
  if (names.length > 1 || names[0] === '') {
    throw new InvalidArgumentError(`Expected the name of ${kind === 'index' ? 'an index' : 'a constraint'}.`)
  }
  return kind === 'index' ? { index: names[0]! } : { constraint: names[0]! }
}

/** Returns the columns that a target lists; undefined for one that is named. */
export function listedColumns(target: ConflictTarget | undefined): readonly string[] | undefined {
  return Array.isArray(target) ? target : undefined
}

export const RARE_CONFLICT_OPTIONS = ['--newer-by', '--only-if-changed', '--update-only']

/** Returns why the options contradict each other, as a usage error. */
export function conflictUsageError(
  args: ConflictArguments & { readonly create?: boolean; readonly truncate?: boolean },
): string | undefined {
  const { onConflict, onConflictDo, newerBy, onlyIfChanged, updateOnly, create, truncate } = args
  if (onConflictDo === 'update' && !onConflict) {
    return '--on-conflict-do update needs the columns of a unique key, with --on-conflict'
  }
  const ofUpdates = {
    '--newer-by': newerBy,
    '--only-if-changed': onlyIfChanged,
    '--update-only': updateOnly,
  }
  const [first] = Object.entries(ofUpdates).find(([, value]) => value !== undefined) ?? []
  if (first && !onConflict) return `${first} needs the columns of a unique key, with --on-conflict`
  if (first && onConflictDo === 'nothing')
    return `${first} and --on-conflict-do nothing contradict each other`
  if (newerBy !== undefined && listedColumns(onConflict)?.includes(newerBy)) {
    return '--newer-by names a column of --on-conflict, whose values are always equal'
  }
  if (create && onConflict && !listedColumns(onConflict)) {
    return 'with --create, --on-conflict names the columns of --key: there is no other unique key yet'
  }
  if (updateOnly && (create || truncate)) {
    const emptying = create ? '--create' : '--truncate'
    return `--update-only inserts no row, so that with ${emptying} the table stays empty`
  }
  return undefined
}

/** Returns the option of PgBatchWritable. */
export function conflictOf(args: ConflictArguments): OnConflict | undefined {
  const { onConflict, onConflictDo, newerBy, onlyIfChanged, updateOnly } = args
  if (!onConflict) return onConflictDo && { action: onConflictDo }
  return {
    target: onConflict,
    action: onConflictDo ?? 'update',
    ...(newerBy === undefined ? {} : { newerBy }),
    ...(onlyIfChanged ? { onlyIfChanged } : {}),
    ...(updateOnly ? { mode: 'update-only' } : {}),
  }
}
