import type { UniqueIndex } from '../../types.ts'
import { EQUALITY_INDEX } from '../key-columns.ts'

/**
 * Describes all unique indexes of a table, of expressions and partial ones included. Its parameter is the
 * table's name, quoted and with its schema. An empty search_path makes the server write all names with their
 * schemas. The statement sets it back, because the user's SQL may follow in the same transaction.
 * @see https://www.postgresql.org/docs/current/sql-insert.html#SQL-ON-CONFLICT
 */
export const UNIQUE_INDEXES_SQL = `
WITH quiet AS MATERIALIZED (
  SELECT pg_catalog.current_setting('search_path') AS before,
    pg_catalog.set_config('search_path', '', true) AS path
), found AS MATERIALIZED (SELECT pg_catalog.json_agg(pg_catalog.json_build_object(
  'name', x.relname, 'constraint', k.conname, 'immediate', i.indimmediate,
  'nullsNotDistinct', coalesce((pg_catalog.to_jsonb(i) ->> 'indnullsnotdistinct')::boolean, false),
  'predicate', pg_catalog.pg_get_expr(i.indpred, i.indrelid),
  'parts', (SELECT pg_catalog.json_agg(pg_catalog.json_build_object(
      'sql', pg_catalog.pg_get_indexdef(i.indexrelid, key.ord::int, false),
      'column', a.attname,
      'collation', CASE WHEN c.oid IS NULL THEN ''
        ELSE pg_catalog.format(' COLLATE %I.%I', cn.nspname, c.collname) END,
      'opclass', pg_catalog.format('%I.%I', ln.nspname, l.opcname),
      'equals', pg_catalog.format('OPERATOR(%I.%s)', s.nspname, e.oprname)) ORDER BY key.ord)
    FROM ROWS FROM (pg_catalog.unnest(i.indclass::oid[]), pg_catalog.unnest(i.indcollation::oid[]),
      pg_catalog.unnest(i.indkey::int2[])) WITH ORDINALITY key(opclass, coll, attnum, ord)
    JOIN pg_catalog.pg_opclass l ON l.oid = key.opclass
    JOIN pg_catalog.pg_namespace ln ON ln.oid = l.opcnamespace
    JOIN pg_catalog.pg_amop m ON m.amopfamily = l.opcfamily AND m.amopstrategy = 3
      AND m.amoplefttype = l.opcintype AND m.amoprighttype = l.opcintype
    JOIN pg_catalog.pg_operator e ON e.oid = m.amopopr
    JOIN pg_catalog.pg_namespace s ON s.oid = e.oprnamespace
    LEFT JOIN pg_catalog.pg_collation c ON c.oid = key.coll
    LEFT JOIN pg_catalog.pg_namespace cn ON cn.oid = c.collnamespace
    LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = key.attnum
    WHERE key.ord <= i.indnkeyatts),
  'columns', (WITH direct AS (
      SELECT attnum FROM pg_catalog.unnest(i.indkey::int2[]) attnum
      UNION SELECT d.refobjsubid FROM pg_catalog.pg_depend d
      WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = i.indexrelid
        AND d.refclassid = 'pg_catalog.pg_class'::regclass AND d.refobjid = i.indrelid
    ), used AS (
      SELECT attnum FROM direct
      UNION SELECT d.refobjsubid FROM direct
      LEFT JOIN pg_catalog.pg_attrdef g ON g.adrelid = i.indrelid AND g.adnum = direct.attnum
      JOIN pg_catalog.pg_depend d
        ON (d.classid = 'pg_catalog.pg_attrdef'::regclass AND d.objid = g.oid)
        -- before PostgreSQL 15 the column itself depends on what its expression reads
        OR (d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = i.indrelid
          AND d.objsubid = direct.attnum)
      WHERE d.refclassid = 'pg_catalog.pg_class'::regclass AND d.refobjid = i.indrelid
    )
    SELECT pg_catalog.json_agg(a.attname ORDER BY a.attnum)
    FROM used JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = used.attnum
    WHERE a.attnum > 0))
  ORDER BY x.relname)::text AS indexes
FROM quiet, pg_catalog.pg_index i JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid
LEFT JOIN pg_catalog.pg_constraint k ON k.conindid = i.indexrelid AND k.contype IN ('p', 'u')
WHERE quiet.path = '' AND i.indrelid = $1::pg_catalog.regclass AND ${EQUALITY_INDEX})
SELECT indexes, pg_catalog.set_config('search_path', (SELECT before FROM quiet), true) FROM found`

interface IndexRow extends Omit<UniqueIndex, 'constraint' | 'predicate' | 'parts'> {
  constraint: string | null
  predicate: string | null
  parts: { sql: string; column: string | null; collation: string; opclass: string; equals: string }[]
}

/** Reads the row that {@link UNIQUE_INDEXES_SQL} returned. */
export function readUniqueIndexes({ indexes }: Record<string, unknown>): UniqueIndex[] {
  const rows = indexes === null ? [] : (JSON.parse(indexes as string) as IndexRow[])
  return rows.map(({ constraint, predicate, parts, ...index }) => ({
    ...index,
    ...(constraint === null ? {} : { constraint }),
    ...(predicate === null ? {} : { predicate }),
    parts: parts.map(({ sql, column, collation, opclass, equals }) => ({
      sql: sql + collation,
      inference: `${sql}${collation} ${opclass}`,
      equals,
      ...(column === null ? {} : { column }),
    })),
  }))
}
