import { didYouMean } from '../../options/did-you-mean.ts'
import type { Table } from '../../types.ts'
import { isSameSet } from '../../values/is-same-set.ts'
import { dataError } from '../exit-error.ts'
import type { ColumnChoice } from './choose-columns.ts'

/** The columns of `--on-conflict`, and those of the primary key that `--create` makes. */
export interface ConflictOptions {
  readonly onConflict?: readonly string[]
  readonly onConflictDo?: 'update' | 'nothing'
  readonly key?: readonly string[]
}

/** Checks `--on-conflict` before anything is written. The server would refuse it only after --truncate. */
export function checkConflict({ onConflict }: ConflictOptions, table: Table): void {
  if (!onConflict) return
  const names = table.columns.map(({ name }) => name)
  checkNames(onConflict, names, table.name)
  // a view's keys are those of its table, which only the server knows
  if (table.kind === 'view') return
  const keys = table.uniqueKeys.map(({ columns }) => columns)
  if (keys.some(key => isSameSet(key, onConflict))) return
  const has = keys.length === 0 ? 'which has none' : `whose unique keys are: ${keys.map(inWords).join(', ')}`
  throw dataError(
    `--on-conflict names ${inWords(onConflict)}, which is not a unique key of ${table.name}, ${has}`,
  )
}

/** Checks `--on-conflict` for a table that is not made yet. Its only key is that of `--key`. */
export function checkNewConflict(
  { onConflict, key = [] }: ConflictOptions,
  names: readonly string[],
  table: string,
): void {
  if (!onConflict) return
  checkNames(onConflict, names, table)
  if (isSameSet(key, onConflict)) return
  const has = key.length === 0 ? 'which gets none without --key' : `whose --key is: ${inWords(key)}`
  throw dataError(`--on-conflict names ${inWords(onConflict)}, which is not a unique key of ${table}, ${has}`)
}

/** Checks that the file has the columns of the key. JSON rows name their keys one by one. */
export function checkKeyIsWritten(
  { onConflict, onConflictDo }: ConflictOptions,
  { columns }: Pick<ColumnChoice, 'columns'>,
  source: string,
): void {
  const lacking =
    onConflictDo === 'nothing' ? undefined : onConflict?.find(name => !(columns ?? [name]).includes(name))
  if (lacking === undefined) return
  throw dataError(
    `--on-conflict names "${lacking}", which is not a column of ${source}; its columns are: ` +
      columns!.join(', '),
  )
}

/**
 * Returns what happens to rows that are in the table, for `--dry-run`. Empty if a conflict fails the load.
 */
export function describeConflict({ onConflict, onConflictDo }: ConflictOptions): string {
  if (onConflictDo === 'nothing') return ', rows that are in it are left as they are'
  return onConflict ? `, rows with the same ${inWords(onConflict)} are updated (upsert)` : ''
}

function checkNames(wanted: readonly string[], names: readonly string[], table: string): void {
  const unknown = wanted.find(name => !names.includes(name))
  if (unknown === undefined) return
  const has = `its columns are: ${names.join(', ')}`
  throw dataError(
    `--on-conflict names "${unknown}", which is not a column of ${table}; ` +
      `${has}${didYouMean(unknown, names)}`,
  )
}

function inWords(columns: readonly string[]): string {
  return `(${columns.join(', ')})`
}
