import type { ColumnsSql, OutgoingReference } from '../../types.ts'
import { quoteIdentifier } from '../identifier.ts'
import { isNotNull, isNull } from '../null-test.ts'
import type { Judgement } from './conflict.ts'
import type { Merge, MergeColumn, MergeShape, RowSource } from './merge.ts'

/**
 * Judges the rows that a merge leaves out because later rows of their keys overwrite them. A statement for
 * each row would refuse the bad ones among them, so the merge evaluates what the server would judge each row
 * by, and writes nothing where a row fails. The caller then sends the rows in a way that leaves none out.
 */

/**
 * Returns true where {@link judged} finds every row that the server would refuse. A query cannot repeat what
 * the server judges by the next number of a sequence, or by a foreign key that it checks late.
 */
export function canJudge({ conflict: { judgement } }: Merge, shape: MergeShape): boolean {
  if (!judgement) return false
  const isKnown = (name: string): boolean =>
    shape.columns.includes(name) || !judgement.ownDefaults.includes(name)
  return concerned(judgement, shape).every(({ columns, parent }) => parent !== null && columns.every(isKnown))
}

/**
 * Returns the condition that none of the rows of `from` would be refused alone; empty where there is nothing
 * that rows of one shape can differ in.
 * @param from an item of FROM that is called `alias`, with its WHERE; its rows have one shape
 */
export function judged(
  merge: Merge,
  source: RowSource,
  shape: MergeShape,
  { from, alias }: { from: string; alias: string },
): string {
  const { table, columns, conflict } = merge
  const given = columns.filter(({ name }) => shape.columns.includes(name))
  const conditions = [
    ...requiredIn(merge, shape),
    ...(source.isTyped ? [] : typeConditions(given, conflict.keys)),
    ...concerned(conflict.judgement!, shape).map(one => conditionOf(one, table.name)),
    ...partitionOf(conflict.judgement!, source),
  ]
  if (conditions.length === 0) return ''
  const read = new Set(concerned(conflict.judgement!, shape).flatMap(({ columns }) => columns))
  const missing = [...merge.missing].filter(([name]) => read.has(name) && !shape.columns.includes(name))
  const cells = [...given.map(one => [one.name, source.valueOf(one, alias)] as const), ...missing]
  const generated = merge.generated.filter(({ name }) => read.has(name))
  const row = `SELECT ${cells.map(named).join(', ')} FROM ${from}`
  const computed = generated.map(({ name, sql }) => named([name, `(${sql})`]))
  const rows =
    computed.length === 0 ? row : `SELECT *, ${computed.join(', ')} FROM (${row}) AS pg_batch_given`
  const isBad = `NOT (${conditions.join(' AND ')})`
  return `NOT EXISTS (SELECT FROM (${rows}) AS ${quoteIdentifier(table.name)} WHERE ${isBad})`
}

function named([name, sql]: readonly [string, string]): string {
  return `${sql} AS ${quoteIdentifier(name)}`
}

/** Returns what may judge rows of one shape in different ways. */
function concerned({ checks, foreignKeys }: Judgement, { columns }: MergeShape): readonly Concern[] {
  return [...checks, ...foreignKeys].filter(one => one.columns.some(name => columns.includes(name)))
}

type Concern = { readonly columns: readonly string[] } & Partial<ColumnsSql & OutgoingReference>

/** A row with NULL in its key is not overwritten. */
function requiredIn({ conflict: { judgement, keys } }: Merge, { columns }: MergeShape): string[] {
  const required = judgement!.notNull.filter(name => columns.includes(name) && !keys.includes(name))
  return required.map(name => isNotNull(quoteIdentifier(name)))
}

/**
 * The last row of a key needs the same partition as the others, since the partition key is part of that key.
 * Only if the last one is a delete, for which the server looks for no partition, is there something to check.
 */
function partitionOf({ mayLackPartition, hasPartition }: Judgement, { shapes }: RowSource): string[] {
  const mayEndDeleted = mayLackPartition && shapes.some(({ deletes }) => deletes)
  return mayEndDeleted ? [`coalesce(${hasPartition}, false)`] : []
}

/** The conditions that values without a modifier or a domain have the types of their columns. */
function typeConditions(given: readonly MergeColumn[], keys: readonly string[]): string[] {
  const untyped = given.filter(({ sqlType, baseType }) => sqlType !== baseType)
  // those of the key are cast to find the rows of each key
  const cast = untyped.filter(({ name, truncated }) => !truncated && !keys.includes(name))
  return [
    ...untyped.filter(({ truncated }) => truncated).map(isWhole),
    ...(cast.length === 0 ? [] : [evaluated(cast.map(({ name }) => quoteIdentifier(name)))]),
  ]
}

/** A value that its type would shorten was left as it is. */
function isWhole({ name, sqlType }: MergeColumn): string {
  const value = quoteIdentifier(name)
  return `(rtrim((${value}::${sqlType})::text) = rtrim(${value}::text)) IS NOT FALSE`
}

/** A condition that is always true, and lets the server raise what the expressions raise. */
export function evaluated(expressions: readonly string[]): string {
  return `pg_catalog.num_nulls(${expressions.join(', ')}) >= 0`
}

function conditionOf({ sql, ...key }: Concern, table: string): string {
  return sql === undefined ? hasParent(table, key as OutgoingReference) : `(${sql}) IS NOT FALSE`
}

function hasParent(table: string, { parent, columns, references, equals }: OutgoingReference): string {
  const values = columns.map(name => `${quoteIdentifier(table)}.${quoteIdentifier(name)}`)
  const same = values.map(
    (value, at) => `pg_batch_parent.${quoteIdentifier(references[at]!)} ${equals[at]} ${value}`,
  )
  const absent = values.map(isNull)
  // of EXISTS under OR the server may make a hash of all rows of the parent
  const found = `(SELECT true FROM ${parent} AS pg_batch_parent WHERE ${same.join(' AND ')} LIMIT 1)`
  return `(${[...absent, `${found} IS NOT NULL`].join(' OR ')})`
}
