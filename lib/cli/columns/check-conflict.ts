import { didYouMean } from '../../options/did-you-mean.ts'
import { parseTableName, quoteList, quoteTable } from '../../table/identifier.ts'
import type { Table } from '../../types.ts'
import { isSameSet } from '../../values/is-same-set.ts'
import type { ConflictArguments } from '../arguments/conflict-arguments.ts'
import { dataError } from '../exit-error.ts'
import type { ColumnChoice } from './choose-columns.ts'

/** What concerns rows that are in the table, and the primary key that `--create` makes. */
export interface ConflictOptions extends ConflictArguments {
  readonly key?: readonly string[]
}

/** Checks `--on-conflict` before anything is written. The server would refuse it only after --truncate. */
export function checkConflict({ onConflict, newerBy }: ConflictOptions, table: Table): void {
  if (!onConflict) return
  const names = table.columns.map(({ name }) => name)
  checkNames('--on-conflict', onConflict, names, table.name)
  if (newerBy !== undefined) checkNames('--newer-by', [newerBy], names, table.name)
  // a view's keys are those of its table, which only the server knows
  if (table.kind === 'view') return
  const keys = table.uniqueKeys.map(({ columns }) => columns)
  if (keys.some(key => isSameSet(key, onConflict))) return
  const has =
    keys.length === 0
      ? `which has none; make one: ${uniqueIndexOn(table, onConflict)}`
      : `whose unique keys are: ${keys.map(inWords).join(', ')}`
  throw dataError(
    `--on-conflict names ${inWords(onConflict)}, which is not a unique key of ${table.name}, ${has}`,
  )
}

function uniqueIndexOn({ name }: Table, columns: readonly string[]): string {
  return `CREATE UNIQUE INDEX ON ${quoteTable(parseTableName(name))} (${quoteList(columns)})`
}

/** Checks `--on-conflict` for a table that is not made yet. Its only key is that of `--key`. */
export function checkNewConflict(
  { onConflict, newerBy, key = [] }: ConflictOptions,
  names: readonly string[],
  table: string,
): void {
  if (!onConflict) return
  checkNames('--on-conflict', onConflict, names, table)
  if (newerBy !== undefined) checkNames('--newer-by', [newerBy], names, table)
  if (isSameSet(key, onConflict)) return
  const has = key.length === 0 ? 'which gets none without --key' : `whose --key is: ${inWords(key)}`
  throw dataError(`--on-conflict names ${inWords(onConflict)}, which is not a unique key of ${table}, ${has}`)
}

/** Checks that the file has the columns that an update needs. JSON rows name their keys one by one. */
export function checkKeyIsWritten(
  { onConflict, onConflictDo, newerBy }: ConflictOptions,
  { columns }: Pick<ColumnChoice, 'columns'>,
  source: string,
): void {
  if (!columns) return
  const needed = onConflictDo === 'nothing' ? [] : (onConflict ?? [])
  const lacking = [
    ...needed.map(name => ({ option: '--on-conflict', name })),
    ...(newerBy === undefined ? [] : [{ option: '--newer-by', name: newerBy }]),
  ].find(({ name }) => !columns.includes(name))
  if (!lacking) return
  const has = `its columns are: ${columns.join(', ')}`
  throw dataError(`${lacking.option} names "${lacking.name}", which is not a column of ${source}; ${has}`)
}

/**
 * Returns what happens to rows that are in the table, for `--dry-run`. Empty if a conflict fails the load.
 */
export function describeConflict(args: ConflictOptions): string {
  const { onConflict, onConflictDo, newerBy, onlyIfChanged, updateOnly } = args
  if (onConflictDo === 'nothing') return ', rows that are in it are left as they are'
  if (!onConflict) return ''
  const conditions = [
    ...(newerBy === undefined ? [] : [`${newerBy} is greater`]),
    ...(onlyIfChanged ? ['a value changes'] : []),
  ]
  const where = conditions.length === 0 ? '' : ` where ${conditions.join(' and ')}`
  const how = updateOnly ? ', others are left out' : ' (upsert)'
  return `, rows with the same ${inWords(onConflict)} are updated${where}${how}`
}

function checkNames(
  option: string,
  wanted: readonly string[],
  names: readonly string[],
  table: string,
): void {
  const unknown = wanted.find(name => !names.includes(name))
  if (unknown === undefined) return
  const has = `its columns are: ${names.join(', ')}`
  throw dataError(
    `${option} names "${unknown}", which is not a column of ${table}; ` +
      `${has}${didYouMean(unknown, names)}`,
  )
}

function inWords(columns: readonly string[]): string {
  return `(${columns.join(', ')})`
}
