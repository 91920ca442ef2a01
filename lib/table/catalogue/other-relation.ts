/** Finds a relation of any kind. The parameter is the quoted name. */
export const RELATION_SQL =
  'SELECT relkind AS kind, oid::regclass::text AS name FROM pg_catalog.pg_class ' +
  'WHERE oid = pg_catalog.to_regclass($1)'

const OTHER_KINDS: Readonly<Record<string, string>> = {
  S: 'a sequence, not a table',
  i: 'an index, not a table',
  I: 'an index, not a table',
  c: 'a composite type, not a table',
}

/**
 * Describes the relation that {@link RELATION_SQL} has found, where it is not one that takes rows. A
 * materialized view is filled by its own query.
 */
export function describeOtherRelation({ kind, name }: Record<string, unknown>): string {
  if (kind !== 'm') return OTHER_KINDS[String(kind)] ?? 'not a table'
  return (
    'a materialized view, which takes no rows; load into a table that its query reads, ' +
    `then REFRESH MATERIALIZED VIEW ${name}`
  )
}
