import type { Table } from '../types.ts'
import { CONFLICTING_INDEXES, LATE_INDEXES } from './catalogue/row-constraints.ts'
import { VOLATILE_DEFAULT } from './catalogue/volatile-default.ts'
import { quoteTable, type TableParts } from './identifier.ts'
import { EQUALITY_INDEX } from './key-columns.ts'
import { readTable } from './read-table.ts'

/** The condition that the session's TimeZone is UTC, under one of its names. */
export const IN_UTC_SQL =
  "pg_catalog.current_setting('TimeZone') IN ('UTC', 'Etc/UTC', 'GMT', 'Etc/GMT', 'UCT', 'Etc/UCT')"

/**
 * Introspects a table by one query. Its parameters are the quoted name, and the quoted names of types, which
 * the server resolves by its search_path; it returns no row if there is no such relation.
 *
 * `types` holds the types of the columns and all that they are made of: the bases of domains, the elements of
 * arrays, the bounds of ranges, the fields of composite types. An array is a type that its element names as
 * typarray: int2vector and oidvector also have elements, but other input rules. Catalogue columns that only
 * newer servers have are read through to_jsonb, so that the same text runs on all servers. The answer is the
 * text of one JSON object, so that it does not depend on the type parsers of the program.
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
  ${CONFLICTING_INDEXES} AS "conflictingIndexes",
  ${LATE_INDEXES} AS "hasLateIndexes",
  EXISTS (SELECT 1 FROM pg_catalog.pg_trigger g
    WHERE g.tgtype & 3 = 3 AND NOT g.tgisinternal AND g.tgenabled <> 'D'
    AND g.tgrelid IN (SELECT t.oid UNION ALL SELECT relid FROM pg_catalog.pg_partition_tree(t.oid)))
    AS "changesRows",
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
  (SELECT pg_catalog.json_agg(pg_catalog.json_build_object(
      'name', a.attname, 'type', a.atttypid::bigint,
      'sqlType', pg_catalog.format_type(a.atttypid, a.atttypmod),
      'notNull', a.attnotnull, 'flags', pg_catalog.concat(a.attnotnull::int, a.atthasdef::int),
      'generated', a.j ->> 'attgenerated', 'identity', a.attidentity,
      'mayInsert', pg_catalog.has_column_privilege(t.oid, a.attnum, 'INSERT'),
      'maySelect', pg_catalog.has_column_privilege(t.oid, a.attnum, 'SELECT'),
      'default', CASE WHEN a.attidentity <> ''
        THEN pg_catalog.format('pg_catalog.nextval(%L::pg_catalog.regclass)',
          coalesce(pg_catalog.pg_get_serial_sequence($1, a.attname), pg_catalog.pg_get_serial_sequence(
            pg_catalog.pg_partition_root(t.oid)::regclass::text, a.attname)))
        ELSE (SELECT pg_catalog.pg_get_expr(d.adbin, d.adrelid) FROM pg_catalog.pg_attrdef d
          WHERE d.adrelid = a.attrelid AND d.adnum = a.attnum) END,
      'volatile', ${VOLATILE_DEFAULT},
      'collation', (SELECT pg_catalog.format('%I.%I', s.nspname, l.collname) FROM pg_catalog.pg_collation l
        JOIN pg_catalog.pg_namespace s ON s.oid = l.collnamespace
        JOIN pg_catalog.pg_type y ON y.oid = a.atttypid
        WHERE l.oid = a.attcollation AND a.attcollation <> y.typcollation)) ORDER BY a.attnum)
    FROM attribute a) AS columns,
  (SELECT pg_catalog.json_agg(pg_catalog.json_build_object(
      'oid', y.oid::bigint, 'name', y.typname, 'sqlName', pg_catalog.format_type(y.oid, -1),
      'builtIn', y.typnamespace = 'pg_catalog'::regnamespace, 'kind', y.typtype,
      'base', y.typbasetype::bigint,
      'element', coalesce((SELECT e.oid::bigint FROM pg_catalog.pg_type e
        WHERE e.oid = y.typelem AND e.typarray = y.oid), 0),
      'subtype', (SELECT CASE WHEN r.range = y.oid THEN r.bound ELSE r.range END::bigint
        FROM ranges r WHERE y.oid IN (r.range, r.multirange)),
      'attributes', CASE WHEN y.typtype = 'c' THEN (SELECT
        pg_catalog.json_agg(f.atttypid::bigint ORDER BY f.attnum) FROM pg_catalog.pg_attribute f
        WHERE f.attrelid = y.typrelid AND f.attnum > 0 AND NOT f.attisdropped) END,
      'extension', (SELECT x.extname FROM pg_catalog.pg_depend d
        JOIN pg_catalog.pg_extension x ON x.oid = d.refobjid
        WHERE d.classid = 'pg_catalog.pg_type'::regclass AND d.objid = y.oid AND d.objsubid = 0
          AND d.refclassid = 'pg_catalog.pg_extension'::regclass AND d.deptype = 'e'),
      'receives', y.typreceive <> 0, 'delimiter', y.typdelim,
      'monetaryLocale', CASE WHEN y.oid = 'pg_catalog.money'::regtype
        THEN pg_catalog.current_setting('lc_monetary') END,
      'inUtc', y.oid = 'pg_catalog.timestamptz'::regtype AND ${IN_UTC_SQL},
      'notNull', y.typnotnull, 'default', CASE WHEN y.typdefaultbin IS NULL AND y.typdefault IS NOT NULL
        THEN pg_catalog.format('%L::%s', y.typdefault, pg_catalog.format_type(y.oid, -1))
        ELSE pg_catalog.pg_get_expr(y.typdefaultbin, 0) END))
    FROM pg_catalog.pg_type y WHERE y.oid = ANY (ARRAY(SELECT o.oid FROM type_oid o))) AS types,
  (SELECT pg_catalog.json_agg(pg_catalog.json_build_object(
      'index', x.relname, 'constraint', k.conname, 'primary', i.indisprimary,
      'nullsNotDistinct', coalesce((pg_catalog.to_jsonb(i) ->> 'indnullsnotdistinct')::boolean, false),
      'byDefault', NOT EXISTS (SELECT 1
        FROM ROWS FROM (pg_catalog.unnest(i.indclass::oid[]), pg_catalog.unnest(i.indcollation::oid[]),
          pg_catalog.unnest(i.indkey::int2[])) key(opclass, coll, attnum)
        JOIN pg_catalog.pg_opclass l ON l.oid = key.opclass JOIN attribute a ON a.attnum = key.attnum
        WHERE NOT l.opcdefault OR key.coll <> a.attcollation),
      'deterministic', NOT EXISTS (SELECT 1 FROM pg_catalog.unnest(i.indcollation::oid[]) key(coll)
        JOIN pg_catalog.pg_collation l ON l.oid = key.coll WHERE NOT l.collisdeterministic),
      'columns', (SELECT pg_catalog.json_agg(a.attname ORDER BY key.ord)
        FROM pg_catalog.unnest(i.indkey::int2[]) WITH ORDINALITY key(attnum, ord)
        JOIN attribute a ON a.attnum = key.attnum WHERE key.ord <= i.indnkeyatts),
      'collations', (SELECT pg_catalog.json_agg(CASE WHEN key.coll <> a.attcollation
          THEN pg_catalog.format('%I.%I', s.nspname, l.collname) END ORDER BY key.ord)
        FROM ROWS FROM (pg_catalog.unnest(i.indcollation::oid[]), pg_catalog.unnest(i.indkey::int2[]))
          WITH ORDINALITY key(coll, attnum, ord)
        JOIN attribute a ON a.attnum = key.attnum
        LEFT JOIN pg_catalog.pg_collation l ON l.oid = key.coll
        LEFT JOIN pg_catalog.pg_namespace s ON s.oid = l.collnamespace WHERE key.ord <= i.indnkeyatts),
      'equals', (SELECT pg_catalog.json_agg(
          pg_catalog.format('OPERATOR(%I.%s)', s.nspname, e.oprname) ORDER BY key.ord)
        FROM pg_catalog.unnest(i.indclass::oid[]) WITH ORDINALITY key(opclass, ord)
        JOIN pg_catalog.pg_opclass l ON l.oid = key.opclass
        JOIN pg_catalog.pg_amop m ON m.amopfamily = l.opcfamily AND m.amopstrategy = 3
          AND m.amoplefttype = l.opcintype AND m.amoprighttype = l.opcintype
        JOIN pg_catalog.pg_operator e ON e.oid = m.amopopr
        JOIN pg_catalog.pg_namespace s ON s.oid = e.oprnamespace)) ORDER BY i.indisprimary DESC, x.relname)
    FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid
    LEFT JOIN pg_catalog.pg_constraint k ON k.conindid = i.indexrelid AND k.contype IN ('p', 'u')
    WHERE i.indrelid = t.oid AND ${EQUALITY_INDEX} AND i.indexprs IS NULL AND i.indpred IS NULL)
    AS "uniqueKeys",
  (SELECT pg_catalog.json_agg(pg_catalog.json_build_object(
      'columns', (SELECT pg_catalog.json_agg(a.attname ORDER BY key.ord)
        FROM pg_catalog.unnest(k.conkey) WITH ORDINALITY key(attnum, ord)
        JOIN pg_catalog.pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = key.attnum),
      'references', (SELECT pg_catalog.json_agg(a.attname ORDER BY key.ord)
        FROM pg_catalog.unnest(k.confkey) WITH ORDINALITY key(attnum, ord)
        JOIN pg_catalog.pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = key.attnum)))
    FROM pg_catalog.pg_constraint k WHERE k.contype = 'f' AND k.conrelid = t.oid
      AND k.confrelid IN (t.oid, pg_catalog.pg_partition_root(t.oid))) AS "selfReferences",
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
