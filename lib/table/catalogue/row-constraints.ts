import type { RowConstraints, Table } from '../../types.ts'
import { KEY_COLUMNS } from '../key-columns.ts'

/** The table `t` and its partitions. */
const TREE = '(SELECT t.oid UNION ALL SELECT relid FROM pg_catalog.pg_partition_tree(t.oid))'

/** The condition that the index `i` of a partition belongs to no index of the table. */
const OWN_INDEX = `i.indrelid IN (SELECT relid FROM pg_catalog.pg_partition_tree(t.oid) WHERE relid <> t.oid)
    AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_inherits h WHERE h.inhrelid = i.indexrelid)`

const CONFLICTING = '(i.indisunique OR i.indisexclusion)'

/**
 * SQL for the number of unique and exclusion indexes of `t`, and of those that only its partitions have. Two
 * queries, because one with OR is so expensive by the planner's guess, in a database of many indexes, that
 * the server would compile it (`jit_above_cost`).
 */
export const CONFLICTING_INDEXES = `((SELECT count(*) FROM pg_catalog.pg_index i
    WHERE i.indrelid = t.oid AND ${CONFLICTING})
  + (SELECT count(*) FROM pg_catalog.pg_index i WHERE ${CONFLICTING} AND ${OWN_INDEX}))`

/** SQL for whether a unique or exclusion index of the table `t` may be checked after the statement. */
export const LATE_INDEXES = `EXISTS (SELECT 1 FROM pg_catalog.pg_index i
    WHERE i.indrelid = t.oid AND (i.indisunique OR i.indisexclusion) AND NOT i.indimmediate)`

/** A partition has constraints that the table lacks. */
const OWN_CONSTRAINTS = `EXISTS (SELECT 1 FROM pg_catalog.pg_partition_tree(t.oid) p
    WHERE p.relid <> t.oid AND (
      EXISTS (SELECT 1 FROM pg_catalog.pg_constraint k
        WHERE k.conrelid = p.relid AND k.coninhcount = 0 AND k.contype <> 't')
      OR EXISTS (SELECT 1 FROM pg_catalog.pg_attribute a
        JOIN attribute own ON own.attname = a.attname AND NOT own.attnotnull
        WHERE a.attrelid = p.relid AND a.attnotnull)
      OR EXISTS (SELECT 1 FROM pg_catalog.pg_index i WHERE i.indrelid = p.relid
        AND (i.indexprs IS NOT NULL OR i.indpred IS NOT NULL) AND ${OWN_INDEX})))`

/** The condition that the constraint `k` of `t` is enforced: from PostgreSQL 18 it need not be. */
const ENFORCED = `k.conrelid = t.oid AND coalesce((pg_catalog.to_jsonb(k) ->> 'conenforced')::boolean, true)`

/** The condition that the trigger `g` sees rows. Others see only how rows are divided into statements. */
const SEES_ROWS = '(g.tgtype & 1 = 1 OR g.tgoldtable IS NOT NULL OR g.tgnewtable IS NOT NULL)'

/**
 * The condition that the role may name and call all that an object uses, as a query that repeats its
 * expressions has to. The server itself, which has parsed them, asks for no right to use a schema.
 * @param objects a query for `classid` and `objid` of pg_depend; what belongs to the server has no rows there
 */
const mayName = (objects: string): string => `NOT EXISTS (SELECT 1
    FROM (${objects}) object(classid, objid)
    JOIN pg_catalog.pg_depend d ON d.classid = object.classid AND d.objid = object.objid
    CROSS JOIN LATERAL pg_catalog.pg_identify_object(d.refclassid, d.refobjid, 0) used
    WHERE NOT coalesce(CASE
      WHEN used.schema IS NOT NULL AND pg_catalog.has_schema_privilege(
        pg_catalog.to_regnamespace(used.schema)::oid, 'USAGE') IS NOT TRUE THEN false
      WHEN d.refclassid = 'pg_catalog.pg_proc'::regclass
        THEN pg_catalog.has_function_privilege(d.refobjid, 'EXECUTE')
      ELSE true END, false))`

/** The role may name all that the columns, indexes, DEFAULTs and CHECK constraints of `t` use. */
const MAY_NAME_ALL = mayName(`SELECT 'pg_catalog.pg_class'::regclass::oid, t.oid
      UNION ALL SELECT 'pg_catalog.pg_class'::regclass, i.indexrelid
      FROM pg_catalog.pg_index i WHERE i.indrelid = t.oid
      UNION ALL SELECT 'pg_catalog.pg_attrdef'::regclass, f.oid
      FROM pg_catalog.pg_attrdef f WHERE f.adrelid = t.oid
      UNION ALL SELECT 'pg_catalog.pg_constraint'::regclass, k.oid
      FROM pg_catalog.pg_constraint k WHERE k.conrelid = t.oid AND k.contype = 'c'`)

