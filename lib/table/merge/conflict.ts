import type { ColumnsSql, IndexPart, OutgoingReference } from '../../types.ts'
import { quoteIdentifier } from '../identifier.ts'
import { isNull } from '../null-test.ts'

/** An `onConflict` option with its defaults, and what the catalogue says about its key. */
export interface Conflict {
  /** What ON CONFLICT names, as SQL: columns, a constraint, an index in its own words, or nothing. */
  readonly arbiter: string
  readonly action: 'nothing' | 'update'
  /** The columns of the target; empty if they are not known, or not all are written. */
  readonly keys: readonly string[]
  /** For each of `keys` the operator that compares its values. */
  readonly equals: readonly string[]
  /** For each of `keys` the collation that compares its values, where it is not that of the column. */
  readonly collations?: readonly (string | null)[] | undefined
  /** Set where the key is not one of columns that are written: an expression, or only some of the rows. */
  readonly special?: SpecialKey | undefined
  /** NULLs in the key are equal to each other (UNIQUE NULLS NOT DISTINCT). */
  readonly nullsNotDistinct: boolean
  /** The columns of the key that may be NULL, if such NULLs are equal to each other; else empty. */
  readonly equalNulls: readonly string[]
  /** How many columns of the table are not generated. */
  readonly columnCount: number
  /** Rows must be written in their order: triggers may change or drop them, or more than one key decides. */
  readonly inOrder: boolean
  /** Each row needs a statement of its own, because its result depends on what earlier rows have left. */
  readonly oneByOne: boolean
  /** Rows may conflict by another unique key than the target's. */
  readonly severalKeys: boolean
  /** The other unique keys; undefined where one of them is not a key of columns. */
  readonly otherKeys?: readonly OtherKey[] | undefined
  /** Another unique key may be checked at the end of a statement, and not with each row. */
  readonly lateKeys: boolean
  /** What a row is judged by; undefined where more than that may refuse it. */
  readonly judgement?: Judgement | undefined
  /** Equal keys have equal bytes, so that it does not matter which row's key is stored. */
  readonly foldable: boolean
  /** Where a row has no value for a column of the key, the DEFAULT creates one that no other row has. */
  readonly uniqueDefaults: boolean
  /** What each state of a row has to pass, where only that and the key decide; undefined if more does. */
  readonly stateChecks?: StateChecks | undefined
  /** Rows whose key is not stored are left out. */
  readonly updateOnly: boolean
  /** The columns that an update sets to the values of the row, if the row has them. */
  readonly update: readonly string[]
  /** The columns that every update sets, each to an expression over `stored` and `excluded`. */
  readonly computed: readonly ComputedColumn[]
  /** An update or delete needs a greater value of this column than the stored one. */
  readonly newerBy?: string | undefined
  /** An update needs a value that differs from the stored one. */
  readonly onlyIfChanged: boolean
  /** A condition of the user's over `stored` and `excluded`. */
  readonly where?: string | undefined
}

/** Another unique key than the target's. */
export interface OtherKey {
  readonly columns: readonly string[]
  /** Those of its columns whose DEFAULT no other row has: a new row that lacks one has a key of its own. */
  readonly own: readonly string[]
  /** For each column the operator that compares its values; undefined where that is not how GROUP BY does. */
  readonly equals?: readonly string[] | undefined
}

/** What the server judges a row by, besides its types and unique indexes. */
export interface Judgement {
  readonly notNull: readonly string[]
  /** Conditions that must not be false, and all columns that they are computed from. */
  readonly checks: readonly ColumnsSql[]
  readonly foreignKeys: readonly OutgoingReference[]
  /** The columns whose DEFAULT may differ for each row: the next number of a sequence, or a random value. */
  readonly ownDefaults: readonly string[]
  /** Foreign keys refer to the table, so that a delete may be refused, or change their rows. */
  readonly isReferenced: boolean
  /** The table is partitioned, and there may be no partition for a row. */
  readonly mayLackPartition: boolean
  /** The condition that there is a partition for a row; null where no query can repeat it. */
  readonly hasPartition: string | null
}

/** A column that an update sets to the value of the user's SQL. */
export interface ComputedColumn {
  readonly name: string
  readonly sql: string
  /** The type of the column, with its modifier. */
  readonly sqlType: string
}

/** Conditions of the table on each state of a row. */
export interface StateChecks {
  /** The expressions of CHECK constraints, over unqualified names of columns. */
  readonly checks: readonly string[]
  readonly notNull: readonly string[]
}

/** A key that consists of more than columns that are written. */
export interface SpecialKey {
  /** The name of its index. */
  readonly index: string
  readonly parts: readonly IndexPart[]
  /** The condition of stored rows that have the key. */
  readonly predicate: string | undefined
  /** NULLs in its parts are equal to each other (NULLS NOT DISTINCT). */
  readonly nullsNotDistinct: boolean
  /** The columns that are written, of those that the key is computed from. */
  readonly inputs: readonly string[]
  readonly generated: readonly { readonly name: string; readonly sql: string }[]
  /** Rows that bring all inputs affect no row of another key, so that they may go in the order of keys. */
  readonly isSeparate: boolean
}

/** Returns the columns that an update sets for a row that brings `columns`. */
export function updatedColumns({ action, update, computed }: Conflict, columns: readonly string[]): string[] {
  if (action === 'nothing') return []
  return [...update.filter(column => columns.includes(column)), ...computed.map(({ name }) => name)]
}

