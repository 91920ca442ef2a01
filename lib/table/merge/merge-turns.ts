import { quoteIdentifier, quoteList, quoteTable } from '../identifier.ts'
import {
  andNewer,
  deletesAmong,
  excludedRow,
  insertShape,
  joinCount,
  joinsByKey,
  keyColumns,
  keyWithGuard,
  type Merge,
  type MergeColumn,
  type MergeShape,
  orderByKey,
  type RowSource,
  sameKey,
  updatedBy,
  updateShape,
} from './merge.ts'
import { judged } from './merge-judge.ts'
import { turnOf } from './merge-once.ts'

/**
 * Upserts and deletes rows of all shapes by one statement: of each key the row of one turn, which is its
 * first row, its second, and so on. The rows of a turn have different keys, so that their order does not
 * matter. One statement, so that foreign keys are checked at its end. Its steps:
 *
 *     pg_batch_locked…    locks stored rows in the order of their keys
 *     pg_batch_deleted    deletes rows, which frees their other unique keys
 *     pg_batch_written_…  upserts the other rows, shape by shape, in one order. With DO NOTHING the rows of
 *                         later turns follow, so that bad ones are refused
 *
 * It returns one row of texts: `changed`, the number of changed rows; `turns`, how many there are; `later`,
 * the ordinals of the rows of later turns.
 */
export function mergeTurn(merge: Merge, source: RowSource, turn: number): string {
  const name = quoteIdentifier(merge.names.turn)
  const ordinal = quoteIdentifier(merge.names.ordinal)
  const { steps, counts } = writeRows(merge, source, `${name} = ${turn}`, turn === 1)
  const later =
    `SELECT pg_catalog.string_agg(${ordinal}::text, ',' ORDER BY ${ordinal}) ` +
    `FROM pg_batch_rows WHERE ${name} > ${turn}`
  return (
    `WITH ${numberedRows(merge, source, turnOf(merge, source))}${steps} ` +
    `SELECT (${counts})::text AS changed, ` +
    `(SELECT max(${name}) FROM pg_batch_rows)::text AS turns, (${later}) AS later`
  )
}

/**
 * Upserts and deletes the last row of each key: correct where it overwrites everything of earlier ones.
 * `changed` is what one statement for each row would have changed: every upsert, and each delete of a row
 * that was stored at that point. It is NULL, and nothing is written, where the server would refuse a row.
 */
export function mergeLast(merge: Merge, source: RowSource): string {
  const { ordinal, shape, turn, previous } = merge.names
  const key = `PARTITION BY ${keyWithGuard(merge, source).join(', ')} ORDER BY ${quoteIdentifier(ordinal)}`
  const numbers =
    `row_number() OVER (${key} DESC) AS ${quoteIdentifier(turn)}, ` +
    `lag(${quoteIdentifier(shape)}) OVER (${key}) AS ${quoteIdentifier(previous)}`
  const deletes = `(${deletesAmong(source.shapes).join(', ')})`
  const upsert = source.shapes.find(one => !one.deletes)!
  // the server judges the others, because they are written
  const isLeftOut = `${quoteIdentifier(shape)} = ${upsert.number} AND ${quoteIdentifier(turn)} > 1`
  const from = `pg_batch_rows WHERE ${isLeftOut}`
  const judgement = judged(merge, source, upsert, { from, alias: 'pg_batch_rows' }) || 'true'
  const { steps } = writeRows(merge, source, `${quoteIdentifier(turn)} = 1 AND ${judgement}`, true)
  const upsertOrAfterOne =
    `${quoteIdentifier(shape)} NOT IN ${deletes} OR ` + `${quoteIdentifier(previous)} NOT IN ${deletes}`
  return (
    `WITH ${numberedRows(merge, source, numbers)}${steps} ` +
    `SELECT (CASE WHEN ${judgement} THEN (SELECT count(*) FROM pg_batch_rows WHERE ${upsertOrAfterOne}) + ` +
    `(SELECT count(*) FROM pg_batch_locked WHERE ${quoteIdentifier(shape)} IN ${deletes} ` +
    `AND ${quoteIdentifier(previous)} IS NULL) END)::text AS changed`
  )
}

function numberedRows(merge: Merge, source: RowSource, numbers: string): string {
  const { ordinal, shape } = merge.names
  const names = quoteList([...source.columns.map(({ name }) => name), ordinal, shape])
  return `pg_batch_rows AS MATERIALIZED (SELECT ${names}, ${numbers} FROM ${source.from})`
}