/** The role may name what the foreign key `k` uses: the schema of its parent, and its operators. */
const MAY_NAME_KEY = mayName("SELECT 'pg_catalog.pg_constraint'::regclass::oid, k.oid")

/** The columns of the foreign key `k` have other collations than those of its parent. */
const OTHER_COLLATION = `EXISTS (SELECT 1
    FROM ROWS FROM (pg_catalog.unnest(k.conkey), pg_catalog.unnest(k.confkey)) key(own, other)
    JOIN pg_catalog.pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = key.own
    JOIN pg_catalog.pg_attribute b ON b.attrelid = k.confrelid AND b.attnum = key.other
    WHERE a.attcollation <> b.attcollation)`

/** Names of the columns whose numbers are in an array. */
const namesIn = (numbers: string): string =>
  `(SELECT coalesce(pg_catalog.json_agg(a.attname), '[]') FROM attribute a WHERE a.attnum = ANY (${numbers}))`

/** A table partitioned by hash has no default partition, and needs none if no other one is missing. */
const HAS_EVERY_REMAINDER = `(
      SELECT sum(1.0 / pg_catalog.substring(
        pg_catalog.pg_get_expr(c.relpartbound, c.oid), 'modulus ([0-9]+)')::numeric)
      FROM pg_catalog.pg_inherits h JOIN pg_catalog.pg_class c ON c.oid = h.inhrelid
      WHERE h.inhparent = p.relid) > 0.999999999`

/** The objects of the server itself have lower numbers. */
const FIRST_OWN_OID = 16384

/** With more of them it takes longer to judge a row than to write it. */
const MAX_JUDGED_PARTITIONS = 100

/**
 * The condition that some partition takes a row of the table `t`: the constraints of its leaves, joined by
 * OR. NULL if there are many, or if a query might judge otherwise than the server: by a hash, an expression,
 * a type or an operator that users have made, or the order of a collation.
 */
const HAS_PARTITION = `CASE WHEN NOT EXISTS (SELECT 1 FROM pg_catalog.pg_partition_tree(t.oid) p
      JOIN pg_catalog.pg_partitioned_table d ON d.partrelid = p.relid
      WHERE d.partstrat NOT IN ('l', 'r') OR 0 = ANY (d.partattrs::int2[])
        OR ${FIRST_OWN_OID} <= ANY (d.partclass::oid[])
        OR EXISTS (SELECT 1 FROM pg_catalog.pg_attribute a WHERE a.attrelid = d.partrelid
          AND a.attnum = ANY (d.partattrs::int2[]) AND a.atttypid >= ${FIRST_OWN_OID})
        OR EXISTS (SELECT 1 FROM pg_catalog.pg_collation k WHERE k.oid = ANY (d.partcollation::oid[])
          AND (d.partstrat <> 'l' OR NOT k.collisdeterministic)))
      AND (SELECT count(*) FROM pg_catalog.pg_partition_tree(t.oid) p WHERE p.isleaf)
        <= ${MAX_JUDGED_PARTITIONS}
    THEN (SELECT pg_catalog.string_agg(pg_catalog.pg_get_partition_constraintdef(p.relid), ' OR ')
      FROM pg_catalog.pg_partition_tree(t.oid) p WHERE p.isleaf) END`

/**
 * Describes the constraints of a table, as one JSON object; NULL where something else may judge a row. A
 * foreign key to a partitioned table has a constraint for each partition, too, which is left out. The
 * parameter is the table's name, quoted and with its schema. It is a query of its own because only upserts
 * need it, and planning it takes the server half as long as the rest of the introspection.
 */
