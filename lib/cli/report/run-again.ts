import type { LoadArguments } from '../arguments/arguments.ts'

export type RunAgain = Pick<
  LoadArguments,
  'files' | 'resume' | 'replace' | 'truncate' | 'create' | 'onConflict' | 'onConflictDo' | 'replay'
>

/** Returns what the same command does after an early end, if rows are committed, or may be. */
export function runAgain(options: RunAgain): string {
  const { files, resume, replace, truncate, create, onConflict, onConflictDo, replay } = options
  if (resume !== undefined) return `the same command, with --resume ${resume}, continues from there`
  if (replace) return 'the same command replaces the rows again'
  if (truncate) return 'the same command empties the table and starts again'
  if (create) return 'the table stays: to start again, leave out --create and add --truncate'
  if (onConflictDo === 'nothing') return 'the same command starts again and skips the rows that are there'
  if (onConflict) return 'the same command starts again and updates the rows that are there'
  const twice = 'the same command loads them a second time, unless --on-conflict names a unique key'
  return replay || files.includes('-')
    ? twice
    : `${twice}; only a load that began with --resume NAME continues where it stopped`
}
