/** The condition that the session's TimeZone is UTC, under one of its names. */
export const IN_UTC_SQL =
  "pg_catalog.current_setting('TimeZone') IN ('UTC', 'Etc/UTC', 'GMT', 'Etc/GMT', 'UCT', 'Etc/UCT')"

/**
 * SQL for the types whose OIDs are in `type_oid`, as a JSON array. An array is a type that its element names
 * as typarray: int2vector and oidvector also have elements, but other input rules.
 */
export const TYPES = `(SELECT pg_catalog.json_agg(pg_catalog.json_build_object(
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
    FROM pg_catalog.pg_type y WHERE y.oid = ANY (ARRAY(SELECT o.oid FROM type_oid o)))`
