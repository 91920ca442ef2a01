import { quoteIdentifier } from '../../table/identifier.ts'
import type { Judgement } from '../../table/merge/conflict.ts'
import { evaluated } from '../../table/merge/merge-judge.ts'
import { isNotNull } from '../../table/null-test.ts'
import type { Column, ColumnsSql, ComputedIndex, Table } from '../../types.ts'

/** Returns what a row is judged by; undefined where something that no query can repeat may refuse it. */
export function judgementOf({ columns, rowConstraints }: Table): Judgement | undefined {
  if (!rowConstraints) return undefined
  const { checks, foreignKeys, indexes, stored, isReferenced, mayLackPartition, hasPartition } =
    rowConstraints
  const computed = stored.map(name => ({ sql: evaluated([quoteIdentifier(name)]), columns: [name] }))
  const required = notNullOf(columns.filter(({ generated }) => generated)).map(name => ({
    sql: isNotNull(quoteIdentifier(name)),
    columns: [name],
  }))
  const withInputs = <One extends { columns: readonly string[] }>(one: One): One => ({
    ...one,
    columns: [...new Set(one.columns.flatMap(name => [name, ...inputsOf(name, columns)]))],
  })
  return {
    notNull: notNullOf(columns.filter(({ generated }) => !generated)),
    checks: [...checks, ...indexes.map(indexCheck), ...computed, ...required].map(withInputs),
    foreignKeys: foreignKeys.map(withInputs),
    ownDefaults: columns.filter(isOwn).map(({ name }) => name),
    isReferenced,
    mayLackPartition,
    hasPartition,
  }
}

export function notNullOf(columns: readonly Column[]): string[] {
  return columns.filter(({ notNull }) => notNull).map(({ name }) => name)
}

/** A function may return another value for each call, and even count its calls. */
function isOwn({ generated, identity, defaultSql, hasVolatileDefault }: Column): boolean {
  if (generated) return false
  if (identity !== 'none' || hasVolatileDefault) return true
  return defaultSql !== undefined && /[\w"]\(/.test(defaultSql.replaceAll('now()', ''))
}

function indexCheck({ predicate, expressions, columns }: ComputedIndex): ColumnsSql {
  const condition = predicate === null ? [] : [`(${predicate})`]
  if (expressions.length === 0) return { sql: evaluated(condition), columns }
  const value = evaluated(expressions)
  return { sql: predicate === null ? value : `CASE WHEN ${predicate} THEN ${value} END`, columns }
}

/** Returns the columns that the expression of a generated column may name. */
function inputsOf(name: string, columns: readonly Column[]): string[] {
  const sql = columns.find(column => column.name === name)?.generatedSql?.toLowerCase()
  if (sql === undefined) return []
  const isNamed = (one: Column): boolean => sql.includes(one.name.toLowerCase().replaceAll('"', '""'))
  return columns.filter(one => !one.generated && isNamed(one)).map(one => one.name)
}
