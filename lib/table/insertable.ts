import type { Column, Table } from '../types.ts'

/**
 * Returns true for a column that takes values from a client. The server fills the others: INSERT refuses
 * values for them, although COPY accepts them for an identity column.
 */
export function isInsertable({ generated, identity }: Pick<Column, 'generated' | 'identity'>): boolean {
  return !generated && identity !== 'always'
}

/** Returns the SQL by which a column that is not insertable was declared. */
export function generatedBy({ generated }: Pick<Column, 'generated'>): string {
  return generated ? 'GENERATED ALWAYS AS (expression)' : 'GENERATED ALWAYS AS IDENTITY'
}

/** Returns the table with identity columns that take the values of the rows, as COPY writes them. */
export function keepIdentity(table: Table): Table {
  const columns = table.columns.map(column =>
    column.identity === 'always' ? { ...column, identity: 'kept' as const } : column,
  )
  return { ...table, columns }
}
