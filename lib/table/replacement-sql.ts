import { quoteIdentifier, quoteLiteral, quoteTable, type TableParts } from './identifier.ts'
import { EQUALITY_INDEX, KEY_COLUMNS, type KeyColumns } from './key-columns.ts'
import { insertShape, type Merge, type MergeShape, sameKey } from './merge/merge.ts'
import { stagedRows } from './merge/merge-source.ts'
import { isNull } from './null-test.ts'
import { insertInto } from './statements.ts'

/*
 * The statements that replace all rows of a table by those of a staging table. Never TRUNCATE: sessions with
 * an older snapshot would see an empty table, and readers would wait until COMMIT.
 */

/** The staging table. COMMIT and ROLLBACK drop it, so that a transaction always finds the name free. */
export const REPLACEMENT: TableParts = Object.freeze({ schema: 'pg_temp', name: 'pg_batch_replacement' })

/** A foreign key that refers to the table. */
export interface IncomingKey extends KeyColumns {
  readonly constraint: string
  /** Set where a partition is referred to: the rows of this relation, by its OID. */
  readonly partition: string | null
  /** The table that refers, quoted where needed. */
  readonly child: string
  /** The table refers to itself. */
  readonly isOwn: boolean
  /** A policy hides rows of the child from this role. */
  readonly isHidden: boolean
  /** Deleting a referenced row changes the rows that refer to it: CASCADE, SET NULL or SET DEFAULT. */
  readonly deletes: boolean
  /** Updating the referenced columns changes these rows. */
  readonly updates: boolean
}

/** What has to be known about a table before it is replaced. */
export interface ReplacementFacts {
  /** The unique indexes that ON CONFLICT can use, the primary key first: the definition begins with USING. */
  readonly keys: readonly { readonly index: string; readonly definition: string }[]
  readonly incoming: readonly IncomingKey[]
  /** A policy hides rows of the table from this role. */
  readonly hidesRows: boolean
  /** The table is temporary: its indexes are in the schema of the staging table. */
  readonly isTemporary: boolean
}

/** Returns the query that reads the {@link ReplacementFacts}, as the text of one JSON object. */
export function replacementFacts(table: TableParts): string {
  return `
WITH target AS (
  -- the definitions of indexes name the schema of temporary tables like this
  SELECT c.oid, c.relpersistence, pg_catalog.format('%I.%I',
    CASE WHEN n.oid = pg_catalog.pg_my_temp_schema() THEN 'pg_temp' ELSE n.nspname END, c.relname) AS quoted
  FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  WHERE c.oid = ${quoteLiteral(quoteTable(table))}::pg_catalog.regclass
), tree AS (
  SELECT oid FROM target UNION SELECT relid FROM target, pg_catalog.pg_partition_tree(target.oid)
)
SELECT pg_catalog.json_build_object(
  'hidesRows', pg_catalog.row_security_active(t.oid), 'isTemporary', t.relpersistence = 't',
  'keys', coalesce((SELECT pg_catalog.json_agg(pg_catalog.json_build_object('index', x.relname, 'definition',
      pg_catalog.substr(d.text, pg_catalog.length(d.start)
        + pg_catalog.strpos(pg_catalog.substr(d.text, pg_catalog.length(d.start) + 1), t.quoted || ' USING ')
        + pg_catalog.length(t.quoted))) ORDER BY i.indisprimary DESC, x.relname)
    FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid
    CROSS JOIN LATERAL (SELECT pg_catalog.pg_get_indexdef(i.indexrelid),
      pg_catalog.format('CREATE UNIQUE INDEX %I ON ', x.relname)) d(text, start)
    WHERE i.indrelid = t.oid AND ${EQUALITY_INDEX} AND i.indimmediate
      AND i.indexprs IS NULL AND i.indpred IS NULL), '[]'),
  'incoming', coalesce((SELECT pg_catalog.json_agg(pg_catalog.json_build_object(
      'constraint', k.conname, 'child', k.conrelid::pg_catalog.regclass::text,
      'partition', nullif(k.confrelid, t.oid)::text,
      'isOwn', k.conrelid IN (SELECT oid FROM tree),
      'isHidden', pg_catalog.row_security_active(k.conrelid),
      ${KEY_COLUMNS},
      'deletes', k.confdeltype IN ('c', 'n', 'd'), 'updates', k.confupdtype IN ('c', 'n', 'd')))
    FROM pg_catalog.pg_constraint k
    WHERE k.contype = 'f' AND k.confrelid IN (SELECT oid FROM tree)
      -- those of partitions, of the child's and of the table's, follow that of the child
      AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_constraint p
        WHERE p.oid = k.conparentid AND p.confrelid IN (SELECT oid FROM tree))), '[]')
)::text AS facts FROM target t`
}

