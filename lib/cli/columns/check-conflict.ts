import { parseTableName, quoteList, quoteTable } from '../../table/identifier.ts'
import type { Table, UniqueIndex } from '../../types.ts'
import { isSameSet } from '../../values/is-same-set.ts'
import { didYouMean } from '../../values/names/did-you-mean.ts'
import { listColumns } from '../../values/names/list-names.ts'
import {
  type ConflictArguments,
  type ConflictTarget,
  listedColumns,
} from '../arguments/conflict-arguments.ts'
import { dataError } from '../exit-error.ts'
import type { ColumnChoice } from './choose-columns.ts'

/** What concerns rows that are in the table, and the primary key that `--create` makes. */
export interface ConflictOptions extends ConflictArguments {
  readonly key?: readonly string[]
}

/**
 * Checks `--on-conflict` before anything is written. The server would refuse it only after --truncate.
 * @param findIndexes is only asked where the option has the name of a constraint or an index
 */
export async function checkConflict(
  { onConflict, onConflictDo, newerBy }: ConflictOptions,
  table: Table,
  findIndexes: () => Promise<readonly UniqueIndex[]>,
): Promise<void> {
  if (!onConflict) return
  const names = table.columns.map(({ name }) => name)
  const listed = listedColumns(onConflict)
  if (listed) checkNames('--on-conflict', listed, names, table.name)
  if (newerBy !== undefined) checkNames('--newer-by', [newerBy], names, table.name)
  // a view's keys are those of its table, which only the server knows
  if (table.kind === 'view') return
  if (listed) checkKey(listed, table)
  // rows may also be kept by an exclusion constraint
  else if (onConflictDo !== 'nothing' || 'index' in onConflict)
    checkNamed(onConflict, table, await findIndexes())
}

function checkKey(onConflict: readonly string[], table: Table): void {
  const keys = table.uniqueKeys.map(({ columns }) => columns)
  if (keys.some(key => isSameSet(key, onConflict))) return
  const has =
    keys.length === 0
      ? `; make one: ${uniqueIndexOn(table, onConflict)}`
      : `, whose unique keys are: ${keys.map(inWords).join(', ')}`
  throw dataError(
    `--on-conflict names ${inWords(onConflict)}, which is not a unique key of ${table.name}${has}`,
  )
}

/** Checks the name of a constraint or an index. */
function checkNamed(target: ConflictTarget, { name }: Table, indexes: readonly UniqueIndex[]): void {
  const isIndex = 'index' in target
  const known = indexes.flatMap(index => (isIndex ? index.name : (index.constraint ?? [])))
  const wanted = nameOf(target)
  if (known.includes(wanted)) return
  const kind = isIndex ? 'unique index' : 'unique constraint'
  const has =
    known.length === 0 ? '; it has none' : `; it has: ${listColumns(known)}${didYouMean(wanted, known)}`
  throw dataError(`--on-conflict names "${wanted}", which is not a ${kind} of ${name}${has}`)
}

function nameOf(target: ConflictTarget): string {
  return 'index' in target ? target.index : (target as { constraint: string }).constraint
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
  const listed = listedColumns(onConflict)
  if (!listed) return
  checkNames('--on-conflict', listed, names, table)
  if (newerBy !== undefined) checkNames('--newer-by', [newerBy], names, table)
  if (isSameSet(key, listed)) return
  const has = key.length === 0 ? 'which gets none without --key' : `whose --key is: ${inWords(key)}`
  throw dataError(`--on-conflict names ${inWords(listed)}, which is not a unique key of ${table}, ${has}`)
}

/** Checks that the file has the columns that an update needs. JSON rows name their keys one by one. */
export function checkKeyIsWritten(
  { onConflict, onConflictDo, newerBy }: ConflictOptions,
  { columns }: Pick<ColumnChoice, 'columns'>,
  source: string,
): void {
  if (!columns) return
  const needed = onConflictDo === 'nothing' ? [] : (listedColumns(onConflict) ?? [])
  const lacking = [
    ...needed.map(name => ({ option: '--on-conflict', name })),
    ...(newerBy === undefined ? [] : [{ option: '--newer-by', name: newerBy }]),
  ].find(({ name }) => !columns.includes(name))
  if (!lacking) return
  const has = `its columns are: ${listColumns(columns)}`
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
  const listed = listedColumns(onConflict)
  const key = listed ? inWords(listed) : `key by ${nameOf(onConflict)}`
  return `, rows with the same ${key} are updated${where}${how}`
}

function checkNames(
  option: string,
  wanted: readonly string[],
  names: readonly string[],
  table: string,
): void {
  const unknown = wanted.find(name => !names.includes(name))
  if (unknown === undefined) return
  const has = `its columns are: ${listColumns(names)}`
  const isAction = option === '--on-conflict' && /^(update|nothing|ignore|skip)$/i.test(unknown)
  if (isAction) {
    throw dataError(
      `--on-conflict names the columns of a key, and "${unknown}" is not a column of ${table}; ${has}; ` +
        'their rows are updated, unless you add --on-conflict-do nothing',
    )
  }
  throw dataError(
    `${option} names "${unknown}", which is not a column of ${table}; ` +
      `${has}${didYouMean(unknown, names)}`,
  )
}

function inWords(columns: readonly string[]): string {
  return `(${columns.join(', ')})`
}
