import { PgBatchError } from '../../errors.ts'
import { quoteTable } from '../../table/identifier.ts'
import type { Conflict } from '../../table/statements.ts'
import type { Column, PgType, Table, UniqueKey } from '../../types.ts'
import { isSameSet } from '../../values/is-same-set.ts'

/** The `onConflict` option. */
export interface ConflictOption {
  readonly target?: readonly string[] | { readonly constraint: string }
  readonly action: 'nothing' | 'update'
  readonly update?: readonly string[]
}

/**
 * Checks a conflict target against the unique keys of the table. Without `update`, an update sets every
 * written column that is not part of the key.
 */
export function resolveConflict(
  option: ConflictOption,
  written: readonly string[],
  table: Table | undefined,
  deletes: boolean,
): Conflict {
  const { target, action } = option
  const key = table && findKey(option, table)
  const keys = key?.columns ?? (target && !('constraint' in target) ? target : [])
  for (const column of keys) {
    if (!written.includes(column) && action === 'update') {
      throw notFound(
        `The conflict target's column ${JSON.stringify(column)} is not a column that is written: ` +
          'add it to `columns`',
      )
    }
  }
  for (const column of option.update ?? []) {
    if (!written.includes(column)) {
      throw notFound(
        `\`onConflict.update\` names ${JSON.stringify(column)}, which is not a column that is written`,
      )
    }
  }
  if (deletes) expectDeletable(option, keys, table)
  const keyColumns = keys.map(name => table?.columns.find(column => column.name === name))
  return {
    ...(target ? { target } : {}),
    action,
    keys: keys.every(column => written.includes(column)) ? keys : [],
    equals: keys.map(column => (key ? equalsOf(key, column) : '=')),
    nullsNotDistinct: key?.nullsNotDistinct ?? false,
    update: option.update ?? written.filter(column => !keys.includes(column) && !isFixed(column, table)),
    columnCount: table?.columns.filter(column => !column.generated).length ?? 0,
    inOrder: !table || decidesInOrder(option, key, table),
    severalKeys: !table || table.conflictingIndexes > 1,
    foldable: key?.deterministic === true && keyColumns.every(column => hasOneForm(column?.type)),
    uniqueDefaults: keyColumns.every(column => column && isUniqueDefault(column)),
  }
}

/** Returns true for an identity column that INSERT can set, and UPDATE cannot. */
function isFixed(name: string, table: Table | undefined): boolean {
  return table?.columns.find(column => column.name === name)?.identity === 'kept'
}

/**
 * Returns true when the order of rows matters beyond rows of the same key: a row may conflict with rows of
 * other keys, or a trigger may change rows.
 */
function decidesInOrder({ target }: ConflictOption, key: UniqueKey | undefined, table: Table): boolean {
  const ordinary = table.kind === 'table' || table.kind === 'partitioned'
  return !ordinary || table.changesRows || !key?.byDefault || (!target && table.conflictingIndexes > 1)
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

/** Returns true when the DEFAULT differs for each row: the next number of a sequence, or a random value. */
function isUniqueDefault({ defaultSql, identity }: Column): boolean {
  if (identity !== 'none') return true
  return (
    defaultSql === undefined ||
    /^([\w"]+\.)?(nextval|gen_random_uuid|uuidv[47]|uuid_generate_v\d\w*)\(/.test(defaultSql)
  )
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

function findKey({ target, action }: ConflictOption, table: Table): UniqueKey | undefined {
  // without a target any key may conflict; the first one, the primary key, gives the order of the locks
  if (!target) return table.uniqueKeys[0]
  // the keys of a view are those of its table, which only the server knows
  if (table.kind === 'view') return undefined
  const key =
    'constraint' in target
      ? table.uniqueKeys.find(unique => unique.constraint === target.constraint)
      : table.uniqueKeys.find(unique => isSameSet(unique.columns, target))
  // DO NOTHING may also name an exclusion constraint, which was not introspected
  if (!key && !('constraint' in target && action === 'nothing')) {
    const named =
      'constraint' in target ? `constraint ${JSON.stringify(target.constraint)}` : `(${target.join(', ')})`
    const all = table.uniqueKeys.map(unique => `(${unique.columns.join(', ')})`).join(', ') || 'none'
    throw notFound(
      `No unique index of ${quoteTable(table)} matches the conflict target ${named}; its unique keys: ${all}`,
    )
  }
  return key
}

function notFound(message: string): PgBatchError {
  return new PgBatchError('CONFLICT_TARGET_NOT_FOUND', message, { outcome: 'not-sent' })
}