/** Gives the staging table a unique index like one of the target, with its name where that is free. */
export function stagingIndex(
  { index, definition }: ReplacementFacts['keys'][number],
  isTemporary: boolean,
): string {
  const columns = definition.replace(/ INCLUDE \(.*$/s, '')
  const name = isTemporary ? `${REPLACEMENT.name}_key` : index
  return `CREATE UNIQUE INDEX ${quoteIdentifier(name)} ON ${quoteTable(REPLACEMENT)}${columns}`
}

/** Keeps other writers out, and lets readers in. */
export function lockForReplacement(table: TableParts): string {
  return `LOCK TABLE ${quoteTable(table)} IN SHARE ROW EXCLUSIVE MODE`
}

export function countRows(target: string): string {
  return `SELECT pg_catalog.count(*)::text AS rows FROM ${target}`
}

/** The table as FROM and DELETE name it: with its partitions, and without tables that inherit from it. */
export function targetOf(table: TableParts, isPartitioned: boolean): string {
  return isPartitioned ? quoteTable(table) : `ONLY ${quoteTable(table)}`
}

/** What the statements below share. */
export interface Replaced {
  readonly merge: Merge
  readonly shapes: readonly MergeShape[]
  /** See {@link targetOf}. */
  readonly target: string
}

/** Deletes the rows whose key the new rows do not have. */
export function deleteMissing(replaced: Replaced): string {
  return `DELETE FROM ${replaced.target} AS stored WHERE ${isMissing(replaced)}`
}

/** Locks these rows, so that no other session can refer to them any more. */
export function lockMissing(replaced: Replaced): string {
  const missing = `SELECT 1 FROM ${replaced.target} AS stored WHERE ${isMissing(replaced)} FOR UPDATE`
  return `SELECT pg_catalog.count(*)::text AS rows FROM (${missing}) AS pg_batch_missing`
}

/** Asks whether rows refer to rows that will be deleted, themselves left out. */
export function refersToMissing(replaced: Replaced, key: IncomingKey): string {
  const pairs = key.columns.map((column, index) => {
    const parent = `stored.${quoteIdentifier(key.references[index]!)}`
    return `${parent} ${key.equals[index]} pg_batch_child.${quoteIdentifier(column)}`
  })
  const refers = `${[...pairs, ...inPartition(key)].join(' AND ')} AND ${isMissing(replaced)}`
  const parent = `SELECT 1 FROM ${replaced.target} AS stored WHERE ${refers}`
  const stays = key.isOwn ? `${isStaged(replaced, 'pg_batch_child')} AND ` : ''
  return (
    `SELECT EXISTS (SELECT 1 FROM ${key.child} AS pg_batch_child ` +
    `WHERE ${stays}EXISTS (${parent}))::text AS refers`
  )
}

/** A role may read the rows of a partition through its table without a right on the partition itself. */
function inPartition({ partition }: IncomingKey): string[] {
  if (partition === null) return []
  return [`stored.tableoid IN (SELECT relid FROM pg_catalog.pg_partition_tree(${partition}::pg_catalog.oid))`]
}

/** Returns true when the rows of a shape bring all columns of the key. */
export function hasKey({ merge }: Replaced, { columns }: MergeShape): boolean {
  return merge.conflict.keys.every(name => columns.includes(name))
}

/**
 * Inserts the rows of a shape that have a key, or updates those with their keys, except rows that would not
 * change.
 */
export function writeChanged(replaced: Replaced, shape: MergeShape): string {
  const same = `${keysAreEqual(replaced, 'stored')} AND ${rowsAreEqual(shape)}`
  const stored = `SELECT 1 FROM ${replaced.target} AS stored WHERE ${same}`
  const rows = `${selectShape(replaced, shape)} AND NOT (${isWithoutKey(replaced)})`
  return insertShape(replaced.merge, shape, `${rows} AND NOT EXISTS (${stored})`)
}

/** Inserts the rows of a shape whose key is NULL, or comes from a DEFAULT. */
export function insertWithoutKey(replaced: Replaced, shape: MergeShape): string {
  return `${insertAllOf(replaced, shape)} AND (${isWithoutKey(replaced)})`
}

/** Deletes the rows that are not, byte for byte, among the new rows, which all have this shape. */
export function deleteChanged(replaced: Replaced, shape: MergeShape): string {
  const same = `${keysAreEqual(replaced, 'stored')} AND ${rowsAreEqual(shape)}`
  return (
    `DELETE FROM ${replaced.target} AS stored ` +
    `WHERE NOT EXISTS (SELECT 1 FROM ${quoteTable(REPLACEMENT)} AS pg_batch WHERE ${same})`
  )
}

/** Inserts the rows of a shape whose keys are not in the table. */
export function insertNew(replaced: Replaced, shape: MergeShape): string {
  const stored = `SELECT 1 FROM ${replaced.target} AS stored WHERE ${keysAreEqual(replaced, 'stored')}`
  return `${insertAllOf(replaced, shape)} AND NOT EXISTS (${stored})`
}

/** Inserts all rows of a shape. */
export function insertAllOf(replaced: Replaced, shape: MergeShape): string {
  const { table, overrides = false } = replaced.merge
  const into = `INSERT INTO ${quoteTable(table)}${insertInto(shape.columns, overrides)}`
  return `${into} ${selectShape(replaced, shape)}`
}

function selectShape({ merge, shapes }: Replaced, shape: MergeShape): string {
  const columns = shape.columns.map(name => `pg_batch.${quoteIdentifier(name)}`)
  const { from } = stagedRows(merge, REPLACEMENT.name, shapes)
  const number = `pg_batch.${quoteIdentifier(merge.names.shape)}`
  return `SELECT ${columns.join(', ')} FROM ${from} WHERE ${number} = ${shape.number}`
}

function isWithoutKey({ merge }: Replaced): string {
  return merge.conflict.keys.map(name => isNull(`pg_batch.${quoteIdentifier(name)}`)).join(' OR ')
}

function isMissing(replaced: Replaced): string {
  return `NOT ${isStaged(replaced, 'stored')}`
}

function isStaged(replaced: Replaced, alias: string): string {
  const same = keysAreEqual(replaced, alias)
  return `EXISTS (SELECT 1 FROM ${quoteTable(REPLACEMENT)} AS pg_batch WHERE ${same})`
}

/** The key of a new row is that of `alias`, a row of the table. */
function keysAreEqual({ merge, shapes }: Replaced, alias: string): string {
  const same = sameKey(merge, stagedRows(merge, REPLACEMENT.name, shapes), 'pg_batch')
  return alias === 'stored' ? same : same.replaceAll('stored.', `${alias}.`)
}

/** Compares as bytes: json has no operator for equality, and 1.0 differs from 1.00. */
function rowsAreEqual({ columns }: MergeShape): string {
  const row = (alias: string): string =>
    `ROW(${columns.map(name => `${alias}.${quoteIdentifier(name)}`).join(', ')})::record`
  return `${row('stored')} OPERATOR(pg_catalog.*=) ${row('pg_batch')}`
}
