/**
 * Tests for NULL. `IS NULL` would also be true for a composite value whose fields are all NULL, and
 * `IS NOT NULL` would be false for one with a NULL field, but keys and constraints treat both as ordinary
 * values. The right side is the word NULL, so the server plans these as tests for NULL: they need no operator
 * `=`, and use an index.
 * @see https://www.postgresql.org/docs/current/functions-comparison.html
 */
export function isNull(sql: string): string {
  return `${sql} IS NOT DISTINCT FROM NULL`
}

export function isNotNull(sql: string): string {
  return `${sql} IS DISTINCT FROM NULL`
}
