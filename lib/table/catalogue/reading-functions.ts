/**
 * Asks whether there is a function or an operator by which SQL may read tables: one of the user's that is not
 * declared IMMUTABLE. Functions in C are those of extensions. The parameters are the names of functions, and
 * those of operators, as arrays.
 * @see https://www.postgresql.org/docs/current/xfunc-volatility.html
 */
export const READING_FUNCTIONS_SQL = `
SELECT EXISTS (SELECT 1 FROM pg_catalog.pg_proc f JOIN pg_catalog.pg_language l ON l.oid = f.prolang
  WHERE (f.proname = ANY ($1::text[])
      OR f.oid IN (SELECT o.oprcode FROM pg_catalog.pg_operator o WHERE o.oprname = ANY ($2::text[])))
    AND f.provolatile <> 'i' AND l.lanname NOT IN ('internal', 'c')
    AND f.pronamespace <> 'pg_catalog'::regnamespace)::text AS found`
