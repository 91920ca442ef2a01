/**
 * Asks whether there is a function by which SQL may read tables: a procedure of the user's that is not
 * declared IMMUTABLE. Functions in C are those of extensions. The parameter is an array of names.
 * @see https://www.postgresql.org/docs/current/xfunc-volatility.html
 */
export const READING_FUNCTIONS_SQL = `
SELECT EXISTS (SELECT 1 FROM pg_catalog.pg_proc f JOIN pg_catalog.pg_language l ON l.oid = f.prolang
  WHERE f.proname = ANY ($1::text[]) AND f.provolatile <> 'i' AND l.lanname NOT IN ('internal', 'c')
    AND f.pronamespace <> 'pg_catalog'::regnamespace)::text AS found`
