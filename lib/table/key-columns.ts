/** The columns of a foreign key, in its order. */
export interface KeyColumns {
  readonly columns: readonly string[]
  readonly references: readonly string[]
  /** For each column the operator that compares a referenced value with it. */
  readonly equals: readonly string[]
}

/** SQL for the {@link KeyColumns} of the constraint `k`: arguments of json_build_object(). */
export const KEY_COLUMNS = `
      'columns', (SELECT pg_catalog.json_agg(a.attname ORDER BY key.ord)
        FROM pg_catalog.unnest(k.conkey) WITH ORDINALITY key(attnum, ord)
        JOIN pg_catalog.pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = key.attnum),
      'references', (SELECT pg_catalog.json_agg(a.attname ORDER BY key.ord)
        FROM pg_catalog.unnest(k.confkey) WITH ORDINALITY key(attnum, ord)
        JOIN pg_catalog.pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = key.attnum),
      'equals', (SELECT pg_catalog.json_agg(
          pg_catalog.format('OPERATOR(%I.%s)', s.nspname, o.oprname) ORDER BY key.ord)
        FROM pg_catalog.unnest(k.conpfeqop) WITH ORDINALITY key(operator, ord)
        JOIN pg_catalog.pg_operator o ON o.oid = key.operator
        JOIN pg_catalog.pg_namespace s ON s.oid = o.oprnamespace)`

/**
 * The condition that the index `i` keeps equal rows apart. That of a temporal key (WITHOUT OVERLAPS, from
 * PostgreSQL 18 on) is unique, too, but keeps periods apart that overlap, as an exclusion constraint does.
 * @see https://www.postgresql.org/docs/current/sql-createtable.html
 */
export const EQUALITY_INDEX = 'i.indisunique AND NOT i.indisexclusion AND i.indisvalid'
