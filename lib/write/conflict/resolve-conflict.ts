import { PgBatchError } from '../../errors.ts'
import { quoteTable } from '../../table/identifier.ts'
import type { Conflict, OtherKey, SpecialKey, StateChecks } from '../../table/merge/conflict.ts'
import type { PgType, Table, UniqueKey } from '../../types.ts'
import { listColumns } from '../../values/names/list-names.ts'
import { type ConflictOption, computedBy } from './conflict-option.ts'
import { findTarget, notFound } from './conflict-target.ts'
import { judgementOf, notNullOf } from './judgement.ts'
import { isUniqueDefault } from './unique-default.ts'

/**
 * Checks a conflict option against the table. Without `update`, an update sets every written column that is
 * not part of the key.
 */
export function resolveConflict(
  option: ConflictOption,
  written: readonly string[],
  table: Table | undefined,
  deletes: boolean,
): Conflict {
  const { action, newerBy, where } = option
  if (!table) expectPlainUpsert(option)
  const { key, special, arbiter, columns } = findTarget(option, written, table)
  const keys = special ? [] : columns
  checkKeys(keys, written, action)
  const listed = Array.isArray(option.update) ? (option.update as readonly string[]) : undefined
  checkUpdate(listed, written, table)
  if (newerBy !== undefined && table) checkNewerBy(newerBy, written, table, deletes)
  const computed = computedColumns(option, table)
  if (deletes) expectDeletable(option, special ? special.inputs : keys, table)
  const keyColumns = keys.map(name => table?.columns.find(column => column.name === name))
  const setsKey = computed.some(({ name }) => columns.includes(name) || special?.inputs.includes(name))
  const unkeyed = written.filter(column => !columns.includes(column) && !isFixed(column, table))
  const update = listed ?? (computed.length > 0 ? [] : unkeyed)
  const followsRules = table?.hasRules === true && (deletes || option.mode === 'update-only')
  const sql = [where, ...computed.map(one => one.sql)].join(' ')
  return {
    arbiter,
    action,
    keys: keys.every(column => written.includes(column)) ? keys : [],
    equals: keys.map(column => (key ? equalsOf(key, column) : '=')),
    collations: keys.map(column => key?.collations?.[key.columns.indexOf(column)] ?? null),
    special: special && { ...special, isSeparate: !setsKey && isSeparate(special, update, table!) },
    nullsNotDistinct: key?.nullsNotDistinct ?? false,
    equalNulls: key?.nullsNotDistinct ? keys.filter((_, index) => !keyColumns[index]?.notNull) : [],
    update,
    computed,
    newerBy,
    onlyIfChanged: option.onlyIfChanged ?? false,
    where,
    updateOnly: option.mode === 'update-only',
    columnCount: table?.columns.filter(column => !column.generated).length ?? 0,
    inOrder: !table || setsKey || decidesInOrder(option, key, table),
    oneByOne: /\b(select|table|values)\b/i.test(sql) || table?.conflictReads === true || followsRules,
    severalKeys: !table || table.conflictingIndexes > 1,
    otherKeys: table && otherKeysOf(table, key?.index ?? special?.index),
    lateKeys: table?.hasLateIndexes ?? false,
    judgement: table && judgementOf(table),
    // row-level security judges every row, also one that a later row overwrites
    foldable:
      key?.deterministic === true &&
      !table?.copyObstacle &&
      keyColumns.every(column => hasOneForm(column?.type)),
    // folding finds the rows of a key by its columns
    stateChecks:
      table && !special
        ? stateChecksOf(table, [...update, ...computed.map(({ name }) => name)], sql)
        : undefined,
    uniqueDefaults: keyColumns.every(column => column && isUniqueDefault(column)),
  }
}

/**
 * Returns true where an update leaves the key of a stored row as it is: it sets nothing that the key is
 * computed from, or all of it.
 */
function isSeparate(
  { inputs, parts, isSeparate }: SpecialKey,
  update: readonly string[],
  { kind, changesRows }: Table,
): boolean {
  const plain = parts.flatMap(({ column }) => column ?? [])
  const others = inputs.filter(input => !plain.includes(input))
  const set = others.filter(input => update.includes(input))
  const isOrdinary = kind === 'table' || kind === 'partitioned'
  return isSeparate && isOrdinary && !changesRows && (set.length === 0 || set.length === others.length)
}

