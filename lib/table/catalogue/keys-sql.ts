import { EQUALITY_INDEX } from '../key-columns.ts'

/**
 * SQL for the columns of the index `i`, without those of INCLUDE, which have no operator class. One join asks
 * for all of it, because each join that the server plans delays the start of a stream.
 */
const KEY_COLUMNS_OF = `SELECT
        pg_catalog.bool_and(l.opcdefault AND key.coll = a.attcollation) AS "byDefault",
        pg_catalog.bool_and(c.collisdeterministic IS NOT FALSE) AS deterministic,
        pg_catalog.json_agg(a.attname ORDER BY key.ord) AS columns,
        pg_catalog.json_agg(CASE WHEN key.coll <> a.attcollation
          THEN pg_catalog.format('%s.%I', c.collnamespace::regnamespace, c.collname) END ORDER BY key.ord)
          AS collations,
        pg_catalog.json_agg(pg_catalog.format('OPERATOR(%s.%s)', e.oprnamespace::regnamespace, e.oprname)
          ORDER BY key.ord) FILTER (WHERE e.oid IS NOT NULL) AS equals
      FROM ROWS FROM (pg_catalog.unnest(i.indclass::oid[]), pg_catalog.unnest(i.indcollation::oid[]),
        pg_catalog.unnest(i.indkey::int2[])) WITH ORDINALITY key(opclass, coll, attnum, ord)
      JOIN pg_catalog.pg_opclass l ON l.oid = key.opclass JOIN attribute a ON a.attnum = key.attnum
      LEFT JOIN pg_catalog.pg_collation c ON c.oid = key.coll
      LEFT JOIN pg_catalog.pg_amop m ON m.amopfamily = l.opcfamily AND m.amopstrategy = 3
        AND m.amoplefttype = l.opcintype AND m.amoprighttype = l.opcintype
      LEFT JOIN pg_catalog.pg_operator e ON e.oid = m.amopopr`

/** SQL for the unique indexes of the table `t`, without those that are partial or have expressions. */
export const UNIQUE_KEYS = `(SELECT pg_catalog.json_agg(pg_catalog.json_build_object(
      'index', x.relname, 'constraint', k.conname, 'primary', i.indisprimary, 'immediate', i.indimmediate,
      'nullsNotDistinct', coalesce((pg_catalog.to_jsonb(i) ->> 'indnullsnotdistinct')::boolean, false),
      'byDefault', keys."byDefault", 'deterministic', keys.deterministic, 'columns', keys.columns,
      'collations', keys.collations, 'equals', keys.equals) ORDER BY i.indisprimary DESC, x.relname)
    FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid
    LEFT JOIN pg_catalog.pg_constraint k ON k.conindid = i.indexrelid AND k.contype IN ('p', 'u')
    CROSS JOIN LATERAL (${KEY_COLUMNS_OF}) keys
    WHERE i.indrelid = t.oid AND ${EQUALITY_INDEX} AND i.indexprs IS NULL AND i.indpred IS NULL)`

/** SQL for the foreign keys of the table `t` that refer to `t`, or to the table that it is a partition of. */
export const SELF_REFERENCES = `(SELECT pg_catalog.json_agg(pg_catalog.json_build_object(
      'columns', (SELECT pg_catalog.json_agg(a.attname ORDER BY key.ord)
        FROM pg_catalog.unnest(k.conkey) WITH ORDINALITY key(attnum, ord)
        JOIN pg_catalog.pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = key.attnum),
      'references', (SELECT pg_catalog.json_agg(a.attname ORDER BY key.ord)
        FROM pg_catalog.unnest(k.confkey) WITH ORDINALITY key(attnum, ord)
        JOIN pg_catalog.pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = key.attnum)))
    FROM pg_catalog.pg_constraint k WHERE k.contype = 'f' AND k.conrelid = t.oid
      AND k.confrelid IN (t.oid, pg_catalog.pg_partition_root(t.oid)))`
