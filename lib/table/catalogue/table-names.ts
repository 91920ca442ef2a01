import { didYouMean } from '../../values/names/did-you-mean.ts'

/**
 * Lists the names of the tables of a database, as they have to be written. The parameter is a schema, or null
 * for all of them.
 */
export const TABLE_NAMES_SQL = `
  SELECT CASE WHEN pg_table_is_visible(c.oid) AND $1::text IS NULL THEN c.relname
    ELSE n.nspname || '.' || c.relname END AS name
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind IN ('r', 'p', 'f', 'v') AND n.nspname !~ '^(pg_|information_schema$)'
    AND n.nspname = coalesce($1, n.nspname)
  ORDER BY 1 LIMIT 1000`

/** Returns `; did you mean "sales.orders"?`, a table of another schema or with a near name, or nothing. */
export function tableHint(name: string, known: readonly string[]): string {
  const elsewhere = known.find(other => other.endsWith(`.${name}`))
  return elsewhere === undefined ? didYouMean(name, known) : `; did you mean "${elsewhere}"?`
}