/** Names a system column, or a whole row: a variable lacks the first, and may lack columns of the second. */
const NEEDS_STORED_ROW = /\b(ctid|tableoid|[cx]m(in|ax))\b|\b(stored|excluded)\b(?!\s*\.\s*["\w])/i

/**
 * Returns what judges each state of a row where the server need not write it: the constraints of the row, if
 * no update sets a column of a foreign key or of another unique index.
 * @param sql the user's SQL
 */
function stateChecksOf(table: Table, set: readonly string[], sql: string): StateChecks | undefined {
  const { columns, rowConstraints, conflictingIndexes, isCitus, mayStage } = table
  if (
    !rowConstraints?.isSingle ||
    conflictingIndexes > 1 ||
    isCitus ||
    !mayStage ||
    NEEDS_STORED_ROW.test(sql)
  )
    return undefined
  if (columns.some(({ generated, deniesSelect }) => generated || deniesSelect)) return undefined
  const { checks, foreignKeys } = rowConstraints
  if (foreignKeys.some(key => key.columns.some(name => set.includes(name)))) return undefined
  return { checks: checks.map(({ sql }) => sql), notNull: notNullOf(columns) }
}

/** Returns true for an identity column that INSERT can set, and UPDATE cannot. */
function isFixed(name: string, table: Table | undefined): boolean {
  return table?.columns.find(column => column.name === name)?.identity === 'kept'
}

/** The options that need the types, the keys or the DEFAULTs of the catalogue. */
function expectPlainUpsert({ target, update, mode, newerBy, onlyIfChanged, where }: ConflictOption): void {
  const named = {
    'target.index': target && 'index' in target,
    mode: mode === 'update-only',
    update: update && !Array.isArray(update),
    newerBy,
    onlyIfChanged,
    where,
  }
  const [first] = Object.entries(named).find(([, isSet]) => isSet) ?? []
  if (first === undefined) return
  const reason = `\`onConflict.${first}\` needs the catalogue of PostgreSQL, which this database lacks`
  throw new PgBatchError('REFUSED', `${reason}: use a PostgreSQL server`, { outcome: 'not-sent' })
}

function checkKeys(keys: readonly string[], written: readonly string[], action: string): void {
  const unwritten = keys.find(column => !written.includes(column))
  if (unwritten === undefined || action !== 'update') return
  throw notFound(
    `The conflict target's column ${JSON.stringify(unwritten)} is not a column that is written: ` +
      'add it to `columns`',
  )
}

function checkUpdate(
  listed: readonly string[] | undefined,
  written: readonly string[],
  table: Table | undefined,
): void {
  const unwritten = listed?.find(column => !written.includes(column))
  if (unwritten === undefined) return
  const isColumn = !table || table.columns.some(({ name }) => name === unwritten)
  throw noColumn('update', unwritten, isColumn ? UNWRITTEN : notOf(table))
}

/** The rows have to bring `newerBy`, or the server has to compute it of what they bring. */
function checkNewerBy(newerBy: string, written: readonly string[], table: Table, deletes: boolean): void {
  if (written.includes(newerBy)) return
  const column = table.columns.find(one => one.name === newerBy)
  if (!column) throw noColumn('newerBy', newerBy, notOf(table))
  if (column.generated && !deletes) return
  const reason = column.generated ? 'which is generated: a delete cannot bring it' : UNWRITTEN
  throw noColumn('newerBy', newerBy, reason)
}

const UNWRITTEN = 'which is not a column that is written: add it to `columns`'

function computedColumns(option: ConflictOption, table: Table | undefined): Conflict['computed'] {
  return computedBy(option).map(([name, sql]) => {
    const column = table?.columns.find(one => one.name === name)
    if (table && !column) {
      throw noColumn('update', name, notOf(table))
    }
    return { name, sql, sqlType: column?.sqlType ?? '' }
  })
}

function notOf(table: Table): string {
  const all = listColumns(table.columns.map(({ name }) => name))
  return `which is not a column of ${quoteTable(table)}: ${all}`
}

/**
 * Returns true when the order of rows matters beyond rows of the same key: a row may conflict with rows of
 * other keys, or a trigger may change rows.
 */
function decidesInOrder({ target }: ConflictOption, key: UniqueKey | undefined, table: Table): boolean {
  const ordinary = table.kind === 'table' || table.kind === 'partitioned'
  return !ordinary || table.changesRows || !key?.byDefault || (!target && table.conflictingIndexes > 1)
}

/** See `Conflict.otherKeys`. */
function otherKeysOf(
  { uniqueKeys, conflictingIndexes, columns }: Table,
  target: string | undefined,
): OtherKey[] | undefined {
  const others = uniqueKeys.filter(({ index }) => index !== target)
  if (target === undefined || others.length + 1 !== conflictingIndexes) return undefined
  const own = columns.filter(column => !column.generated && isUniqueDefault(column)).map(({ name }) => name)
  return others.map(({ columns, equals, nullsNotDistinct, byDefault }) => ({
    columns,
    own: nullsNotDistinct ? [] : columns.filter(name => own.includes(name)),
    equals: byDefault && !nullsNotDistinct ? equals : undefined,
  }))
}

/** Types whose equal values have only one form, unlike 1.0 and 1, 'a' and 'A', or 0 and -0. */
const ONE_FORM: ReadonlySet<string> = new Set([
  ...['bool', 'bytea', 'date', 'int2', 'int4', 'int8', 'macaddr', 'macaddr8', 'name', 'oid', 'text', 'time'],
  ...['timestamp', 'timestamptz', 'uuid', 'varchar'],
])

function hasOneForm(type: PgType | undefined): boolean {
  if (type?.base) return hasOneForm(type.base)
  return type?.kind === 'enum' || (type?.builtIn === true && type.kind === 'base' && ONE_FORM.has(type.name))
}

/** Deletes need the columns of the key, and from the catalogue the operators that compare them. */
function expectDeletable(
  { target }: ConflictOption,
  keys: readonly string[],
  table: Table | undefined,
): void {
  if (!table) {
    throw notFound(
      '`operation` needs the catalogue of PostgreSQL, which this database lacks: use a PostgreSQL server',
    )
  }
  if (keys.length === 0) {
    throw notFound(
      '`operation` needs the columns of a key: set `onConflict.target` to columns of ' +
        `${quoteTable(table)}, not to ${JSON.stringify(target)}`,
    )
  }
}

function equalsOf({ columns, equals }: UniqueKey, column: string): string {
  return equals[columns.indexOf(column)]!
}

/** @param option the key of `onConflict` that names the column */
function noColumn(option: 'update' | 'newerBy', column: string, why: string): PgBatchError {
  const message = `\`onConflict.${option}\` names ${JSON.stringify(column)}, ${why}`
  return new PgBatchError('COLUMN_NOT_FOUND', message, { outcome: 'not-sent', column })
}