export const ROW_CONSTRAINTS_SQL = `
WITH target AS (
  SELECT c.* FROM pg_catalog.pg_class c WHERE c.oid = pg_catalog.to_regclass($1)
), attribute AS (
  SELECT a.*, pg_catalog.to_jsonb(a) AS j FROM pg_catalog.pg_attribute a JOIN target t ON a.attrelid = t.oid
  WHERE a.attnum > 0 AND NOT a.attisdropped
)
SELECT (CASE WHEN NOT pg_catalog.row_security_active(t.oid)
    AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_trigger g
      WHERE g.tgrelid IN ${TREE} AND NOT g.tgisinternal AND g.tgenabled <> 'D' AND ${SEES_ROWS})
    -- a whole row, or a system column
    AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_constraint k
      WHERE k.conrelid = t.oid AND k.contype = 'c' AND 0 >= ANY (k.conkey))
    AND NOT ${OWN_CONSTRAINTS} AND ${MAY_NAME_ALL}
    -- a partition takes only rows of its own
    AND NOT t.relispartition
  THEN pg_catalog.json_build_object(
    'isSingle', t.relkind = 'r' AND NOT t.relhassubclass,
    'isReferenced', EXISTS (SELECT 1 FROM pg_catalog.pg_constraint k
      WHERE k.contype = 'f' AND k.confrelid IN ${TREE}),
    'mayLackPartition', EXISTS (SELECT 1 FROM pg_catalog.pg_partition_tree(t.oid) p
      JOIN pg_catalog.pg_partitioned_table d ON d.partrelid = p.relid
      WHERE d.partdefid = 0 AND NOT (d.partstrat = 'h' AND ${HAS_EVERY_REMAINDER})),
    'hasPartition', ${HAS_PARTITION},
    'checks', (SELECT coalesce(pg_catalog.json_agg(pg_catalog.json_build_object(
        'sql', pg_catalog.pg_get_expr(k.conbin, k.conrelid), 'columns', ${namesIn('k.conkey')})), '[]')
      FROM pg_catalog.pg_constraint k WHERE ${ENFORCED} AND k.contype = 'c'),
    'foreignKeys', (SELECT coalesce(pg_catalog.json_agg(pg_catalog.json_build_object(
        'parent', CASE WHEN NOT k.condeferred AND k.confmatchtype = 's'
            AND k.confrelid NOT IN ${TREE}
            AND pg_catalog.has_table_privilege(p.oid, 'SELECT')
            AND NOT pg_catalog.row_security_active(p.oid)
            AND ${MAY_NAME_KEY} AND NOT ${OTHER_COLLATION}
            AND coalesce(pg_catalog.to_jsonb(k) ->> 'conperiod', 'false') = 'false'
          THEN pg_catalog.concat(CASE WHEN p.relkind = 'r' THEN 'ONLY ' END,
            pg_catalog.format('%I.%I', n.nspname, p.relname)) END,
        ${KEY_COLUMNS})), '[]')
      FROM pg_catalog.pg_constraint k JOIN pg_catalog.pg_class p ON p.oid = k.confrelid
      JOIN pg_catalog.pg_namespace n ON n.oid = p.relnamespace
      WHERE ${ENFORCED} AND k.contype = 'f' AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_constraint up
        WHERE up.oid = k.conparentid AND up.conrelid = k.conrelid)),
    'indexes', (SELECT coalesce(pg_catalog.json_agg(pg_catalog.json_build_object(
        'predicate', pg_catalog.pg_get_expr(i.indpred, i.indrelid),
        'expressions', (SELECT coalesce(pg_catalog.json_agg(
            pg_catalog.pg_get_indexdef(i.indexrelid, key.ord::int, false)), '[]')
          FROM pg_catalog.unnest(i.indkey::int2[]) WITH ORDINALITY key(attnum, ord)
          WHERE key.attnum = 0 AND key.ord <= i.indnkeyatts),
        'columns', ${namesIn(`ARRAY(SELECT d.refobjsubid FROM pg_catalog.pg_depend d
          WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = i.indexrelid
            AND d.refclassid = 'pg_catalog.pg_class'::regclass AND d.refobjid = i.indrelid)`)})), '[]')
      FROM pg_catalog.pg_index i WHERE i.indrelid = t.oid
        AND (i.indexprs IS NOT NULL OR i.indpred IS NOT NULL)),
    'stored', (SELECT coalesce(pg_catalog.json_agg(a.attname), '[]')
      FROM attribute a WHERE a.j ->> 'attgenerated' = 's')) END)::text AS "rowConstraints"
FROM target t`

/** Reads the row that {@link ROW_CONSTRAINTS_SQL} returned. A table that was dropped has no row. */
export function readRowConstraints(row: Record<string, unknown> | undefined): Pick<Table, 'rowConstraints'> {
  const text = row?.rowConstraints as string | null | undefined
  return text == null ? {} : { rowConstraints: JSON.parse(text) as RowConstraints }
}
