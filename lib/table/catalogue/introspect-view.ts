import type { Table } from '../../types.ts'

/**
 * Finds the DEFAULTs that the columns of a view take from the table behind it: INSERT into a view uses those
 * of the view first, and then those of what it selects from. The catalogue has the origin of a view's column
 * only in the text of its rule. A column with two origins there, of which one is that of a subquery, gets
 * none. The parameter is the quoted name.
 * @see https://www.postgresql.org/docs/current/sql-createview.html#SQL-CREATEVIEW-UPDATABLE-VIEWS
 */
export const VIEW_DEFAULTS_SQL = `
WITH RECURSIVE origin(name, relation, attnum, level) AS (
  SELECT a.attname, a.attrelid, a.attnum::int, 0 FROM pg_catalog.pg_attribute a
  WHERE a.attrelid = $1::pg_catalog.regclass AND a.attnum > 0 AND NOT a.attisdropped
  UNION ALL
  SELECT o.name, entry.relation, entry.attnum, o.level + 1 FROM origin o
  JOIN pg_catalog.pg_rewrite r ON r.ev_class = o.relation AND r.ev_type = '1'
  CROSS JOIN LATERAL (SELECT min(found[2]::oid) AS relation, min(found[3]::int) AS attnum
    FROM pg_catalog.regexp_matches(r.ev_action::text, ':resno (\\d+) :resname (?:\\\\.|[^\\s\\\\])+ ' ||
      ':ressortgroupref \\d+ :resorigtbl ([1-9]\\d*) :resorigcol ([1-9]\\d*)', 'g') AS found
    WHERE found[1]::int = o.attnum HAVING count(*) = 1) entry
)
SELECT pg_catalog.json_object_agg(name, sql)::text AS defaults FROM (
  SELECT DISTINCT ON (o.name) o.name, pg_catalog.pg_get_expr(d.adbin, d.adrelid) AS sql
  FROM origin o JOIN pg_catalog.pg_attrdef d ON d.adrelid = o.relation AND d.adnum = o.attnum
  JOIN pg_catalog.pg_attribute a ON a.attrelid = o.relation AND a.attnum = o.attnum
  WHERE (pg_catalog.to_jsonb(a) ->> 'attgenerated') = ''
  ORDER BY o.name, o.level) AS found`

/** Returns a view whose columns have the DEFAULTs that {@link VIEW_DEFAULTS_SQL} has found. */
export function withDefaults(view: Table, { defaults }: Record<string, unknown>): Table {
  const found = defaults === null ? {} : (JSON.parse(defaults as string) as Record<string, string>)
  const columns = view.columns.map(column => {
    const defaultSql = Object.hasOwn(found, column.name) ? found[column.name] : column.defaultSql
    return defaultSql === undefined ? column : { ...column, defaultSql }
  })
  return { ...view, columns }
}
