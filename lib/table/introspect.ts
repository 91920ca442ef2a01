import type { Table } from '../types.ts'
import { COLUMNS } from './catalogue/columns-sql.ts'
import { SELF_REFERENCES, UNIQUE_KEYS } from './catalogue/keys-sql.ts'
import { CONFLICTING_INDEXES, LATE_INDEXES } from './catalogue/row-constraints.ts'
import { IS_INSERT_TRIGGER, IS_ROW_TRIGGER } from './catalogue/row-trigger.ts'
import { TYPES } from './catalogue/types-sql.ts'
import { quoteTable, type TableParts } from './identifier.ts'
import { readTable } from './read-table.ts'

/** SQL for whether there is a trigger that satisfies a condition, on the table or on a partition. */
const hasTrigger = (condition: string): string => `EXISTS (SELECT 1 FROM pg_catalog.pg_trigger
    WHERE ${condition}
    AND tgrelid IN (SELECT t.oid UNION ALL SELECT relid FROM pg_catalog.pg_partition_tree(t.oid)))`

/**
 * Introspects a table by one query. Its parameters are the quoted name, and the quoted names of types, which
 * the server resolves by its search_path; it returns no row if there is no such relation.
 *
 * `types` holds the types of the columns and all that they are made of: the bases of domains, the elements of
 * arrays, the bounds of ranges, the fields of composite types. Catalogue columns that only newer servers have
 * are read through to_jsonb, so that the same text runs on all servers. The answer is the text of one JSON
 * object, so that it does not depend on the type parsers of the program.
 *
 * The planner guesses that the recursion finds thousands of types, and 10 where it meets an array of them. By
 * the first guess the query would be so expensive that the server compiles it (`jit_above_cost`), which takes
 * much longer than to run it.
 * @see https://www.postgresql.org/docs/current/catalogs.html
 */
export const INTROSPECTION_SQL = `
WITH RECURSIVE target AS (
  SELECT c.* FROM pg_catalog.pg_class c WHERE c.oid = pg_catalog.to_regclass($1)
), attribute AS (
  SELECT a.*, pg_catalog.to_jsonb(a) AS j FROM pg_catalog.pg_attribute a JOIN target t ON a.attrelid = t.oid
  WHERE a.attnum > 0 AND NOT a.attisdropped
), ranges AS (
  SELECT r.rngtypid AS range, r.rngsubtype AS bound,
    (pg_catalog.to_jsonb(r) ->> 'rngmultitypid')::oid AS multirange
  FROM pg_catalog.pg_range r
), type_oid(oid) AS (
  SELECT a.atttypid FROM attribute a
  UNION
  SELECT next.oid FROM type_oid o JOIN pg_catalog.pg_type t ON t.oid = o.oid
  LEFT JOIN pg_catalog.pg_type e ON e.oid = t.typelem AND e.typarray = t.oid
  LEFT JOIN ranges r ON t.oid IN (r.range, r.multirange)
  LEFT JOIN pg_catalog.pg_attribute f ON t.typtype = 'c' AND f.attrelid = t.typrelid AND f.attnum > 0
    AND NOT f.attisdropped
  CROSS JOIN LATERAL (VALUES (t.typbasetype), (e.oid), (f.atttypid), (r.bound),
    (CASE WHEN t.oid = r.multirange THEN r.range END)) next(oid)
  WHERE next.oid <> 0
)
SELECT pg_catalog.row_to_json(relation)::text AS relation,
  (pg_catalog.to_regclass('pg_catalog.pg_dist_partition') IS NOT NULL)::text AS "hasCitus"
FROM (SELECT n.nspname AS schema, t.relname AS name, t.relkind AS kind,
  CASE WHEN t.relkind = 'v' THEN 'view'
       WHEN pg_catalog.row_security_active(t.oid) THEN 'row-level security'
       WHEN EXISTS (SELECT 1 FROM pg_catalog.pg_rewrite r WHERE r.ev_class = t.oid AND r.ev_type = '3')
         THEN 'rules'
  END AS "copyObstacle",
  EXISTS (SELECT 1 FROM pg_catalog.pg_rewrite r WHERE r.ev_class = t.oid AND r.ev_type IN ('2', '4'))
    AS "hasRules",
  ${CONFLICTING_INDEXES} AS "conflictingIndexes",
  ${LATE_INDEXES} AS "hasLateIndexes",
  ${hasTrigger(IS_ROW_TRIGGER)} AS "changesRows",
  ${hasTrigger(IS_INSERT_TRIGGER)} AS "hasInsertTriggers",
  pg_catalog.current_setting('server_version_num')::int >= 170000 AND NOT EXISTS (SELECT 1
    FROM pg_catalog.pg_partition_tree(t.oid) p
    JOIN pg_catalog.pg_class c ON c.oid = p.relid WHERE c.relkind = 'f')
    AS "mergeReturns",
  pg_catalog.current_setting('server_version_num')::int >= 160000 AS "copiesDefaults",
  pg_catalog.current_setting('transaction_isolation') IN ('repeatable read', 'serializable')
    AS "keepsSnapshot",
  CASE WHEN pg_catalog.current_setting('client_encoding') NOT IN ('UTF8', 'UNICODE', 'SQL_ASCII')
       THEN 'client_encoding'
       WHEN pg_catalog.current_setting('array_nulls', true) = 'off' THEN 'array_nulls'
  END AS "unfitSetting",
  pg_catalog.has_database_privilege(pg_catalog.current_database(), 'TEMP') AS "mayStage",
  ${COLUMNS} AS columns,
  ${TYPES} AS types,
  ${UNIQUE_KEYS} AS "uniqueKeys",
  ${SELF_REFERENCES} AS "selfReferences",
  (SELECT pg_catalog.json_agg(pg_catalog.to_regtype(named.type)::oid::bigint ORDER BY named.ord)
    FROM pg_catalog.unnest($2::text[]) WITH ORDINALITY named(type, ord)) AS "namedTypes"
FROM target t JOIN pg_catalog.pg_namespace n ON n.oid = t.relnamespace
WHERE t.relkind IN ('r', 'p', 'f', 'v')) relation`

/**
 * Returns a row if Citus stores the rows of a table. It fails on servers without the catalogue of Citus.
 * The parameter is the quoted name.
 * @see https://docs.citusdata.com/en/stable/develop/api_metadata.html#partition-table
 */
const CITUS_SQL = 'SELECT 1 FROM pg_catalog.pg_dist_partition WHERE logicalrelid = pg_catalog.to_regclass($1)'

/** The parameters of {@link INTROSPECTION_SQL}. */
export function introspectionValues(
  table: TableParts,
  types: readonly TableParts[] = [],
): [string, string[]] {
  return [quoteTable(table), types.map(quoteTable)]
}

/** Runs a statement, whose values come as texts. */
type Ask = (text: string, values: unknown[]) => Promise<{ readonly rows: readonly Record<string, unknown>[] }>

/** Asks for a table. Resolves to undefined if it does not exist, or the role cannot see it. */
export async function describeTable(
  ask: Ask,
  table: TableParts,
  types?: readonly TableParts[],
): Promise<Table | undefined> {
  const values = introspectionValues(table, types)
  const [row] = (await ask(INTROSPECTION_SQL, values)).rows
  if (!row) return undefined
  const isCitus = row.hasCitus === 'true' && (await ask(CITUS_SQL, [values[0]])).rows.length > 0
  return isCitus ? { ...readTable(row), isCitus } : readTable(row)
}
