/**
 * SQL for whether the DEFAULT of the column `a`, or of its domain, calls a volatile function of the user's:
 * the text of a DEFAULT shows the functions that it names, and not those of its operators. Functions of the
 * server have no rows in pg_depend, and none of its operators is volatile.
 */
export const VOLATILE_DEFAULT = `EXISTS (SELECT 1 FROM pg_catalog.pg_depend d
    LEFT JOIN pg_catalog.pg_operator o
      ON d.refclassid = 'pg_catalog.pg_operator'::regclass AND o.oid = d.refobjid
    JOIN pg_catalog.pg_proc f ON f.oid = CASE
      WHEN d.refclassid = 'pg_catalog.pg_proc'::regclass THEN d.refobjid ELSE o.oprcode END
    WHERE f.provolatile = 'v' AND (d.classid, d.objid) IN (
      SELECT 'pg_catalog.pg_attrdef'::regclass, g.oid FROM pg_catalog.pg_attrdef g
      WHERE g.adrelid = a.attrelid AND g.adnum = a.attnum
      UNION ALL SELECT 'pg_catalog.pg_type'::regclass, a.atttypid
      FROM pg_catalog.pg_type y WHERE y.oid = a.atttypid AND y.typtype = 'd'))`