/** Returns true where a row that brings `columns` may have a stored row's value of another unique key. */
export function mayTakeOtherKey(conflict: Conflict, columns: readonly string[]): boolean {
  if (!conflict.severalKeys) return false
  if (!conflict.otherKeys) return true
  return takenBy(conflict, columns).length > 0
}

/** Returns the other unique keys of which a row that brings `columns` may have a stored row's value. */
export function takenBy(conflict: Conflict, columns: readonly string[]): OtherKey[] {
  const updated = updatedColumns(conflict, columns)
  const brings = (name: string): boolean => columns.includes(name)
  return (conflict.otherKeys ?? []).filter(
    other => other.own.every(brings) || other.columns.some(name => updated.includes(name)),
  )
}

/** Returns what SET assigns for a row that brings `columns`. */
export function assignments(conflict: Conflict, columns: readonly string[]): string {
  const values = valuesSet(conflict, columns)
  return [...values].map(([name, sql]) => `${quoteIdentifier(name)} = ${sql}`).join(', ')
}

/** Returns the conditions of an update with a row that brings `columns`, joined by AND; empty without any. */
export function updateConditions(conflict: Conflict, columns: readonly string[]): string {
  const { onlyIfChanged, where } = conflict
  return [
    newerCondition(conflict, cellsOf('EXCLUDED')),
    onlyIfChanged ? changedCondition(conflict, columns) : '',
    // the user's SQL may end with a comment
    where === undefined ? '' : `(${where}\n)`,
  ]
    .filter(condition => condition !== '')
    .join(' AND ')
}

/** Returns the condition that a row is newer than the stored one; empty without `newerBy`. */
export function newerCondition({ newerBy }: Conflict, cell: (column: string) => string): string {
  if (newerBy === undefined) return ''
  const stored = `stored.${quoteIdentifier(newerBy)}`
  return `(${cell(newerBy)} > ${stored} OR ${isNull(stored)})`
}

/** `ON CONFLICT … DO UPDATE SET … WHERE …`, or DO NOTHING where nothing is set. */
export function conflictClause(conflict: Conflict, columns: readonly string[], condition = ''): string {
  const sets = assignments(conflict, columns)
  if (sets === '') return ` ON CONFLICT${conflict.arbiter} DO NOTHING`
  const conditions = [condition, updateConditions(conflict, columns)].filter(text => text !== '')
  const where = conditions.length === 0 ? '' : ` WHERE ${conditions.join(' AND ')}`
  return ` ON CONFLICT${conflict.arbiter} DO UPDATE SET ${sets}${where}`
}

/** Returns the condition that a row of the target, `stored`, has the special key of a row. */
export function sameSpecialKey(special: SpecialKey, cell: (column: string) => string): string {
  const { parts, predicate, nullsNotDistinct } = special
  const given = specialKeyOf(special, cell)
  // outside the subquery, the unqualified names are those of the stored row
  const equal = parts.map(({ sql, equals }, index) => {
    const isEqual = `${sql} ${equals} ${given[index]}`
    // `=` and tests for NULL use the index; `IS NOT DISTINCT FROM` of two values could not
    return nullsNotDistinct ? `(${isEqual} OR ${isNull(sql)} AND ${isNull(given[index]!)})` : isEqual
  })
  return [...equal, ...(predicate === undefined ? [] : [`(${predicate})`])].join(' AND ')
}

/** Returns the parts of the special key of a row. */
export function specialKeyOf(
  { parts, inputs, generated }: SpecialKey,
  cell: (column: string) => string,
): string[] {
  const given = `SELECT ${inputs.map(name => `${cell(name)} AS ${quoteIdentifier(name)}`).join(', ')}`
  const added = generated.map(({ name, sql }) => `(${sql}) AS ${quoteIdentifier(name)}`).join(', ')
  const row = added === '' ? given : `SELECT *, ${added} FROM (${given}) AS pg_batch_inputs`
  return parts.map(({ sql }) => `(SELECT ${sql} FROM (${row}) AS pg_batch_key)`)
}

/** Returns the SQL of each value that an update sets, by column. */
export function valuesSet(conflict: Conflict, columns: readonly string[]): Map<string, string> {
  const computed = new Map(conflict.computed.map(({ name, sql }) => [name, `(${sql}\n)`]))
  const names = updatedColumns(conflict, columns)
  return new Map(names.map(name => [name, computed.get(name) ?? `EXCLUDED.${quoteIdentifier(name)}`]))
}

/**
 * Compares images of rows, because `IS DISTINCT FROM` fails for types without `=` (json, point, xml), and
 * treats 1.0 and 1.00 as equal.
 */
function changedCondition(conflict: Conflict, columns: readonly string[]): string {
  const types = new Map(conflict.computed.map(({ name, sqlType }) => [name, sqlType]))
  const values = [...valuesSet(conflict, columns)]
  const stored = values.map(([name]) => `stored.${quoteIdentifier(name)}`)
  const given = values.map(([name, sql]) => (types.has(name) ? `${sql}::${types.get(name)}` : sql))
  const record = (cells: readonly string[]): string => `ROW(${cells.join(', ')})::pg_catalog.record`
  return `${record(stored)} OPERATOR(pg_catalog.*<>) ${record(given)}`
}

/** Returns a function that names the columns of a row by its alias. */
export function cellsOf(alias: string): (column: string) => string {
  return column => `${alias}.${quoteIdentifier(column)}`
}
