/**
 * Tests for NULL. `IS NULL` would also be true for a composite value whose fields are all NULL, and
 * `IS NOT NULL` false where one of them is: keys and constraints take such a value as any other. As NULL
 * itself is on the right, the server makes tests for NULL of these: they need no `=`, and use an index.
 * @see https://www.postgresql.org/docs/current/functions-comparison.html
 */
export function isNull(sql: string): string {
  return `${sql} IS NOT DISTINCT FROM NULL`
}

export function isNotNull(sql: string): string {
  return `${sql} IS DISTINCT FROM NULL`
}