/** Returns the steps that write the rows of a turn, and the sum of the rows that they change. */
function writeRows(
  merge: Merge,
  source: RowSource,
  isTurn: string,
  first: boolean,
): { steps: string; counts: string } {
  const steps: string[] = []
  const writing: string[] = []
  // each step reads the count of the step before, which is known only when that step is complete
  let ready = ''
  const step = (name: string, text: string): void => {
    steps.push(`${name} AS (${text})`)
    ready = ` AND (SELECT count(*) FROM ${name}) >= 0`
    if (!name.startsWith(LOCKED)) writing.push(name)
  }
  const { shapes } = source
  const shape = quoteIdentifier(merge.names.shape)
  // inserts that do not change stored rows lock none
  const locks = shapes.some(one => one.deletes || updatedBy(merge, one).length > 0)
  if (first && locks) {
    for (const [part, lock] of lockRows(merge, source).entries()) step(lockedName(part), lock)
  }
  const deletes = deletesAmong(shapes)
  if (deletes.length > 0) {
    const hasKey = sameKey(merge, source, 'pg_batch_rows')
    const newer = andNewer(merge, source, 'pg_batch_rows')
    const which = `${shape} IN (${deletes.join(', ')}) AND ${hasKey}${newer} AND ${isTurn}${ready}`
    const from = `${quoteTable(merge.table)} AS stored USING pg_batch_rows`
    step('pg_batch_deleted', `DELETE FROM ${from} WHERE ${which} RETURNING 1`)
  }
  // DO NOTHING keeps the first row of a key, and the server still judges the others
  const turns = merge.conflict.action === 'nothing' ? [isTurn, `NOT (${isTurn})`] : [isTurn]
  for (const [index, isOne] of turns.entries()) {
    for (const one of inOneOrder(shapes.filter(one => !one.deletes))) {
      for (const [part, write] of writesOf(merge, source, one).entries()) {
        const from = `pg_batch_rows WHERE ${shape} = ${one.number} AND ${isOne}${ready}`
        step(`pg_batch_written_${index}_${one.number}_${part}`, `${write(from)} RETURNING 1`)
      }
    }
  }
  return {
    steps: steps.map(text => `, ${text}`).join(''),
    counts: ['0', ...writing.map(name => `(SELECT count(*) FROM ${name})`)].join(' + '),
  }
}

/**
 * Writers write shapes in one order, whichever they have met first: else two that insert the same new keys
 * would wait for each other.
 */
function inOneOrder(shapes: readonly MergeShape[]): MergeShape[] {
  const named = (shape: MergeShape): string => shape.columns.join()
  return [...shapes].sort((a, b) => (named(a) < named(b) ? -1 : 1))
}

/** Returns what writes the upserts of a shape, each a statement for some of the rows of `from`. */
function writesOf(merge: Merge, source: RowSource, shape: MergeShape): ((from: string) => string)[] {
  if (!merge.conflict.updateOnly) {
    const order = orderByKey(merge, source)
    return [from => insertShape(merge, shape, `SELECT ${quoteList(shape.columns)} FROM ${from} ${order}`)]
  }
  if (updatedBy(merge, shape).length === 0) return []
  const row = (from: string): string =>
    excludedRow(merge, shape, column => source.valueOf(column, 'pg_batch_rows'), { from: ` FROM ${from}` })
  return joinsByKey(merge).map(
    same => from => updateShape(merge, shape, { from: ` FROM (${row(from)}) AS excluded`, same }),
  )
}

/** The step that locks the stored rows of keys without NULL, which are all keys of deletes. */
const LOCKED = 'pg_batch_locked'

/** The further ones lock those of keys with NULLs that are equal to each other. */
function lockedName(part: number): string {
  return part === 0 ? LOCKED : `${LOCKED}_${part}`
}

/**
 * With more steps only keys without NULL are locked in their order: each nullable column doubles the number.
 * A deadlock of the other keys is retried.
 */
const MAX_LOCKS = 8

/** A weaker lock would not block an upsert, and a stronger one would wait for rows that refer to these. */
function lockRows(merge: Merge, source: RowSource): string[] {
  const keyOf = (column: MergeColumn): string => source.keyOf(column, 'pg_batch_rows')
  const order = keyColumns(merge).map(keyOf)
  const locksNulls = joinCount(merge.conflict) <= MAX_LOCKS
  const joins = locksNulls ? joinsByKey(merge, keyOf) : [sameKey(merge, source, 'pg_batch_rows')]
  return joins.map(
    (same, part) =>
      `SELECT pg_batch_rows.* FROM ${quoteTable(merge.table)} AS stored JOIN pg_batch_rows ON ${same}` +
      `${part === 0 ? '' : ` AND (SELECT count(*) FROM ${lockedName(part - 1)}) >= 0`} ` +
      `ORDER BY ${order.join(', ')} FOR NO KEY UPDATE OF stored`,
  )
}
