import { VOLATILE_DEFAULT } from './volatile-default.ts'

/** SQL for the columns of the table `t`, as a JSON array. */
export const COLUMNS = `(SELECT pg_catalog.json_agg(pg_catalog.json_build_object(
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
    FROM attribute a)`
