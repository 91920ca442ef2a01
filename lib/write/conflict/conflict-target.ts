import { PgBatchError } from '../../errors.ts'
import { quoteIdentifier, quoteList, quoteTable } from '../../table/identifier.ts'
import type { SpecialKey } from '../../table/merge/conflict.ts'
import type { Table, UniqueIndex, UniqueKey } from '../../types.ts'
import { isSameSet } from '../../values/is-same-set.ts'
import type { ConflictOption } from './conflict-option.ts'

/** What is known about the target of a conflict. */
interface Target {
  /** A unique key of plain columns. */
  readonly key: UniqueKey | undefined
  readonly special: SpecialKey | undefined
  readonly arbiter: string
  /** The columns of the target, whether or not they are written. */
  readonly columns: readonly string[]
}

/** Finds the target of a conflict, and says how ON CONFLICT names it. */
export function findTarget(
  option: ConflictOption,
  written: readonly string[],
  table: Table | undefined,
): Target {
  const { target, action } = option
  const named = { special: undefined, arbiter: arbiterOf(target) }
  // without a target any key may conflict; the first one, the primary key, gives the order of the locks
  if (!target) {
    const deferrable = table?.uniqueKeys.find(({ immediate }) => !immediate)
    if (deferrable) throw isDeferrable(deferrable.index, table!)
    const key = table?.uniqueKeys[0]
    return { ...named, key, columns: key?.columns ?? [] }
  }
  const listed = Array.isArray(target) ? (target as readonly string[]) : []
  // the keys of a view are those of its table, which only the server knows
  if (!table || (table.kind === 'view' && !('index' in target))) {
    return { ...named, key: undefined, columns: listed }
  }
  const key = findKey(target, table)
  if (key && !key.immediate) throw isDeferrable(key.index, table)
  if (key && !needsIndexes(option, table)) return { ...named, key, columns: key.columns }
  const index = table.uniqueIndexes?.find(({ name }) => name === indexNamed(target, key))
  if (index) return targetOfIndex(index, key, written, table)
  // DO NOTHING may also name an exclusion constraint, which was not introspected
  if ('constraint' in target && action === 'nothing') return { ...named, key: undefined, columns: [] }
  throw noTarget(target, table)
}

function findKey(target: NonNullable<ConflictOption['target']>, table: Table): UniqueKey | undefined {
  if ('index' in target) return table.uniqueKeys.find(({ index }) => index === target.index)
  if ('constraint' in target) {
    return table.uniqueKeys.find(({ constraint }) => constraint === target.constraint)
  }
  return table.uniqueKeys.find(unique => isSameSet(unique.columns, target as readonly string[]))
}

function indexNamed(
  target: NonNullable<ConflictOption['target']>,
  key: UniqueKey | undefined,
): string | undefined {
  return 'index' in target ? target.index : key?.index
}

/** Returns true where the target is an index, or a key of generated columns, whose details are needed. */
export function needsIndexes({ target }: ConflictOption, table: Table): boolean {
  if (!target) return false
  if ('index' in target) return true
  const key = findKey(target, table)
  const generated = (name: string) => table.columns.find(column => column.name === name)?.generated
  return key?.columns.some(generated) ?? false
}

/** @throws PgBatchError for an index that ON CONFLICT refuses */
function targetOfIndex(
  index: UniqueIndex,
  key: UniqueKey | undefined,
  written: readonly string[],
  table: Table,
): Target {
  if (!index.immediate) throw isDeferrable(index.name, table)
  const arbiter = arbiterOfIndex(index)
  const columns = index.parts.flatMap(({ column }) => column ?? [])
  const generated = table.columns.filter(({ generated }) => generated)
  if (key && !generated.some(({ name }) => columns.includes(name))) {
    return { key, special: undefined, arbiter, columns: key.columns }
  }
  const used = generated.filter(({ name }) => index.columns.includes(name))
  const special = {
    index: index.name,
    parts: index.parts,
    predicate: index.predicate,
    nullsNotDistinct: index.nullsNotDistinct,
    inputs: index.columns.filter(name => written.includes(name)),
    generated: used.map(({ name, generatedSql }) => ({ name, sql: generatedSql! })),
    isSeparate: index.columns.every(name => written.includes(name) || used.some(one => one.name === name)),
  }
  return { key: undefined, special, arbiter, columns }
}

function arbiterOf(target: ConflictOption['target']): string {
  if (!target || 'index' in target) return ''
  if ('constraint' in target) return ` ON CONSTRAINT ${quoteIdentifier(target.constraint)}`
  return ` (${quoteList(target as readonly string[])})`
}

/** Names an index in its own words: ON CONFLICT has no syntax for its name. */
function arbiterOfIndex({ constraint, parts, predicate }: UniqueIndex): string {
  if (constraint !== undefined) return ` ON CONSTRAINT ${quoteIdentifier(constraint)}`
  const where = predicate === undefined ? '' : ` WHERE ${predicate}`
  return ` (${parts.map(({ inference }) => inference).join(', ')})${where}`
}

function isDeferrable(index: string, table: Table): PgBatchError {
  const reason = 'belongs to a deferrable constraint, which ON CONFLICT cannot use: name another key'
  return notFound(`The index ${JSON.stringify(index)} of ${quoteTable(table)} ${reason}`)
}

function noTarget(target: NonNullable<ConflictOption['target']>, table: Table): PgBatchError {
  if ('index' in target) {
    const all = table.uniqueIndexes?.map(({ name }) => JSON.stringify(name)).join(', ') || 'none'
    const name = JSON.stringify(target.index)
    return notFound(`${quoteTable(table)} has no valid unique index ${name}; its unique indexes: ${all}`)
  }
  const named =
    'constraint' in target ? `constraint ${JSON.stringify(target.constraint)}` : `(${target.join(', ')})`
  const all = table.uniqueKeys.map(unique => `(${unique.columns.join(', ')})`).join(', ') || 'none'
  const why = `No unique index of ${quoteTable(table)} matches the conflict target ${named}`
  return notFound(`${why}; the table's unique keys: ${all}`)
}

export function notFound(message: string): PgBatchError {
  return new PgBatchError('CONFLICT_TARGET_NOT_FOUND', message, { outcome: 'not-sent' })
}
